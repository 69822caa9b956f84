"""k-Means with two clusters, the farther one NOK."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from jaxtyping import Bool, Float, Int64
from sklearn import cluster

from layerwatch.verdict.clusters.base import ClusterMethod
from layerwatch.verdict.sides import as_nok, farther_side


@dataclass
class KMeans(ClusterMethod):
    """Lloyd's algorithm with ten starts."""

    summary: ClassVar[str] = "k-Means with two clusters, the farther one NOK"
    source: ClassVar[str] = "Lloyd 1982; scikit-learn"

    starts: int = 10
    means_: Any = field(default=None, repr=False)  # of scikit-learn, None before fit
    nok_: int = field(default=1, repr=False)

    def fit(self, X: Float[np.ndarray, "n d"], *, seed: int = 0) -> KMeans:
        """See ClusterMethod."""
        self.means_ = cluster.KMeans(2, n_init=self.starts, random_state=seed).fit(X)
        self.nok_ = farther_side(X, self.means_.labels_)
        return self

    def predict(self, X: Float[np.ndarray, "n d"]) -> Bool[np.ndarray, " n"]:
        """See ClusterMethod."""
        return as_nok(self.means_.predict(X), self.nok_)

    def split(
        self, X: Float[np.ndarray, "n d"], Y: Float[np.ndarray, "m d"], count: int, *, seed: int = 0
    ) -> Int64[np.ndarray, " m"]:
        """See ClusterMethod: ``count`` means."""
        model = cluster.KMeans(count, n_init=self.starts, random_state=seed).fit(np.asarray(X, np.float64))
        return np.asarray(model.predict(np.asarray(Y, np.float64)), np.int64)
