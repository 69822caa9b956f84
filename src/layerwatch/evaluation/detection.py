"""Scores of healthy and defective layers -> average precision and hits at low false-alarm rates, intervals by job."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float64
from sklearn.metrics import average_precision_score

from layerwatch.evaluation.metrics import Estimate, around, auroc, draw_jobs, numbers

RATES = (0.01, 0.001)  # of false alarms


@dataclass(frozen=True)
class Detection:
    """How well one score finds the layers of one kind of defect."""

    auroc: Estimate
    average_precision: Estimate
    hits: dict[float, Estimate]  # share of defective layers found, by the share of healthy ones falsely alarmed


def detection(
    healthy: Float[np.ndarray, " n"],
    defective: Float[np.ndarray, " m"],
    healthy_jobs: Sequence[str],
    defective_jobs: Sequence[str],
    *,
    rates: Sequence[float] = RATES,
    draws: int = 1000,
    confidence: float = 0.95,
    seed: int = 0,
) -> Detection:
    """AUROC, average precision, and the true-positive rate at given false-positive rates.

    Args:
        healthy: scores of healthy layers.
        defective: scores of defective layers.
        healthy_jobs: job of each healthy layer.
        defective_jobs: job of each defective layer.
        rates: false-positive rates; a rate below one in n is that of no false alarm at all.
        draws: of the bootstrap over jobs.
        confidence: of the intervals.
        seed: of the draws.

    Raises:
        DataError: as in ``auroc``.
    """
    area = auroc(healthy, defective, healthy_jobs, defective_jobs, confidence=confidence, draws=draws, seed=seed)
    truth = np.r_[np.zeros(len(healthy), bool), np.ones(len(defective), bool)]
    scores, rng = np.r_[healthy, defective].astype(np.float64), np.random.default_rng(seed)
    weights = np.hstack([_layer_weights(jobs, draws, rng) for jobs in (healthy_jobs, defective_jobs)])
    plain = np.ones((1, len(truth)))
    value = float(average_precision_score(truth, scores))
    precision = around(value, average_precisions(scores, truth, weights), confidence)
    hits = {}
    for rate in rates:
        found = hits_at(scores, truth, plain, rate)[0]
        hits[rate] = around(float(found), hits_at(scores, truth, weights, rate), confidence)
    return Detection(area, precision, hits)


def average_precisions(
    scores: Float64[np.ndarray, " n"], truth: Bool[np.ndarray, " n"], weights: Float64[np.ndarray, "d n"]
) -> Float64[np.ndarray, " d"]:
    """Average precision once for every row of weights, as scikit-learn defines it."""
    false, hits = _cumulated(scores, truth, weights)
    with np.errstate(invalid="ignore"):
        precision = np.where(false + hits > 0, hits / (false + hits), 0.0)
    gained = np.diff(hits, axis=1, prepend=0) / hits[:, -1:]
    return np.asarray((gained * precision).sum(1))


def hits_at(
    scores: Float64[np.ndarray, " n"], truth: Bool[np.ndarray, " n"], weights: Float64[np.ndarray, "d n"], rate: float
) -> Float64[np.ndarray, " d"]:
    """The largest true-positive rate of a threshold whose false-positive rate is at most ``rate``."""
    false, hits = _cumulated(scores, truth, weights)
    allowed = false <= rate * false[:, -1:] * (1 + 1e-12)
    return np.asarray((np.where(allowed, hits, 0.0).max(1)) / hits[:, -1])


def _cumulated(
    scores: Float64[np.ndarray, " n"], truth: Bool[np.ndarray, " n"], weights: Float64[np.ndarray, "d n"]
) -> tuple[Float64[np.ndarray, "d k"], Float64[np.ndarray, "d k"]]:
    """Weight of false and of true positives at every threshold, from the strictest one on; ties go together."""
    order = np.argsort(-scores, kind="stable")
    last = np.r_[np.flatnonzero(np.diff(scores[order])), len(scores) - 1]
    ranked, is_true = weights[:, order], truth[order]
    return np.cumsum(ranked * ~is_true, 1)[:, last], np.cumsum(ranked * is_true, 1)[:, last]


def _layer_weights(jobs: Sequence[str], draws: int, rng: np.random.Generator) -> Float64[np.ndarray, "d n"]:
    """How often each layer is taken in each draw of whole jobs."""
    number = numbers(jobs)
    return np.asarray(draw_jobs(int(number.max()) + 1, draws, rng)[:, number])
