"""Trials and a fitted curve -> intervals no narrower than the step between the amounts that were tried."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from layerwatch.evaluation.metrics import Estimate
from layerwatch.evaluation.pod import Detection, Trial


def stepped(told: Detection, trials: Sequence[Trial]) -> Detection:
    """The same with intervals that span the step; between two amounts nothing was tried.

    Args:
        told: of these trials.
        trials: of one kind of defect.
    """
    return replace(told, half=_spanning(told.half, trials, 0.5), ninety=_spanning(told.ninety, trials, 0.9))


def _spanning(estimate: Estimate, trials: Sequence[Trial], wanted: float) -> Estimate:
    if not np.isfinite([estimate.value, estimate.low]).all() or np.isnan(estimate.high):
        return estimate
    amounts = sorted({trial.amount for trial in trials})
    shares = [float(np.mean([trial.is_found for trial in trials if trial.amount == amount])) for amount in amounts]
    missed = [amount for amount, share in zip(amounts, shares, strict=True) if share < wanted]
    if not missed or estimate.low == 0.0:
        return estimate
    above = [amount for amount in amounts if amount > missed[-1]]
    high = above[0] if above else np.inf
    return Estimate(estimate.value, min(estimate.low, missed[-1]), max(estimate.high, high))
