"""Healthy jobs -> scores by detectors that have not learnt from them, the line of alarm, and defects found in them.

Jobs are parted in folds; each is followed by a detector fitted to the others. A defect is laid into the layers from its
onset on, where the followed job is taken up as it stood.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage

from layerwatch.detectors.base import Detector, RunningJob
from layerwatch.detectors.plan_aware import PlanAware
from layerwatch.evaluation.courses import Course, Line, line_of
from layerwatch.evaluation.pod import Trial
from layerwatch.journeys.commissioning.history import History
from layerwatch.journeys.commissioning.injections import Kind, spoiled
from layerwatch.records import LayerImage, Progress, Reading

ENOUGH = 24  # layers, to learn from
_FOLDS = 5
_ONSET, _AT_LEAST = 12, 3  # layer of a job's defect, if it is long enough; and the earliest one
_WITHIN = 5  # layers, in which a defect must be found
_MOST_AMOUNTS = 9
_FACTOR = 2.0  # from one amount to the next
_FEW, _MANY = 0.05, 0.95  # shares found, between which a curve has its flank


@dataclass(frozen=True, eq=False)
class Followed:
    """One healthy job, as a detector saw it that had not learnt from it."""

    history: History
    readings: tuple[Reading, ...]
    onset: int  # number within the job; 0: too short for defects
    before: RunningJob | None  # as it stood at the onset

    @property
    def scores(self) -> np.ndarray:
        """One a layer."""
        return np.array([reading.score for reading in self.readings])

    @property
    def course(self) -> Course:
        """For the line of alarm."""
        return Course(self.history.job, 0, self.scores, np.zeros(len(self.readings), bool))


def followed_jobs(
    histories: Sequence[History], detector: PlanAware, tried: int, seed: int, progress: Progress
) -> Iterator[Followed]:
    """Every job, by a detector of the other folds.

    Args:
        histories: healthy jobs with at least one layer each.
        detector: unfitted.
        tried: jobs into which defects will be laid.
        seed: of the fits.
        progress: told after each job.
    """
    folds, learns = min(_FOLDS, len(histories)), is_enough(histories)
    chosen = set(np.linspace(0, len(histories) - 1, min(tried, len(histories))).round().astype(int).tolist())
    done = 0
    for fold in range(folds):
        learnt = [image for k, h in enumerate(histories) for image in h.images if k % folds != fold]
        own = fitted(detector, learnt, seed) if learns else detector
        for number in range(fold, len(histories), folds):
            yield _follow(histories[number], own, keep=number in chosen)
            done += 1
            progress("follow healthy jobs", done, len(histories), histories[number].job)


def is_enough(histories: Sequence[History]) -> bool:
    """Whether each fold leaves enough layers to learn from; else all keep the built-in scale."""
    folds, counts = min(_FOLDS, len(histories)), [len(history.images) for history in histories]
    return folds > 1 and all(sum(counts) - sum(counts[fold::folds]) >= ENOUGH for fold in range(folds))


def fitted(detector: PlanAware, images: Sequence[LayerImage], seed: int) -> Detector:
    """A copy that has learnt from these layers, holes filled by what lies beside them."""
    return copy.deepcopy(detector).fit([_whole(image) for image in images], seed=seed)


def _whole(image: LayerImage) -> LayerImage:
    holes = ~np.isfinite(image.pixels)
    if not holes.any():
        return image
    nearest = ndimage.distance_transform_edt(holes, return_distances=False, return_indices=True)
    return replace(image, pixels=image.pixels[tuple(nearest)])


def _follow(history: History, detector: Detector, *, keep: bool) -> Followed:
    n = len(history.images)
    onset = min(_ONSET, n // 2)
    onset = onset if keep and _AT_LEAST <= onset <= n - _WITHIN else 0
    running, readings, before = detector.begin(history.job), list[Reading](), None
    for number, image in enumerate(history.images):
        if onset and number == onset:
            before = copy.deepcopy(running)
        readings.append(running.update(image))
    return Followed(history, tuple(readings), onset, before)


def line_for(followed: Sequence[Followed], share: float) -> Line:
    """The line that promises that at most that share of healthy jobs raises any alarm, or what so few can promise."""
    return line_of([one.course for one in followed], share)


def lines_for(followed: Sequence[Followed], share: float) -> dict[str, Line]:
    """By job the line of the others, so that no job is judged by what it sets itself; of one alone its own."""
    return {
        one.history.job: line_for([other for other in followed if other is not one] or followed, share)
        for one in followed
    }


def trials_of(
    kind: Kind, followed: Sequence[Followed], lines: Mapping[str, Line], start: float, seed: int, progress: Progress
) -> tuple[Trial, ...]:
    """Lay one kind of defect into jobs, weaker and stronger by factors until almost none or almost all are found.

    Args:
        kind: of defect.
        followed: jobs that kept their state at the onset.
        lines: of alarm, by job.
        start: the first amount, share of the grey range or px.
        seed: of places and signs.
        progress: told after each amount.
    """
    found: dict[int, list[Trial]] = {}
    while len(found) < _MOST_AMOUNTS:
        most = int(np.floor(np.log(kind.most / start) / np.log(_FACTOR) + 1e-9))
        wanted = _next({step: float(np.mean([t.is_found for t in own])) for step, own in found.items()}, most)
        if wanted is None:
            break
        amount = start * _FACTOR**wanted
        found[wanted] = [
            Trial(one.history.job, amount, _delay(one, kind, amount, lines[one.history.job], (seed, number)))
            for number, one in enumerate(followed)
        ]
        progress(f"lay in: {kind.name}", len(found), _MOST_AMOUNTS)
    progress(f"lay in: {kind.name}", _MOST_AMOUNTS, _MOST_AMOUNTS)
    return tuple(trial for step in sorted(found) for trial in found[step])


def _next(shares: dict[int, float], most: int) -> int | None:
    """The next step of the amount; None: the flank is seen from both sides."""
    if not shares:
        return min(0, most)
    low, high = min(shares), max(shares)
    if shares[high] < _MANY and high < most:
        return high + 1
    return low - 1 if shares[low] > _FEW else None


def _delay(one: Followed, kind: Kind, amount: float, line: Line, seed: tuple[int, ...]) -> float:
    if one.before is None:
        raise ValueError(f"{one.history.job} kept no state at an onset")
    running = copy.deepcopy(one.before)
    images: Sequence[LayerImage] = one.history.images[one.onset : one.onset + _WITHIN]
    for number, (image, healthy) in enumerate(zip(images, one.scores[one.onset :], strict=False)):
        score = running.update(spoiled(image, images[0], kind, amount, seed)).score
        if score > line.value > healthy:  # a layer that is loud anyhow tells nothing
            return number + 1.0
    return float("inf")
