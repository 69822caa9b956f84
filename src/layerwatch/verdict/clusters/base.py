"""Feature vectors of a mixed, unlabelled cohort -> which of them are NOK."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np
from jaxtyping import Bool, Float, Int64


class ClusterMethod(ABC):
    """Divides a cohort in two without labels. Settings are dataclass fields; what ``fit`` learns ends in ``_``.

    Which side is NOK is decided in ``fit`` from the cohort alone (see ``farther_side``).
    """

    summary: ClassVar[str]
    source: ClassVar[str]
    max_dimension: ClassVar[int | None] = None  # the method accepts vectors up to this length; None: any

    @abstractmethod
    def fit(self, X: Float[np.ndarray, "n d"], *, seed: int = 0) -> ClusterMethod:
        """Learn the two sides from the cohort; no label is used."""

    @abstractmethod
    def predict(self, X: Float[np.ndarray, "n d"]) -> Bool[np.ndarray, " n"]:
        """True where a vector falls on the NOK side."""

    def split(
        self, X: Float[np.ndarray, "n d"], Y: Float[np.ndarray, "m d"], count: int, *, seed: int = 0
    ) -> Int64[np.ndarray, " m"]:
        """Into more than two: cluster X, and number the cluster of each of Y.

        Args:
            X: the cohort to cluster.
            Y: vectors to say the cluster of.
            count: clusters that are wanted; a method that knows two sides only gives two.
            seed: as in ``fit``.
        """
        return np.asarray(self.fit(X, seed=seed).predict(Y), np.int64)
