"""More than two clusters: whatever stands on the shelf takes part."""

from __future__ import annotations

import numpy as np
import pytest

from layerwatch import catalogue
from layerwatch.evaluation.classes import classes_found, methods_for
from layerwatch.verdict.clusters.base import ClusterMethod


def blobs(seed: int) -> tuple[np.ndarray, list[str]]:
    rng = np.random.default_rng(seed)
    kinds = [kind for kind in ("healthy", "porous", "shift") for _ in range(40)]
    middles = {"healthy": (0.0, 0.0), "porous": (8.0, 0.0), "shift": (0.0, 8.0)}
    return np.array([rng.normal(middles[kind], 0.5) for kind in kinds]), kinds


@pytest.mark.parametrize("method", ["k_means", "gmm"])
def test_kinds_that_lie_apart_are_found(method: str) -> None:
    (X, _), (Y, kinds) = blobs(0), blobs(1)
    found = classes_found(X, Y, kinds, method)
    assert found.adjusted_rand == pytest.approx(1.0)
    assert sorted(found.confusion.max(1).tolist()) == [40, 40, 40]


def test_a_method_of_two_sides_gives_two_clusters() -> None:
    (X, _), (Y, kinds) = blobs(0), blobs(1)
    found = classes_found(X, Y, kinds, "isolation_forest")
    assert found.confusion.shape == (3, 2)
    assert found.confusion.sum() == len(kinds)
    assert found.adjusted_rand < 0.9  # three kinds do not fit into two


class Newcomer(ClusterMethod):
    def fit(self, X: np.ndarray, *, seed: int = 0) -> Newcomer:
        return self

    def predict(self, X: np.ndarray) -> np.ndarray:
        return np.asarray(X[:, 0] > 1.0)


def test_a_new_method_of_the_shelf_takes_part(monkeypatch: pytest.MonkeyPatch) -> None:
    names, load = catalogue.names, catalogue.load
    monkeypatch.setattr(catalogue, "names", lambda shelf: (*names(shelf), "newcomer"))
    monkeypatch.setattr(catalogue, "load", lambda s, name: Newcomer if name == "newcomer" else load(s, name))
    assert {"newcomer", "k_means"} <= set(methods_for(2))
    assert "otsu" in methods_for(1)
    assert "otsu" not in methods_for(2)
    (X, _), (Y, kinds) = blobs(0), blobs(1)
    assert classes_found(X, Y, kinds, "newcomer").confusion.tolist() == [[40, 0], [0, 40], [40, 0]]
