"""What makes each cluster method that method; what all of them promise is in test_contracts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from layerwatch.records import DataError
from layerwatch.verdict.clusters.gmm import Gmm
from layerwatch.verdict.clusters.isolation_forest import IsolationForest
from layerwatch.verdict.clusters.otsu import Otsu


@given(st.lists(st.floats(-50, 50), min_size=2, max_size=40, unique=True))
def test_otsu_maximises_the_variance_between_the_classes(scores: list[float]) -> None:
    x = np.sort(np.array(scores))
    cut = Otsu().fit(x[:, None]).threshold_

    def between(threshold: float) -> float:
        low, high = x[x <= threshold], x[x > threshold]
        return float(len(low) * len(high) * (low.mean() - high.mean()) ** 2)

    best = max(between(float(t)) for t in x[:-1])
    assert between(cut) == pytest.approx(best, rel=1e-9)


def test_otsu_takes_scores_only() -> None:
    with pytest.raises(DataError, match="one score an image"):
        Otsu().fit(np.zeros((5, 2)))
    with pytest.raises(DataError, match="two different ones"):
        Otsu().fit(np.ones((5, 1)))


def test_the_gaussian_mixture_parts_by_spread_where_means_agree() -> None:
    rng = np.random.default_rng(0)
    X = np.r_[rng.normal(0, 1, (300, 2)), rng.normal(0, 12, (300, 2))]
    nok = Gmm().fit(X).predict(X)
    assert nok[300:].mean() > 0.8
    assert nok[:300].mean() < 0.1


def test_full_covariances_of_the_paper_s_features_are_refused_with_their_size() -> None:
    with pytest.raises(DataError, match=r"1\.0 GiB .*diag"):
        Gmm().fit(np.zeros((10, 8192)))


def test_contamination_one_half_calls_half_of_the_cohort_nok() -> None:
    X = np.random.default_rng(0).normal(size=(200, 4))
    assert IsolationForest().fit(X).predict(X).mean() == pytest.approx(0.5, abs=0.01)
    assert IsolationForest(contamination="auto").fit(X).predict(X).mean() < 0.45


def test_a_mixture_parts_as_many_as_are_asked_for() -> None:
    rng = np.random.default_rng(0)
    X = np.concatenate([rng.normal(middle, 0.1, (30, 2)) for middle in (0.0, 3.0, 6.0)])
    found = Gmm().split(X, X, 3)
    assert [len(set(found[start : start + 30].tolist())) for start in (0, 30, 60)] == [1, 1, 1]
    assert len(set(found.tolist())) == 3
    assert set(IsolationForest().split(X, X, 3).tolist()) == {0, 1}  # it knows two sides only
