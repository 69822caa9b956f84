"""Scores of healthy layers and a chosen false-alarm rate -> the line between OK and NOK, and a p-value for each score.

Split conformal: with n healthy scores that no detector was trained on, the ceil((n + 1)(1 - rate))-th smallest is
exceeded by a further healthy layer with probability at most ``rate``, if layers are exchangeable. Layers of one job are
alike, so the promise is as good as the number of jobs, and a layer's p-value is an index.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor, log10

import numpy as np
from jaxtyping import Float64

from layerwatch.records import DataError, UsageError, counted


@dataclass(frozen=True, eq=False)
class Threshold:
    """The line for one detector."""

    healthy: Float64[np.ndarray, " n"]  # scores, rising
    rate: float  # promised share of false alarms among healthy layers
    value: float  # a score above it is NOK

    def p_value(self, score: float) -> float:
        """Share of healthy scores at least as high, the new one counted in."""
        above = len(self.healthy) - int(np.searchsorted(self.healthy, score, side="left"))
        return (1 + above) / (len(self.healthy) + 1)


def fit_threshold(scores: Float64[np.ndarray, " n"], rate: float) -> Threshold:
    """Set the line from scores of healthy layers that the detector was not trained on.

    Raises:
        UsageError: the rate is not between 0 and 1.
        DataError: too few healthy layers for that rate.
    """
    if not 1e-6 <= rate < 1:
        raise UsageError(f"false-alarm rate {rate:g}; give a share between 0 and 1, such as 0.01")
    needed = ceil(1 / rate - 1e-9) - 1
    if len(scores) < needed:
        lowest = f", or choose a rate of at least {_rounded_up(1 / (len(scores) + 1)):g}" if len(scores) else ""
        raise DataError(
            f"the model was calibrated on {counted(len(scores), 'healthy layer')}, which cannot promise a false-alarm "
            f"rate of {rate:g} ({needed} are needed); train with more healthy layers{lowest}"
        )
    healthy = np.sort(scores)
    place = ceil((len(healthy) + 1) * (1 - rate) - 1e-9)
    return Threshold(healthy, rate, float(healthy[place - 1]))


def _rounded_up(rate: float) -> float:
    """Two digits, never less than the rate itself."""
    unit = 10.0 ** (floor(log10(rate)) - 1)
    return float(f"{ceil(rate / unit - 1e-9) * unit:.2g}")
