"""Folders of frames with nominal masks -> a table with the score, p-value and verdict of every layer, and heat maps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
from jaxtyping import Float64

from layerwatch.detectors.base import Detector
from layerwatch.detectors.pca import Pca
from layerwatch.detectors.plan_aware import PlanAware
from layerwatch.images.writing import check_result, check_writable, write_file
from layerwatch.journeys.score_following import JobFrames, SeenLayer, follow
from layerwatch.journeys.score_frames import FrameJob, ScoreSource, check_apart
from layerwatch.journeys.score_notes import promise, reasons
from layerwatch.journeys.score_rows import Row, as_csv, judged_job, row_of
from layerwatch.journeys.score_scale import Scale, scale_of_raw
from layerwatch.records import DataError, LayerImage, Progress, UsageError, counted, silent

_ENOUGH_JOBS = 24  # healthy ones, from which half of them is learnt from; fewer are all kept to calibrate
_MOST_PIXELS = 3e8  # of healthy frames that are held at once


@dataclass(frozen=True)
class ScoreWish:
    """What is to be scored, and how."""

    frames: ScoreSource
    healthy: ScoreSource | None = None
    head: Literal["x", "y"] = "y"  # image axis along which the print head travels
    alpha: float = 0.01  # p-value below which a layer is NOK
    maps: Path | None = None
    is_scaled: bool = True  # the size of a pixel is known

    def check(self, out: Path) -> None:
        """Refuse what cannot be done, before any work.

        Raises:
            UsageError: it cannot.
        """
        if not 0 < self.alpha < 1:
            raise UsageError(f"--alpha {self.alpha:g}; give a share between 0 and 1, such as 0.01")
        if self.frames.plans is None and self.healthy is None:
            raise UsageError(
                "without plans and without healthy jobs nothing is known of how a layer should look; give the nominal "
                "masks with --plans, or a folder of healthy jobs with --healthy"
            )
        sources = [self.frames, *([self.healthy] if self.healthy else [])]
        for source in sources:
            source.check()
        if self.healthy is not None and (self.frames.plans is None) != (self.healthy.plans is None):
            raise UsageError("--plans and --healthy-plans go together: give both, or neither")
        if self.healthy is not None:
            check_apart(self.frames, self.healthy)
        inputs = [folder for source in sources for folder in (source.folder, source.plans) if folder is not None]
        check_result(out, inputs)
        if self.maps is not None:
            check_result(self.maps / "a.png", inputs)
            check_writable(self.maps)


@dataclass(frozen=True, eq=False)
class Prepared:
    """A detector and what its scores mean."""

    detector: Detector
    scale: Scale
    told: tuple[str, ...]  # for a person


@dataclass(frozen=True, eq=False)
class Scored:
    """The table, and what is to be said."""

    rows: tuple[Row, ...]
    told: tuple[str, ...]  # of the detector and its scale
    notes: tuple[str, ...]  # of jobs and frames

    @property
    def is_whole(self) -> bool:
        """Every frame has a score."""
        return all(row.p_kind for row in self.rows)


def score(wish: ScoreWish, out: Path, *, progress: Progress = silent) -> Scored:
    """Score every frame and write the table, whole or not at all.

    Args:
        wish: what is to be scored.
        out: the CSV file.
        progress: told after every frame.

    Raises:
        UsageError: a folder, an option or the place to write is off.
        DataError: no frame, or no healthy frame that can be used.
    """
    wish.check(out)
    jobs = wish.frames.jobs()
    ready = prepared(wish, progress)
    rows: list[Row] = []
    notes: list[str] = []
    total = sum(len(job.files) for job in jobs)
    for job in jobs:
        frames = JobFrames(wish.frames, job, wish.is_scaled)
        if frames.place.note:
            notes.append(f"{job.name}: {frames.place.note}")
        found: list[Row] = []
        for seen in follow(frames, ready.detector):
            row = row_of(seen, ready.scale, wish.alpha, is_scaled=wish.is_scaled)
            found.append(row)
            if wish.maps is not None:
                _draw(wish, wish.maps, seen, row, job)
            progress("score", len(rows) + len(found), total, job.name)
        rows += judged_job(found, knows_plan="plan" in ready.detector.needs)
    write_file(out, as_csv(rows))
    return Scored(tuple(rows), ready.told, (*notes, *reasons(rows)))


def prepared(wish: ScoreWish, progress: Progress = silent) -> Prepared:
    """The detector, fitted and calibrated on different healthy jobs where there are some.

    Raises:
        DataError: too few healthy frames that can be used.
    """
    if wish.healthy is None:
        lines = (
            "plan_aware with its built-in scale of virtual jobs",
            "p is an index by a law: it rests on 0 healthy layers of this printer, so none of its digits are counted; "
            "give --healthy to count",
        )
        return Prepared(PlanAware(head=wish.head), Scale(), lines)
    jobs = wish.healthy.jobs()
    if wish.frames.plans is None:
        return _image_only(wish, wish.healthy, jobs, progress)
    learnt = jobs[::2] if len(jobs) >= _ENOUGH_JOBS else ()
    kept = jobs[1::2] if learnt else jobs
    detector: Detector = PlanAware(head=wish.head)
    if learnt:
        images = _images(wish, wish.healthy, learnt, progress)
        detector = detector.fit(images, progress=progress)
    names, raw = _raw_scores(wish, wish.healthy, kept, detector, progress)
    how = f"fitted to {counted(len(learnt), 'healthy job')}" if learnt else "with its built-in constants"
    return Prepared(detector, Scale(raw), (f"plan_aware {how}", *promise(Scale(raw), names, wish.alpha)))


def _image_only(wish: ScoreWish, source: ScoreSource, jobs: Sequence[FrameJob], progress: Progress) -> Prepared:
    """PCA: of one job, the first half of its layers is learnt from and the other half calibrates."""
    if len(jobs) == 1:
        files, half = jobs[0].files, len(jobs[0].files) // 2
        learnt, kept = [replace(jobs[0], files=files[:half])], [replace(jobs[0], files=files[half:])]
    else:
        learnt, kept = list(jobs[::2]), list(jobs[1::2])
    detector = Pca().fit(_images(wish, source, learnt, progress), progress=progress)
    names, raw = _raw_scores(wish, source, kept, detector, progress)
    scale = scale_of_raw(raw)
    many = counted(sum(len(job.files) for job in learnt), "layer")
    told = f"pca on the images alone, for want of plans, fitted to {many}"
    return Prepared(detector, scale, (told, *promise(scale, names, wish.alpha)))


def _images(
    wish: ScoreWish, source: ScoreSource, jobs: Sequence[FrameJob], progress: Progress
) -> tuple[LayerImage, ...]:
    """Layers to learn from: whole jobs, until there are enough pixels."""
    images: list[LayerImage] = []
    for number, job in enumerate(jobs):
        images += JobFrames(source, job, wish.is_scaled).usable()
        progress("read healthy jobs", number + 1, len(jobs))
        if sum(image.pixels.size for image in images) > _MOST_PIXELS:
            progress("read healthy jobs", len(jobs), len(jobs), "enough")
            break
    return tuple(images)


def _raw_scores(
    wish: ScoreWish, source: ScoreSource, jobs: Sequence[FrameJob], detector: Detector, progress: Progress
) -> tuple[tuple[str, ...], tuple[Float64[np.ndarray, " n"], ...]]:
    """Names of healthy jobs and the scores of their layers, one array a job."""
    found: dict[str, Float64[np.ndarray, " n"]] = {}
    done, total = 0, sum(len(job.files) for job in jobs)
    for job in jobs:
        frames, scores = JobFrames(source, job, wish.is_scaled), []
        for seen in follow(frames, detector):
            done += 1
            if seen.reading is not None:
                scores.append(seen.reading.score)
            progress("calibrate", done, total, job.name)
        if scores:
            found[job.name] = np.array(scores)
    if not found:
        raise DataError(
            f"{source.folder}: none of {total} healthy frames can be scored; look at one with `layerwatch read`, and "
            f"at its plan with `layerwatch register`"
        )
    return tuple(found), tuple(found.values())


def _draw(wish: ScoreWish, maps: Path, seen: SeenLayer, row: Row, job: FrameJob) -> None:
    if seen.image is None or seen.reading is None or seen.reading.heat is None:
        return
    from layerwatch.evaluation.heat_figures import heat_figure  # only where wanted: matplotlib takes its time

    word = "NOK by its" if row.p_value < wish.alpha else "OK by its"
    title = f"{row.job} / {row.file}: score {row.score:.2f}, {word} p {row.p_value:.2g}\n{row.statistic}"
    name = Path(row.file)
    alike = sum(Path(file.name).with_suffix("") == name.with_suffix("") for file in job.files)
    path = maps / row.job / (f"{row.file}.png" if alike > 1 else name.with_suffix(".png"))
    image, unit = seen.image, "mm" if wish.is_scaled else "px"
    write_file(path, heat_figure(image.pixels, image.plan, seen.reading.heat, title, image.mm_per_px, unit))
