"""Defects of known amounts, found or missed -> probability of detection against the amount.

The curve is logistic in the logarithm of the amount (Berens 1989, the log-odds model of MIL-HDBK-1823A); intervals
take whole jobs with replacement.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64
from sklearn.linear_model import LogisticRegression

from layerwatch.evaluation.metrics import Estimate, around
from layerwatch.records import DataError

_DRAWS = 300
_FEWEST = 5  # jobs that tell an interval
_LOOSE = 100.0  # weight of the trials against the prior that keeps a perfect step finite


@dataclass(frozen=True)
class Trial:
    """One defect laid into one healthy job."""

    job: str
    amount: float  # above 0
    delay: float  # layers from its onset to the alarm, the first counted in; infinite: missed

    @property
    def is_found(self) -> bool:
        """An alarm was raised in time."""
        return bool(np.isfinite(self.delay))


@dataclass(frozen=True)
class Curve:
    """P(a) = 1 / (1 + exp(-(ln a - middle) / width))."""

    middle: float  # of ln a
    width: float

    def __call__(self, amounts: Float64[np.ndarray, " n"]) -> Float64[np.ndarray, " n"]:
        """Probability of detection."""
        return np.asarray(1 / (1 + np.exp(-(np.log(amounts) - self.middle) / self.width)))

    def amount_at(self, share: float) -> float:
        """The amount that is found in that share of jobs."""
        return float(np.exp(self.middle + self.width * np.log(share / (1 - share))))


@dataclass(frozen=True)
class Detection:
    """What the trials of one kind of defect say."""

    curve: Curve | None  # None: all were found, or none
    half: Estimate  # amount found in half of the jobs; infinite: beyond the largest one tried, its lower end
    ninety: Estimate  # in nine of ten; of fewer than five jobs the ends are nan
    delay: float  # median, of those found at the largest amount; infinite where none was


def detection_of(trials: Sequence[Trial], seed: int = 0) -> Detection:
    """Fit the curve.

    Args:
        trials: of one kind, several amounts and jobs.
        seed: of the bootstrap.

    Raises:
        DataError: no trial, or an amount that is not above 0.
    """
    if not trials or min(trial.amount for trial in trials) <= 0:
        raise DataError(f"{len(trials)} trials; at least one, of an amount above 0, is needed")
    smallest, largest = (pick(trial.amount for trial in trials) for pick in (min, max))
    delay = float(np.median([trial.delay for trial in trials if trial.amount == largest]))
    curve = _fitted(trials)
    if curve is None:
        bound = Estimate(smallest, 0.0, smallest) if trials[0].is_found else Estimate(np.inf, largest, np.inf)
        return Detection(None, bound, bound, delay)
    by_job: dict[str, list[Trial]] = {}
    for trial in trials:
        by_job.setdefault(trial.job, []).append(trial)
    jobs, rng = list(by_job.values()), np.random.default_rng(seed)
    drawn = []
    for _ in range(_DRAWS if len(jobs) >= _FEWEST else 0):
        some = [trial for k in rng.integers(len(jobs), size=len(jobs)) for trial in jobs[k]]
        own, end = _fitted(some), 0.0 if some[0].is_found else np.inf
        drawn.append((end, end) if own is None else (own.amount_at(0.5), own.amount_at(0.9)))
    half, ninety = (
        around(value, one, 0.95) if len(one) else Estimate(value, np.nan, np.nan)
        for value, one in zip(
            (curve.amount_at(0.5), curve.amount_at(0.9)), np.array(drawn).reshape(-1, 2).T, strict=True
        )
    )
    at_largest = float(np.mean([trial.is_found for trial in trials if trial.amount == largest]))
    half, ninety = (_within(told, largest, at_largest, share) for told, share in ((half, 0.5), (ninety, 0.9)))
    return Detection(curve, half, ninety, delay)


def _within(estimate: Estimate, largest: float, found: float, wanted: float) -> Estimate:
    """Beyond the largest amount that was tried, a curve tells nothing; the trials there do."""
    if estimate.value <= largest:
        return estimate
    return Estimate(largest, estimate.low, estimate.high) if found >= wanted else Estimate(np.inf, largest, np.inf)


def _fitted(trials: Sequence[Trial]) -> Curve | None:
    found: Bool[np.ndarray, " n"] = np.array([trial.is_found for trial in trials])
    if found.all() or not found.any():
        return None
    logs = np.log([trial.amount for trial in trials])
    centre, spread = float(logs.mean()), max(float(logs.std()), 1e-9)
    model = LogisticRegression(C=_LOOSE).fit(((logs - centre) / spread)[:, None], found)
    slope, offset = float(model.coef_[0, 0]), float(model.intercept_[0])
    slope = max(slope, 1e-3)  # more is never found less
    return Curve(centre - offset * spread / slope, spread / slope)
