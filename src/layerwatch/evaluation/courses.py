"""Scores of whole jobs, layer by layer -> AUROC by defect, hits and delays at a line, jobs with a false alarm.

Several seeds each have a detector, a line and jobs of their own. Scores are compared within a seed only, and figures
are means over seeds; intervals take whole jobs with replacement, within each seed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64

from layerwatch.evaluation.metrics import Estimate, around, clopper_pearson, draw_jobs
from layerwatch.records import DataError
from layerwatch.verdict.threshold import fit_threshold

_DRAWS = 2000
_FEW = 5  # layers in a row


@dataclass(frozen=True, eq=False)
class Course:
    """The scores of one job in the order of its layers."""

    job: str
    seed: int
    scores: Float64[np.ndarray, " n"]
    defective: Bool[np.ndarray, " n"]  # a defect is printed in the layer
    severity: float = 0.0  # reached, d' / 10

    @property
    def onset(self) -> int:
        """Number of the first defective layer within the job; the number of layers where there is none."""
        return int(self.defective.argmax()) if self.defective.any() else len(self.defective)


@dataclass(frozen=True)
class Line:
    """The score above which a job is alarmed."""

    value: float
    promise: float  # share of healthy jobs that may raise any alarm


@dataclass(frozen=True, eq=False)
class Separation:
    """How well healthy and defective layers are told apart, with what the bootstrap drew of it."""

    value: float
    drawn: Float64[np.ndarray, " d"]

    @property
    def estimate(self) -> Estimate:
        """With its 95 % interval."""
        return around(self.value, self.drawn, 0.95)


def line_of(healthy: Sequence[Course], promise: float = 0.05) -> Line:
    """The split conformal line of healthy jobs' maxima; where they are too few, the promise that they support.

    Raises:
        DataError: no job.
    """
    if not healthy:
        raise DataError("no healthy job to set the line by; give one at least")
    promise = max(promise, 1 / (len(healthy) + 1))
    return Line(fit_threshold(np.array([course.scores.max() for course in healthy]), promise).value, promise)


def separation(
    healthy: Sequence[Course], defective: Sequence[Course], ages: range, *, which: int | None = None
) -> Separation:
    """Area under the ROC of single layers, and its bootstrap over jobs.

    Args:
        healthy: jobs without a defect.
        defective: jobs with one.
        ages: numbers of the healthy jobs' layers that take part.
        which: of the defective layers in a row takes part, from 0; None: all of them.

    Raises:
        DataError: a seed without healthy or without defective layers.
    """
    values, drawn = list[float](), list[np.ndarray]()
    for seed in sorted({course.seed for course in defective}):
        sound = [course.scores[ages.start : ages.stop] for course in healthy if course.seed == seed]
        bad = [_of(course, which) for course in defective if course.seed == seed]
        sound, bad = [own for own in sound if len(own)], [own for own in bad if len(own)]
        if not sound or not bad:
            raise DataError(f"seed {seed}: {len(sound)} healthy and {len(bad)} defective jobs; each needs one at least")
        wins = np.array([[_wins(own, other) for other in bad] for own in sound])
        n, m = np.array([len(own) for own in sound]), np.array([len(own) for own in bad])
        rng = np.random.default_rng(seed)
        a, b = draw_jobs(len(n), _DRAWS, rng), draw_jobs(len(m), _DRAWS, rng)
        values.append(float(wins.sum() / (n.sum() * m.sum())))
        drawn.append(np.einsum("di,ij,dj->d", a, wins, b, optimize=True) / ((a @ n) * (b @ m)))
    if not values:
        raise DataError("no defective job; give one at least")
    return Separation(float(np.mean(values)), np.mean(drawn, axis=0))


def mean_of(several: Sequence[Separation]) -> Separation:
    """The mean over defects."""
    return Separation(float(np.mean([one.value for one in several])), np.mean([one.drawn for one in several], axis=0))


def worst_of(several: Sequence[Separation]) -> Separation:
    """The defect that is told least, with its own interval."""
    return min(several, key=lambda one: one.value)


def hits(courses: Sequence[Course], lines: Mapping[int, Line], within: int | None = _FEW) -> Estimate:
    """Share of defective jobs with an alarm among so many first defective layers (None: all of them), and its interval.

    Raises:
        DataError: no job.
    """
    found = [bool(_alarms(course, lines)[:within].any()) for course in courses]
    return _share(found)


def false_alarm_jobs(healthy: Sequence[Course], lines: Mapping[int, Line]) -> Estimate:
    """Share of healthy jobs that raise any alarm, from 0 up to the one-sided 95 % bound.

    Raises:
        DataError: no job.
    """
    found = [bool(course.scores.max() > lines[course.seed].value) for course in healthy]
    two_sided = _share(found, confidence=0.9)
    return Estimate(two_sided.value, 0.0, two_sided.high)


def delay(courses: Sequence[Course], lines: Mapping[int, Line], quantile: float) -> Estimate:
    """Defective layers until the alarm, the first one counted in; infinite where it never comes.

    Raises:
        DataError: no job.
    """
    if not courses:
        raise DataError("no defective job; give one at least")
    alarms = [_alarms(course, lines) for course in courses]
    waited = np.array([1.0 + own.argmax() if own.any() else np.inf for own in alarms])
    chosen = np.random.default_rng(0).integers(0, len(waited), (_DRAWS, len(waited)))
    drawn = np.quantile(waited[chosen], quantile, axis=1, method="inverted_cdf")
    low, high = np.quantile(drawn, (0.025, 0.975), method="inverted_cdf")
    value = float(np.quantile(waited, quantile, method="inverted_cdf"))
    return Estimate(value, min(float(low), value), max(float(high), value))


def _of(course: Course, which: int | None) -> Float64[np.ndarray, " k"]:
    own = course.scores[course.defective]
    return np.asarray(own if which is None else own[which : which + 1])


def _alarms(course: Course, lines: Mapping[int, Line]) -> Bool[np.ndarray, " k"]:
    return np.asarray(course.scores[course.defective] > lines[course.seed].value)


def _share(found: Sequence[bool], confidence: float = 0.95) -> Estimate:
    if not found:
        raise DataError("no job to take a share of; give one at least")
    return clopper_pearson(sum(found), len(found), confidence=confidence)


def _wins(healthy: Float64[np.ndarray, " n"], defective: Float64[np.ndarray, " m"]) -> float:
    """Pairs in which the defective layer scores higher, ties counted half."""
    return float((np.sign(defective[:, None] - healthy).sum() + healthy.size * defective.size) / 2)
