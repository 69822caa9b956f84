"""A reduction of both cohorts -> how many of its components are kept, by a search of that name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float, Float64

from layerwatch import catalogue
from layerwatch.evaluation.metrics import accuracy
from layerwatch.verdict.reductions.base import MOST, Reduction

Search = Literal["none", "variance", "paper"]
_EXPLAINED = 0.95  # share of the cohort's variance


@dataclass(frozen=True, eq=False)
class Reduced:
    """Coordinates of a cohort to cluster and of one to count on, and the numbers of components that were chosen."""

    label: str  # of the reduction
    fit: Float64[np.ndarray, "n k"]
    test: Float64[np.ndarray, "m k"]
    chosen: dict[Search, int]


def steps(most: int = MOST) -> Iterator[int]:
    """The numbers of components that the paper's search tries: 1 to 30, then 10 % more each time."""
    count = 1
    while count <= most:
        yield count
        count = count + 1 if count < 30 else int(np.ceil(1.1 * count))


def reduced(
    name: str,
    X: Float[np.ndarray, "n d"],
    Y: Float[np.ndarray, "m d"],
    is_defective: Bool[np.ndarray, " m"],
    searches: tuple[Search, ...],
    seed: int,
) -> Reduced:
    """Fit a reduction to one cohort, apply it to both, and choose how many components are kept.

    "variance" takes as many as explain 95 % of the variance and needs no label. "paper" is the paper's own search: the
    number with which an Isolation Forest is right most often. It needs labels, and the paper names no other layers
    than those it counts on, so these are taken: such columns flatter.

    Args:
        name: of the reduction, on its shelf.
        X: the cohort to cluster.
        Y: the cohort to count on.
        is_defective: whether each of Y is; only "paper" looks.
        searches: which to make.
        seed: of the forests.
    """
    kind: type[Reduction] = catalogue.load("verdict.reductions", name)
    model = kind().fit(X)
    fit, test = model.apply(X), model.apply(Y)
    chosen: dict[Search, int] = {}
    if "variance" in searches:
        chosen["variance"] = model.explaining(_EXPLAINED)
    if "paper" in searches:
        chosen["paper"] = _best_for_forest(fit, test, is_defective, seed)
    return Reduced(kind.label, fit, test, chosen)


def _best_for_forest(
    fit: Float64[np.ndarray, "n k"], test: Float64[np.ndarray, "m k"], is_defective: Bool[np.ndarray, " m"], seed: int
) -> int:
    """The smallest number of components with the highest accuracy."""
    forest = catalogue.load("verdict.clusters", "isolation_forest")
    tried = [count for count in steps() if count <= fit.shape[1]]
    right = [
        accuracy(forest().fit(fit[:, :count], seed=seed).predict(test[:, :count]), is_defective) for count in tried
    ]
    return tried[int(np.argmax(right))]
