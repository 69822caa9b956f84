"""Otsu's threshold on scores: the cut that parts two classes best."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from jaxtyping import Bool, Float

from layerwatch.records import DataError
from layerwatch.verdict.clusters.base import ClusterMethod


@dataclass
class Otsu(ClusterMethod):
    """Maximises the variance between the classes over every cut between two neighbouring scores; no histogram."""

    summary: ClassVar[str] = "the cut of a score that parts two classes best"
    source: ClassVar[str] = "Otsu 1979"
    max_dimension: ClassVar[int | None] = 1

    threshold_: float = field(default=float("nan"), repr=False)

    def fit(self, X: Float[np.ndarray, "n d"], *, seed: int = 0) -> Otsu:
        """See ClusterMethod.

        Raises:
            DataError: more than one dimension, or fewer than two different scores.
        """
        if X.shape[1] != 1:
            raise DataError(f"Otsu's threshold takes one score an image, not {X.shape[1]} features; use another method")
        x = np.sort(X[:, 0].astype(np.float64))
        if x[0] == x[-1]:
            raise DataError(f"all {len(x)} scores are {x[0]:g}; Otsu's threshold needs two different ones")
        low = np.arange(1, len(x))
        high = len(x) - low
        sums = np.cumsum(x)[:-1]
        between = low * high * (sums / low - (x.sum() - sums) / high) ** 2
        between[np.diff(x) == 0] = -1.0
        cut = int(between.argmax())
        middle = float((x[cut] + x[cut + 1]) / 2)
        self.threshold_ = middle if middle < x[cut + 1] else float(x[cut])  # neighbours have nothing between them
        return self

    def predict(self, X: Float[np.ndarray, "n d"]) -> Bool[np.ndarray, " n"]:
        """See ClusterMethod."""
        return np.asarray(X[:, 0] > self.threshold_)
