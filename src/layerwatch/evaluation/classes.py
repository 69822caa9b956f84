"""Features of all kinds of layers -> whether more clusters find the kinds of defects (section 5.2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int64
from sklearn.metrics import adjusted_rand_score

from layerwatch import catalogue
from layerwatch.evaluation.cohorts import Cohort, Mix, halves
from layerwatch.evaluation.tables import methods
from layerwatch.records import DataError


@dataclass(frozen=True, eq=False)
class Classes:
    """How clusters of unseen layers agree with their kinds."""

    adjusted_rand: float  # 1: the same partition; 0: as by chance
    kinds: tuple[str, ...]  # rows of the matrix
    confusion: Int64[np.ndarray, "k c"]  # layers of each kind in each cluster, two at least


def methods_for(dimension: int) -> tuple[str, ...]:
    """The cluster methods of the shelf that take so many features."""
    most = {name: catalogue.load("verdict.clusters", name).max_dimension for name in methods()}
    return tuple(name for name, limit in most.items() if limit is None or dimension <= limit)


def classes_found(
    X: Float[np.ndarray, "n d"], Y: Float[np.ndarray, "m d"], kinds: Sequence[str], method: str, *, seed: int = 0
) -> Classes:
    """Cluster X into as many clusters as there are kinds, count on Y; the kinds are only counted.

    A method of the shelf that knows two sides only gives two clusters.

    Args:
        X: layers to cluster.
        Y: other layers.
        kinds: of each of Y.
        method: its name on the shelf.
        seed: of the method's starts.
    """
    names = tuple(sorted(set(kinds)))
    scale = float(np.asarray(X, np.float64).std()) or 1.0  # regularisation of covariances is absolute
    x, y = (np.asarray(some, np.float64) / scale for some in (X, Y))
    found = catalogue.load("verdict.clusters", method)().split(x, y, len(names), seed=seed)
    matrix = np.zeros((len(names), max(int(found.max()) + 1, 2)), np.int64)
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
