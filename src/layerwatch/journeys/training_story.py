"""The state of a training -> its log and pictures, kept beside the model; and the processes that train together."""

from __future__ import annotations

import os
from pathlib import Path

from layerwatch.evaluation.training_figures import figure_of_losses, figure_of_samples


def join_processes() -> bool:
    """Join the other processes of a torchrun; returns whether this is the first one, or the only one."""
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        return True
    from layerwatch.detectors.networks import parallel

    parallel.begin()
    return parallel.rank() == 0


def story_of(folder: Path) -> dict[str, bytes]:
    """Files by their names: ``log.jsonl``, and ``training.png``, ``samples-RUN.png`` where networks were trained."""
    logs = sorted(folder.glob("*.jsonl"), key=lambda path: path.stat().st_mtime_ns)
    if not logs:
        return {}
    from layerwatch.detectors.networks.states import diary_in

    diaries = {log.stem: diary_in(log.with_suffix(".safetensors").read_bytes()) for log in logs}
    files = {"log.jsonl": b"".join(log.read_bytes() for log in logs)}
    losses = {name: (diary.losses, diary.looks) for name, diary in diaries.items()}
    files["training.png"] = figure_of_losses(losses)
    for name, diary in diaries.items():
        if diary.samples:
            shown = {step: images.numpy() for step, images in diary.samples.items()}
            files[f"samples-{name}.png"] = figure_of_samples(shown, name.replace("_", " "))
    return files
