"""A folder of frames and a model -> a verdict a layer, on the terminal and in a file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from layerwatch.detectors.storage.model_files import StoredModel
from layerwatch.images.writing import check_writable
from layerwatch.inspection.cameras.folder import Folder
from layerwatch.inspection.inspector import Inspector, Judged
from layerwatch.inspection.sinks.base import Sink
from layerwatch.inspection.sinks.console import Console
from layerwatch.inspection.sinks.jsonl import Jsonl
from layerwatch.journeys.train import judge_of
from layerwatch.records import Progress, UsageError, silent


@dataclass(frozen=True)
class Frames:
    """Where a job's frames lie, and what is known of them."""

    folder: Path
    plans: Path | None = None
    mm_per_px: float = 1.0
    job: str = ""

    def camera(self) -> Folder:
        """The folder as a camera.

        Raises:
            UsageError: no such folder, or a pixel size that is not above 0.
        """
        for folder in (self.folder, self.plans):
            if folder is not None and not folder.is_dir():
                raise UsageError(f"{folder}: no such folder; give a folder of image files, one a layer")
        if not 0 < self.mm_per_px < 1000:
            raise UsageError(f"{self.mm_per_px:g} mm per pixel; give the size of a pixel on the bed in mm")
        return Folder(self.folder.resolve(), self.plans, self.mm_per_px, self.job)


def inspect(
    frames: Frames,
    model: StoredModel,
    rate: float,
    out: Path | None = None,
    *,
    quiet: bool = False,
    progress: Progress = silent,
) -> tuple[Judged, ...]:
    """Judge every frame; verdicts go to the terminal (unless quiet) and to a file of JSON lines, one by one.

    Raises:
        UsageError: no such folder, or the file cannot be written.
        DataError: no image in the folder, or too few calibration layers for the rate.
    """
    sinks: list[Sink] = [] if quiet else [Console()]
    camera = frames.camera()
    total, judge = camera.count(), judge_of(model, rate)
    if out is not None:
        _clear(out)
        sinks.append(Jsonl(out))
    judged: list[Judged] = []
    for one in Inspector(camera, model.detector, judge, sinks).run():
        judged.append(one)
        progress("inspect", len(judged), total)
    return tuple(judged)


def tally(judged: Sequence[Judged]) -> str:
    """How many layers got which verdict, in words."""
    words = [one.verdict.word for one in judged]
    return f"{len(words)} layers: {words.count('OK')} OK, {words.count('NOK')} NOK, {words.count('FAULT')} FAULT"


def _clear(out: Path) -> None:
    """Begin a verdict file anew; from then on it holds whole lines only, also after an interruption."""
    if out.is_dir():
        raise UsageError(f"{out} is a folder; give a file such as verdicts.jsonl")
    check_writable(out.parent)
    out.unlink(missing_ok=True)
