"""Features of all kinds of layers -> whether more clusters find the kinds of defects (section 5.2)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int64
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score
from sklearn.mixture import GaussianMixture

from layerwatch.evaluation.cohorts import Cohort, Mix, halves
from layerwatch.records import DataError

_FULL_UP_TO = 256  # features
_METHODS: dict[str, Callable[[int, int, int], Any]] = {
    "k_means": lambda count, dimension, seed: KMeans(count, n_init=10, random_state=seed),
    "gmm": lambda count, dimension, seed: GaussianMixture(
        count,
        covariance_type="full" if dimension <= _FULL_UP_TO else "diag",
        random_state=seed,
        max_iter=300,
        reg_covar=1e-6,
    ),
}
METHODS = tuple(_METHODS)


@dataclass(frozen=True, eq=False)
class Classes:
    """How clusters of unseen layers agree with their kinds."""

    adjusted_rand: float  # 1: the same partition; 0: as by chance
    kinds: tuple[str, ...]  # rows of the matrix
    confusion: Int64[np.ndarray, "k c"]  # layers of each kind in each cluster


def classes_found(
    X: Float[np.ndarray, "n d"], Y: Float[np.ndarray, "m d"], kinds: Sequence[str], method: str, *, seed: int = 0
) -> Classes:
    """Cluster X into as many clusters as there are kinds, count on Y; the kinds are only counted.

    Args:
        X: layers to cluster.
        Y: other layers.
        kinds: of each of Y.
        method: "k_means" or "gmm".
        seed: of the method's starts.
    """
    names = tuple(sorted(set(kinds)))
    scale = float(np.asarray(X, np.float64).std()) or 1.0  # regularisation of covariances is absolute
    model = _METHODS[method](len(names), X.shape[1], seed).fit(np.asarray(X, np.float64) / scale)
    found = model.predict(np.asarray(Y, np.float64) / scale)
    matrix = np.zeros((len(names), len(names)), np.int64)
    for kind, cluster in zip(kinds, found.tolist(), strict=True):
        matrix[names.index(kind), cluster] += 1
    return Classes(float(adjusted_rand_score(list(kinds), found)), names, matrix)


def equal_parts(cohort: Cohort, fit: int, test: int, *, seed: int = 0) -> tuple[Cohort, Cohort]:
    """As many layers of every kind, healthy among them, without a job in common: so many, or what whole jobs allow.

    Raises:
        DataError: not even a sixth of so many.
    """
    for twentieths in range(20, 2, -1):
        first, second = (max(count * twentieths // 20, 1) for count in (fit, test))
        try:
            return halves(cohort, Mix(first, first, second, second), seed=seed)
        except DataError as error:
            refused = error
    raise refused
