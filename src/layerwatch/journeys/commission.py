"""Healthy frames of the user's own, with plans -> what the detector finds there and can promise, and a model."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from layerwatch.detectors.plan_aware import PlanAware
from layerwatch.evaluation.pod import detection_of
from layerwatch.images.writing import check_result, write_file
from layerwatch.journeys.commissioning.history import History, histories_of, noise_of
from layerwatch.journeys.commissioning.injections import kinds
from layerwatch.journeys.commissioning.report import report
from layerwatch.journeys.commissioning.results import Commissioned, tables_of
from layerwatch.journeys.commissioning.trials import (
    ENOUGH,
    Followed,
    false_alarms,
    fitted,
    followed_jobs,
    line_for,
    trials_of,
)
from layerwatch.journeys.score_frames import ScoreSource
from layerwatch.journeys.sources import Healthy
from layerwatch.journeys.train import Training, check_target, store
from layerwatch.records import DataError, Progress, UsageError, silent

MODEL = "model"
_START = {"level": 1.0, "px": 0.25}  # first amounts: standard deviations of a pixel; px
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
    line = line_for(found, wish.false_alarms)
    tried, noise = [one for one in found if one.onset], noise_of(histories)
    chosen = kinds(wish.head)
    told = {}
    for number, kind in enumerate(chosen if tried else ()):
        start = _START[kind.unit] * (noise if kind.unit == "level" else 1.0)
        trials = trials_of(kind, tried, line, start, wish.seed + 1000 * number, progress)
        told[kind.name] = (trials, detection_of(trials, wish.seed))
    scale, unit = _unit(histories)
    done = Commissioned(
        tuple(found),
        line,
        wish.false_alarms,
        false_alarms(found, wish.false_alarms),
        told,
        chosen,
        scale,
        unit,
        wish.frames.mm_per_px if wish.is_scaled else None,
        _notes(read, found, line.promise, wish.false_alarms),
    )
    for name, data in {**tables_of(done), "report.html": report(done)}.items():
        write_file(out / name, data)
    _store(wish, detector, found, out / MODEL)
    return done


def _unit(histories: list[History]) -> tuple[float, str]:
    """What the whole grey range is worth, and in what."""
    image = histories[0].images[0]
    if image.span is not None:
        return image.span[1] - image.span[0], "K"
    return (float(2**image.bits - 1), "levels") if image.bits is not None else (1.0, "grey")


def _notes(read: tuple[History, ...], found: list[Followed], promise: float, wanted: float) -> tuple[str, ...]:
    """What a person must know."""
    notes = [f"{history.job}: {history.note}" for history in read if history.note]
    refused = sum(len(history.refused) for history in read)
    if refused:
        notes.append(f"{refused} frames were not used; the report says why")
    if promise > wanted + 1e-9:
        needed = round(1 / wanted) - 1
        notes.append(
            f"{len(found)} jobs promise at most {promise:.0%} false-alarm jobs; {needed} are needed for {wanted:.0%}"
        )
    if len(found) == 1 or sum(len(one.readings) for one in found) < ENOUGH:
        what = "one job alone" if len(found) == 1 else f"fewer than {ENOUGH} layers"
        notes.append(f"{what}: the detector keeps its built-in scale, and little tells how jobs differ")
    short = sum(len(one.readings) < _FEW_LAYERS for one in found)
    if short:
        notes.append(f"{short} jobs have fewer than {_FEW_LAYERS} layers: too short for defects, or for a past")
    return tuple(notes)


def _store(wish: CommissionWish, detector: PlanAware, found: list[Followed], out: Path) -> None:
    """A model for `layerwatch inspect`: fitted to all jobs, its scores told by detectors that left out the job."""
    images = tuple(image for one in found for image in one.history.images)
    readings = [reading for one in found for reading in one.readings]
    model = fitted(detector, images if len(found) > 1 else (), wish.seed)
    size = wish.frames.mm_per_px if wish.is_scaled else None
    training = Training.named("plan_aware", "quick", wish.seed, changes=(f"head={wish.head}",))
    store(model, training, Healthy(images, images, size), readings, out, data=f"commissioned on {len(found)} jobs")
