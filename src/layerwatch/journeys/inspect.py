"""A folder of frames and a model -> a verdict a layer, on the terminal and in a file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from layerwatch.detectors.plan_aware import PlanAware
from layerwatch.detectors.storage.model_files import StoredModel
from layerwatch.images.folder import image_files
from layerwatch.images.gating import Gate
from layerwatch.images.grey import check_span
from layerwatch.images.naming import Pattern
from layerwatch.images.plain_gate import plain_gate
from layerwatch.images.scales import scale_named
from layerwatch.images.writing import check_result
from layerwatch.inspection.frame_folder import Folder
from layerwatch.inspection.inspector import Inspector, Judged
from layerwatch.inspection.sinks.base import Sink
from layerwatch.inspection.sinks.console import Console
from layerwatch.inspection.sinks.jsonl import Jsonl
from layerwatch.journeys.train import judge_of
from layerwatch.records import Progress, UsageError, counted, silent

_MOST_HOLES = 0.5  # share of a frame's pixels that may be nan, as in `score`, for a detector that knows what that is


@dataclass(frozen=True)
class Frames:
    """Where the frames of one job or several lie, and what is known of them."""

    folder: Path
    plans: Path | None = None
    mm_per_px: float | None = None  # None: that of the training
    job: str = ""
    span: tuple[float, float] | None = None  # degC at grey 0 and 1, for frames that hold temperatures
    scale: str | None = None  # what a thermal camera's counts mean, for images.scales
    pattern: str | None = None  # of the names, for images.naming

    def camera(self, model: StoredModel) -> Folder:
        """The folder as a camera.

        Raises:
            UsageError: no such folder, scale or span, a pixel size that is not above 0, or no plans for a detector
                that needs them.
        """
        check_span(self.span)
        span = self._span(model)
        if self.scale is not None:
            scale_named(self.scale)
        for folder in (self.folder, self.plans):
            if folder is not None and not folder.is_dir():
                what = "this is a file" if folder.exists() else "no such folder"
                raise UsageError(f"{folder}: {what}; give a folder of image files, one a layer")
        if "plan" in model.detector.needs and self.plans is None:
            raise UsageError(f"{model.name} needs the plan of each layer; give a folder of nominal masks with --plans")
        known = model.provenance.get("mm_per_px")
        size = self.mm_per_px if self.mm_per_px is not None else float(known or 1.0)
        if not 1e-4 < size < 1000:
            raise UsageError(f"{size:g} mm per pixel; give the size of a pixel on the bed in mm, such as 3.75")
        if self.pattern is not None:
            Pattern(self.pattern).check()
        holes = _MOST_HOLES if isinstance(model.detector, PlanAware) else 0.0
        return Folder(self.folder.resolve(), self.plans, size, self.job, span, self.scale, self.pattern, holes)

    def jobs(self, model: StoredModel) -> tuple[Folder, ...]:
        """A camera for each sub-folder with frames, and for those directly in the folder; one where a job is named.

        Plans may lie below the frames, and the plans of a sub-folder in one of its name.

        Raises:
            UsageError: as ``camera``.
            DataError: no image in the folder.
        """
        whole = self.camera(model)
        plans = None if self.plans is None else self.plans.resolve()
        below = plans is not None and plans != whole.path and plans.is_relative_to(whole.path)
        paths = [p for p in image_files(whole.path) if not below or not p.resolve().is_relative_to(plans or p)]
        names = list(dict.fromkeys(p.relative_to(whole.path).parts[0] for p in paths if p.parent != whole.path))
        if self.job or not names:
            return (replace(whole, is_flat=below),)
        own = () if all(p.parent != whole.path for p in paths) else (replace(whole, is_flat=True),)
        return (*own, *(self._below(whole, name) for name in names))

    def _below(self, whole: Folder, name: str) -> Folder:
        plans = self.plans
        if plans is not None and (plans / name).is_dir():
            plans = plans / name
        return replace(whole, path=whole.path / name, plans=plans, job=name)

    def _span(self, model: StoredModel) -> tuple[float, float] | None:
        """That of the training, where it is known."""
        learnt = model.provenance.get("span")
        if learnt is None:
            return self.span
        trained = (float(learnt[0]), float(learnt[1]))
        if self.span is not None and not np.allclose(self.span, trained):
            a, b = ("{:g} to {:g} degC".format(*span) for span in (self.span, trained))
            raise UsageError(f"--span says {a}, and the model was trained on {b}; leave the option away")
        return trained

    def is_scaled(self, model: StoredModel) -> bool:
        """Whether the size of a pixel is known, so that places are in mm and not in pixels."""
        return self.mm_per_px is not None or model.provenance.get("mm_per_px") is not None


def inspect(
    frames: Frames,
    model: StoredModel,
    rate: float,
    out: Path | None = None,
    *,
    gate: Gate | None = None,
    inputs: Sequence[Path] = (),
    quiet: bool = False,
    progress: Progress = silent,
) -> tuple[Judged, ...]:
    """Judge every frame, job after job; verdicts go one by one to the terminal (unless quiet) and to JSON lines.

    Args:
        frames: where they lie.
        model: that judges those without a fault.
        rate: of false alarms that is promised.
        out: file of JSON lines.
        gate: that looks at each frame first; None: the one that needs no learning.
        inputs: further files that must not be written over.
        quiet: nothing on the terminal.
        progress: told after every frame.

    Raises:
        UsageError: no such folder, or the file cannot be written.
        DataError: no image in the folder, or too few calibration layers for the rate.
    """
    sinks: list[Sink] = [] if quiet else [Console()]
    cameras = frames.jobs(model)
    total, judge = sum(camera.count() for camera in cameras), judge_of(model, rate)
    if out is not None:
        check_result(out, [*inputs, frames.folder, *([frames.plans] if frames.plans else [])])
        out.unlink(missing_ok=True)  # from here on it holds whole lines only, also after an interruption
        sinks.append(Jsonl(out))
    judged: list[Judged] = []
    trained = model.provenance.get("pixels")
    size = None if trained is None else (int(trained[0]), int(trained[1]))
    looks = gate or plain_gate(size)
    for camera in cameras:
        for one in Inspector(camera, model.detector, judge, sinks, size, looks).run():
            judged.append(one)
            progress("inspect", min(len(judged), total), total)  # layers that never came have verdicts, too
    return tuple(judged)


def tally(judged: Sequence[Judged]) -> str:
    """How many layers got which verdict, in words."""
    words = [one.verdict.word for one in judged]
    jobs = len({one.verdict.job for one in judged})
    layers = counted(len(words), "layer") + (f" of {counted(jobs, 'job')}" if jobs > 1 else "")
    return f"{layers}: {words.count('OK')} OK, {words.count('NOK')} NOK, {words.count('FAULT')} FAULT"
