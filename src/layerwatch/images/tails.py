"""Numbers of healthy frames -> how unusual another number is, as orders of magnitude of its probability."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

_TAIL = 0.9  # of the healthy numbers lie below the tail
_LEAST = 0.1  # of the distance from median to tail, that a tenfold rarer number lies further out at least
_FEWEST = 20  # numbers to learn a tail from


@dataclass(frozen=True, eq=False)
class Tails:
    """The upper tail of k numbers, each an exponential (Pickands 1975) beyond nine tenths of the healthy ones."""

    start: Float64[np.ndarray, "*b k"]  # NaN where too few numbers were known
    fall: Float64[np.ndarray, "*b k"]  # over which the tail falls to a 1 / e

    @classmethod
    def of(cls, numbers: Float64[np.ndarray, "n k"]) -> Tails:
        """Learn from healthy frames; NaN stands for what could not be told of a frame."""
        columns = [_tail(column[np.isfinite(column)]) for column in numbers.T]
        start, fall = np.array(columns, np.float64).reshape(-1, 2).T
        return cls(start, fall)

    def far(self, numbers: Float64[np.ndarray, "*b k"]) -> Float64[np.ndarray, "*b k"]:
        """Minus the decimal logarithm of the share of healthy frames that go so far; 0 for what cannot be told."""
        told = 1 + (numbers - self.start) / (self.fall * np.log(10))
        return np.asarray(np.where(np.isfinite(told), np.maximum(told, 0), 0))


def _tail(x: Float64[np.ndarray, " n"]) -> tuple[float, float]:
    if len(x) < _FEWEST:
        return float("nan"), float("nan")
    middle, start = np.quantile(x, (0.5, _TAIL)).tolist()
    beyond = x[x > start] - start
    fall = float(beyond.mean()) if len(beyond) else 0.0
    return start, max(fall, _LEAST * (start - middle), 1e-4 * abs(start), 1e-9)
