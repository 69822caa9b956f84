"""Answers of a family of filters, layer by layer -> the same in units of what the running job's own layers answer."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float64

_LAG, _WINDOW = 5, 24  # layers that do not count yet, and at most
_PRIOR = 12.0  # layers that the family's spread counts beside one filter's own
_PRIOR_ALL = 4.0  # and that theory counts beside the family's
_MOST = 3.0  # spreads, beyond which an answer of the past counts no more


@dataclass(eq=False)
class Own:
    """Spread of each filter's answers in one job, drawn towards that of all of them, and that towards 1."""

    _past: list[Float64[np.ndarray, " t"]] = field(default_factory=list)

    def standard(self, z: Float64[np.ndarray, " t"]) -> Float64[np.ndarray, " t"]:
        """Take the next layer's answers.

        Args:
            z: over the standard deviation that theory gives them.
        """
        before = np.array([old for old in self._past[:-_LAG] if len(old) == len(z)])[-_WINDOW:].reshape(-1, len(z))
        self._past.append(z)
        del self._past[: -(_WINDOW + _LAG)]
        n = len(before)
        squares = before**2
        family = (_PRIOR_ALL + (np.minimum(squares, _MOST**2).mean(1).sum() if n else 0)) / (_PRIOR_ALL + n)
        own = (_PRIOR * family + np.minimum(squares, _MOST**2 * family).sum(0)) / (_PRIOR + n)
        return np.asarray(z / np.sqrt(own))
