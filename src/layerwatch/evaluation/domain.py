"""Properties of real and of synthetic images -> how far apart they are, what is not covered, and what to change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64
from scipy import stats

Values = Float64[np.ndarray, " n"]

_FEW = 5  # values below which nothing is compared
_COVERED = 0.9  # share of the real values that synthetic ones should reach


@dataclass(frozen=True, eq=False)
class Domain:
    """What a set of images looks like."""

    name: str
    values: Mapping[str, Float64[np.ndarray, " _"]]  # of each property, one a layer or a run of layers; no NaN
    frequencies: Float64[np.ndarray, " f"]  # cycles a px
    spectra: Float64[np.ndarray, "_ f"]  # power density of the bed's texture, K2 px2
    lags: Float64[np.ndarray, "r lags"]  # correlation of the texture 1, 2 ... layers later; NaN where unknown


@dataclass(frozen=True)
class Gap:
    """One property, real against synthetic."""

    name: str
    real: tuple[float, float, float]  # 5, 50, 95 %
    synthetic: tuple[float, float, float]
    range: tuple[float, float]  # lowest and highest synthetic value
    ks: float  # two-sample Kolmogorov-Smirnov distance, 0 alike to 1 apart
    p_value: float  # of that distance, as if all values were independent
    wasserstein: float  # in the property's unit
    covered: float  # share of the real values between the lowest and the highest synthetic one

    @property
    def is_covered(self) -> bool:
        """Nine in ten real values lie within the synthetic ones."""
        return self.covered >= _COVERED

    @property
    def advice(self) -> str:
        """What to change in the ranges; empty where nothing is to be done."""
        if self.is_covered:
            return ""
        low, high = self.range
        ends = []
        if self.real[0] < low:
            ends.append(f"lower its low end by {low - self.real[0]:.3g}")
        if self.real[2] > high:
            ends.append(f"raise its high end by {self.real[2] - high:.3g}")
        return " and ".join(ends) or "print more jobs: the synthetic values lie in the right place but are too few"


def compare(real: Domain, synthetic: Domain) -> tuple[Gap, ...]:
    """Every property that both sets show at least five times, the worst covered first."""
    names = [n for n in real.values if n in synthetic.values]
    enough = [n for n in names if min(len(real.values[n]), len(synthetic.values[n])) >= _FEW]
    gaps = [_gap(name, real.values[name], synthetic.values[name]) for name in enough]
    return tuple(sorted(gaps, key=lambda gap: (gap.covered, -gap.ks)))


def _gap(name: str, real: Values, synthetic: Float64[np.ndarray, " m"]) -> Gap:
    test = stats.ks_2samp(real, synthetic)
    low, high = float(synthetic.min()), float(synthetic.max())
    return Gap(
        name=name,
        real=_percentiles(real),
        synthetic=_percentiles(synthetic),
        range=(low, high),
        ks=float(test.statistic),
        p_value=float(test.pvalue),
        wasserstein=float(stats.wasserstein_distance(real, synthetic)),
        covered=float(((real >= low) & (real <= high)).mean()),
    )


def _percentiles(values: Values) -> tuple[float, float, float]:
    low, middle, high = np.percentile(values, [5, 50, 95]).tolist()
    return low, middle, high
