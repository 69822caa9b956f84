"""Healthy frames of the user's own, with plans -> what the detector finds there and can promise, and a model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from layerwatch.detectors.base import Detector
from layerwatch.detectors.plan_aware import PlanAware
from layerwatch.evaluation.courses import Line
from layerwatch.evaluation.pod import detection_of
from layerwatch.images.writing import check_result, write_file
from layerwatch.journeys.commissioning.history import History, histories_of, noise_of
from layerwatch.journeys.commissioning.injections import kinds
from layerwatch.journeys.commissioning.report import report
from layerwatch.journeys.commissioning.results import Commissioned, tables_of
from layerwatch.journeys.commissioning.smallest import smallest_of
from layerwatch.journeys.commissioning.steps import stepped
from layerwatch.journeys.commissioning.trials import (
    ENOUGH,
    Followed,
    fitted,
    followed_jobs,
    is_enough,
    line_for,
    lines_for,
    trials_of,
)
from layerwatch.journeys.score_frames import ScoreSource
from layerwatch.journeys.sources import Healthy
from layerwatch.journeys.train import Training, check_target, store
from layerwatch.records import DataError, Progress, UsageError, counted, silent

MODEL = "model"
_START = {"level": 1.0, "px": 0.25}  # first amounts: standard deviations of a pixel; px
_LOUD = 3.0  # a line that one strange job has set
_FEW_LAYERS = 10  # of a job, that show a defect's past


@dataclass(frozen=True)
class CommissionWish:
    """What is to be commissioned, and how."""

    frames: ScoreSource
    head: Literal["x", "y"] = "y"  # image axis along which the print head travels
    false_alarms: float = 0.05  # share of healthy jobs that may raise any alarm
    trials: int = 12  # jobs at most, into which each defect is laid
    seed: int = 0
    is_scaled: bool = True  # the size of a pixel is known

    def check(self, out: Path) -> None:
        """Refuse what cannot be done, before any work.

        Raises:
            UsageError: it cannot.
        """
        if self.frames.plans is None:
            raise UsageError("without plans nothing can be commissioned; give the nominal masks with --plans")
        if not 0 < self.false_alarms < 1:
            raise UsageError(f"--false-alarms {self.false_alarms:g}; give a share of healthy jobs, such as 0.05")
        if self.trials < 1:
            raise UsageError(f"--trials {self.trials}; give one job at least")
        self.frames.check()
        check_result(out / "report.html", [self.frames.folder, self.frames.plans])
        check_target(out / MODEL, overwrite=True)


def commission(wish: CommissionWish, out: Path, *, progress: Progress = silent) -> Commissioned:
    """Follow healthy jobs, lay defects into them, write report, tables and model.

    Args:
        wish: frames, plans and amounts.
        out: the folder.
        progress: told all along.

    Raises:
        UsageError: a folder, an option or the place to write is off.
        DataError: no layer that can be used.
    """
    wish.check(out)
    read = histories_of(wish.frames, progress, is_scaled=wish.is_scaled)
    histories = [history for history in read if history.images]
    sizes = sorted({"{1} x {0}".format(*history.images[0].pixels.shape) for history in histories})
    if len(sizes) > 1:
        raise DataError(f"jobs of {' and '.join(sizes)} pixels; commission each size on its own, it has its own model")
    detector = PlanAware(head=wish.head)
    found = sorted(
        followed_jobs(histories, detector, wish.trials, wish.seed, progress),
        key=lambda one: histories.index(one.history),
    )
    line, lines = line_for(found, wish.false_alarms), lines_for(found, wish.false_alarms)
    tried, noise = [one for one in found if one.onset], noise_of(histories)
    chosen = kinds(wish.head)
    told = {}
    for number, kind in enumerate(chosen if tried else ()):
        start = _START[kind.unit] * (noise if kind.unit == "level" else 1.0)
        trials = trials_of(kind, tried, lines, start, wish.seed + 1000 * number, progress)
        told[kind.name] = (trials, stepped(detection_of(trials, wish.seed), trials))
    scale, unit, zero = _unit(histories)
    done = Commissioned(
        tuple(found),
        line,
        wish.false_alarms,
        _rate_of(line, found),
        told,
        chosen,
        scale,
        unit,
        zero,
        tuple((history.job, *one) for history in read for one in history.refused),
        wish.frames.mm_per_px if wish.is_scaled else None,
        notes_of(read, found, line, wish),
    )
    images = tuple(image for one in found for image in one.history.images)
    model = fitted(detector, images, wish.seed) if is_enough(histories) else detector
    files = {**tables_of(done), "report.html": report(done), **smallest_of(done, MODEL)}
    _store(wish, model, found, out / MODEL)
    for name, data in files.items():
        write_file(out / name, data)
    return done


def _unit(histories: list[History]) -> tuple[float, str, float]:
    """What the whole grey range is worth, in what, and what grey 0 is."""
    image, depths = histories[0].images[0], {one.bits for history in histories for one in history.images}
    if image.span is not None:
        return image.span[1] - image.span[0], "K", image.span[0]
    if len(depths) == 1 and image.bits is not None:
        return float(2**image.bits - 1), "levels", 0.0
    return 1.0, "of the grey range", 0.0


def _rate_of(line: Line, found: list[Followed]) -> float:
    """The rate per layer at which `layerwatch inspect` sets the same line from the model's calibration."""
    scores = np.sort(np.concatenate([one.scores for one in found]))
    place = int(np.searchsorted(scores, line.value, side="left")) + 1
    return float(np.nextafter((len(scores) + 1 - place) / (len(scores) + 1), 1))


def notes_of(read: Sequence[History], found: Sequence[Followed], line: Line, wish: CommissionWish) -> tuple[str, ...]:
    """What a person must know."""
    notes = [f"{history.job}: {history.note}" for history in read if history.note]
    notes += [f"{history.job}: none of its frames can be used" for history in read if not history.images]
    refused = sum(len(history.refused) for history in read)
    if refused:
        notes.append(f"frames that were not used: {refused}; the report says why")
    if line.promise > wish.false_alarms + 1e-9:
        needed = round(1 / wish.false_alarms) - 1
        notes.append(
            f"jobs: {len(found)}, so at most {line.promise:.0%} false-alarm jobs can be promised; {needed} are needed "
            f"for {wish.false_alarms:.0%}"
        )
    if not is_enough([one.history for one in found]):
        notes.append(
            f"a single job, or fewer than {ENOUGH} layers in the others: the detector keeps its built-in scale"
        )
    if line.value > _LOUD:
        loudest = max(found, key=lambda one: one.scores.max())
        notes.append(
            f"the line is at {line.value:.3g}, where 99 of 100 healthy layers stay below 1; the loudest job is "
            f"{loudest.history.job}: look at it in the report, and leave it out if it is not healthy"
        )
    short = [one.history.job for one in found if len(one.readings) < _FEW_LAYERS]
    if short:
        notes.append(f"too short for defects, fewer than {_FEW_LAYERS} layers: {', '.join(short)}")
    return tuple(notes)


def _store(wish: CommissionWish, model: Detector, found: list[Followed], out: Path) -> None:
    """A model for `layerwatch inspect`: fitted to all jobs, its scores told by detectors that left out the job."""
    images = tuple(image for one in found for image in one.history.images)
    readings = [reading for one in found for reading in one.readings]
    size = wish.frames.mm_per_px if wish.is_scaled else None
    training = Training.named("plan_aware", "quick", wish.seed, changes=(f"head={wish.head}",))
    told, maxima = f"commissioned on {counted(len(found), 'job')}", [float(one.scores.max()) for one in found]
    store(model, training, Healthy(images, images, size), readings, out, data=told, maxima=maxima)
