"""Scores and what is true -> AUROC, rates and accuracy, each with an interval that goes by job, not by layer.

Layers of one job are alike, so intervals are drawn by taking whole jobs with replacement (Field and Welsh 2007).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float64, Int64
from scipy import stats

from layerwatch.records import DataError


@dataclass(frozen=True)
class Estimate:
    """A figure with the ends of its interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


def auroc(
    healthy: Float[np.ndarray, " n"],
    defective: Float[np.ndarray, " m"],
    healthy_jobs: Sequence[str],
    defective_jobs: Sequence[str],
    *,
    confidence: float = 0.95,
    draws: int = 2000,
    seed: int = 0,
) -> Estimate:
    """Area under the ROC: how often a defective layer scores above a healthy one, ties counted half.

    Args:
        healthy: scores of healthy layers.
        defective: scores of defective layers.
        healthy_jobs: job of each healthy layer.
        defective_jobs: job of each defective layer.
        confidence: of the interval, by the percentiles of the bootstrap.
        draws: of the bootstrap over jobs, healthy and defective ones each among themselves.
        seed: of the draws.

    Raises:
        DataError: no healthy or no defective layer, or scores that are no numbers.
    """
    if len(healthy) == 0 or len(defective) == 0:
        raise DataError(
            f"{len(healthy)} healthy and {len(defective)} defective layers: an AUROC needs both; "
            "give a set with healthy and defective layers"
        )
    if not (np.isfinite(healthy).all() and np.isfinite(defective).all()):
        raise DataError("some scores are NaN or infinite; read the layers again")
    row, column = numbers(healthy_jobs), numbers(defective_jobs)
    wins = _wins_by_job(healthy, defective, row, column)
    n, m = np.bincount(row), np.bincount(column)
    value = float(wins.sum() / (n.sum() * m.sum()))
    rng = np.random.default_rng(seed)
    a, b = draw_jobs(len(n), draws, rng), draw_jobs(len(m), draws, rng)
    drawn = np.einsum("di,ij,dj->d", a, wins, b, optimize=True) / ((a @ n) * (b @ m))
    return around(value, drawn, confidence)


def auroc_difference(
    healthy: Float[np.ndarray, " n"],
    defective: Float[np.ndarray, " m"],
    other_healthy: Float[np.ndarray, " n"],
    other_defective: Float[np.ndarray, " m"],
    healthy_jobs: Sequence[str],
    defective_jobs: Sequence[str],
    *,
    confidence: float = 0.95,
    draws: int = 2000,
    seed: int = 0,
) -> Estimate:
    """AUROC of one score less that of another one, of the same layers.

    Both are drawn with the same jobs, so that what makes the test easy or hard does not count.

    Args:
        healthy: one score of healthy layers.
        defective: the same score of defective layers.
        other_healthy: the other score of the same healthy layers.
        other_defective: the other score of the same defective layers.
        healthy_jobs: job of each healthy layer.
        defective_jobs: job of each defective layer.
        confidence: of the interval, by the percentiles of the bootstrap.
        draws: of the bootstrap over jobs.
        seed: of the draws.
    """
    row, column = numbers(healthy_jobs), numbers(defective_jobs)
    gain = _wins_by_job(healthy, defective, row, column) - _wins_by_job(other_healthy, other_defective, row, column)
    n, m = np.bincount(row), np.bincount(column)
    rng = np.random.default_rng(seed)
    a, b = draw_jobs(len(n), draws, rng), draw_jobs(len(m), draws, rng)
    drawn = np.einsum("di,ij,dj->d", a, gain, b, optimize=True) / ((a @ n) * (b @ m))
    return around(float(gain.sum() / (n.sum() * m.sum())), drawn, confidence)


def exceedance(
    scores: Float[np.ndarray, " n"],
    threshold: float,
    jobs: Sequence[str],
    *,
    confidence: float = 0.95,
    draws: int = 2000,
    seed: int = 0,
) -> Estimate:
    """Share of layers with a score above the threshold: of healthy layers the false-alarm rate, else the hit rate.

    Where no job or every job is above, the bootstrap sees no spread; the interval is then Clopper and Pearson's over
    jobs, which is the honest count of independent trials.

    Raises:
        DataError: no layer.
    """
    if len(scores) == 0:
        raise DataError("no layer to take a rate of")
    number = numbers(jobs)
    above, n = np.bincount(number, scores > threshold), np.bincount(number)
    value = float(above.sum() / n.sum())
    if value in {0.0, 1.0}:
        return clopper_pearson(len(n) if value else 0, len(n), confidence=confidence)
    chosen = draw_jobs(len(n), draws, np.random.default_rng(seed))
    return around(value, (chosen @ above) / (chosen @ n), confidence)


def clopper_pearson(hits: int, trials: int, *, confidence: float = 0.95) -> Estimate:
    """A share of independent trials with its exact interval (Clopper and Pearson 1934)."""
    tail = (1 - confidence) / 2
    low = float(stats.beta.ppf(tail, hits, trials - hits + 1)) if hits else 0.0
    high = float(stats.beta.ppf(1 - tail, hits + 1, trials - hits)) if hits < trials else 1.0
    return Estimate(hits / trials, low, high)


def accuracy(nok: Bool[np.ndarray, " n"], defective: Bool[np.ndarray, " n"], *, best_mapping: bool = False) -> float:
    """Share of layers on their right side; with the best mapping, the sides may be exchanged afterwards.

    The best mapping needs the labels, so it flatters; it is never below one half.
    """
    right = float((nok == defective).mean())
    return max(right, 1 - right) if best_mapping else right


def roc_points(
    healthy: Float[np.ndarray, " n"], defective: Float[np.ndarray, " m"]
) -> tuple[Float64[np.ndarray, " k"], Float64[np.ndarray, " k"]]:
    """False-alarm rate and hit rate at every threshold, both rising from 0 to 1."""
    from sklearn.metrics import roc_curve

    truth = np.r_[np.zeros(len(healthy)), np.ones(len(defective))]
    false, hits, _ = roc_curve(truth, np.r_[healthy, defective])
    return np.asarray(false, np.float64), np.asarray(hits, np.float64)


def numbers(jobs: Sequence[str]) -> Int64[np.ndarray, " n"]:
    """For each layer the number of its job among all."""
    return np.asarray(np.unique(np.asarray(jobs), return_inverse=True)[1], np.int64)


def _wins_by_job(
    healthy: Float[np.ndarray, " n"],
    defective: Float[np.ndarray, " m"],
    row: Int64[np.ndarray, " n"],
    column: Int64[np.ndarray, " m"],
) -> Float64[np.ndarray, "a b"]:
    """Sum over pairs of layers, by pair of jobs: 1 where the defective one scores higher, 1/2 for a tie."""
    order = np.argsort(defective, kind="stable")
    ranked = defective[order]
    wins = np.zeros((row.max() + 1, column.max() + 1))
    for job in range(wins.shape[0]):
        mine = np.sort(healthy[row == job])
        below = (np.searchsorted(mine, ranked, "left") + np.searchsorted(mine, ranked, "right")) / 2
        wins[job] = np.bincount(column[order], below, minlength=wins.shape[1])
    return wins


def draw_jobs(jobs: int, draws: int, rng: np.random.Generator) -> Float64[np.ndarray, "d j"]:
    """How often each job is taken in each draw."""
    return rng.multinomial(jobs, np.full(jobs, 1 / jobs), size=draws).astype(np.float64)


def around(value: float, drawn: Float64[np.ndarray, " d"], confidence: float) -> Estimate:
    """A figure with the percentiles of its bootstrap."""
    low, high = np.quantile(drawn, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Estimate(value, min(float(low), value), max(float(high), value))
