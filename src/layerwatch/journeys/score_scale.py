"""Scores of healthy layers kept for the purpose -> a p-value for each further score, and what kind of number it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float64

_GUMBEL = float(np.log(-np.log(0.5) / -np.log(0.99)))  # of maxima with their median at 0, 99th percentile at 1
_TAIL = 1 / _GUMBEL  # score over which p of such maxima falls to 1 / e
_UPPER = 0.8  # quantile above which healthy scores tell how their tail falls
_PRIOR = 10  # scores that the usual tail counts as

Kind = Literal["rank", "tail"]
Scores = Float64[np.ndarray, " n"]


@dataclass(frozen=True)
class PValue:
    """The share of healthy layers at least so conspicuous."""

    value: float
    kind: Kind  # rank: counted among healthy layers; tail: beyond them all, or without any, by a law


@dataclass(frozen=True, eq=False)
class Scale:
    """What scores mean. Falls with the score, without a jump where counting ends."""

    healthy: tuple[Scores, ...] = ()  # one a job
    usual: tuple[float, float] = (0.0, 1.0)  # raw scores that become 0 and 1

    def standard(self, raw: float) -> float:
        """The score as it is told: 0 is the median of healthy layers, 1 what 99 of 100 stay below."""
        low, high = self.usual
        return (raw - low) / (high - low)

    def p_value(self, score: float) -> PValue:
        """Of a score as ``standard`` gives it."""
        pooled = self._pooled
        if not len(pooled):
            return PValue(float(-np.expm1(np.log(0.5) * np.exp(-_GUMBEL * np.clip(score, -50, 150)))), "tail")
        above = len(pooled) - int(np.searchsorted(pooled, score, side="left"))
        p = (1 + above) / (len(pooled) + 1)
        if above:
            return PValue(p, "rank")
        return PValue(float(p * np.exp(-(score - pooled[-1]) / self._fall)), "tail")

    @property
    def _pooled(self) -> Scores:
        return np.sort(np.concatenate(self.healthy)) if self.healthy else np.empty(0)

    @property
    def _fall(self) -> float:
        """How slowly the tail falls: the mean excess of healthy scores, drawn towards the usual one."""
        pooled = self._pooled
        start = float(np.quantile(pooled, _UPPER))
        excess = pooled[pooled > start] - start
        return float((excess.sum() + _PRIOR * _TAIL) / (len(excess) + _PRIOR))

    def alarms(self, alpha: float) -> Alarms:
        """How many of its own healthy jobs raise an alarm, each judged by the others."""
        loud: dict[int, int] = {}
        for k, scores in enumerate(self.healthy):
            others = Scale(self.healthy[:k] + self.healthy[k + 1 :], self.usual)
            found = sum(others.p_value(float(score)).value < alpha for score in scores)
            if found:
                loud[k] = found
        return Alarms(loud, len(self.healthy), sum(map(len, self.healthy)))


@dataclass(frozen=True)
class Alarms:
    """Healthy jobs and layers that would have been NOK."""

    loud: Mapping[int, int]  # number of a job -> how many of its layers; jobs without any are left out
    of_jobs: int
    of_layers: int

    @property
    def jobs(self) -> int:
        """With at least one such layer."""
        return len(self.loud)

    @property
    def layers(self) -> int:
        """Of all jobs."""
        return sum(self.loud.values())

    def loudest(self, count: int) -> tuple[int, ...]:
        """Numbers of the jobs with most such layers, loudest first."""
        return tuple(sorted(self.loud, key=lambda job: -self.loud[job])[:count])


def scale_of_raw(raw: Sequence[Scores]) -> Scale:
    """The scale of a detector whose scores have no unit of their own."""
    pooled = np.concatenate(raw)
    low, high = (float(np.quantile(pooled, q)) for q in (0.5, 0.99))
    usual = (low, high if high > low else low + max(abs(low), 1e-12))
    return Scale(tuple((scores - usual[0]) / (usual[1] - usual[0]) for scores in raw), usual)
