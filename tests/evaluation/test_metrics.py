from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from layerwatch.evaluation.metrics import (
    Estimate,
    accuracy,
    auroc,
    auroc_difference,
    clopper_pearson,
    exceedance,
    roc_points,
)
from layerwatch.records import DataError


def jobs(count: int, size: int) -> list[str]:
    return [f"job-{i // size}" for i in range(count)]


@given(
    st.lists(st.integers(0, 6), min_size=1, max_size=30),
    st.lists(st.integers(0, 6), min_size=1, max_size=30),
    st.integers(1, 5),
)
def test_auroc_is_that_of_scikit_learn_whatever_the_ties_and_jobs(a: list[int], b: list[int], size: int) -> None:
    healthy, defective = np.array(a, float), np.array(b, float)
    ours = auroc(healthy, defective, jobs(len(a), size), jobs(len(b), size), draws=20)
    theirs = roc_auc_score(np.r_[np.zeros(len(a)), np.ones(len(b))], np.r_[healthy, defective])
    assert ours.value == pytest.approx(theirs)
    assert 0 <= ours.low <= ours.value <= ours.high <= 1


def test_layers_of_one_job_add_nothing_to_what_is_known() -> None:
    rng = np.random.default_rng(0)
    healthy, defective = rng.normal(0, 1, 20), rng.normal(1, 1, 20)
    names = [f"j{i}" for i in range(20)]
    one = auroc(healthy, defective, names, names)
    tenfold = auroc(
        np.repeat(healthy, 10), np.repeat(defective, 10), np.repeat(names, 10).tolist(), np.repeat(names, 10).tolist()
    )
    assert tenfold.value == pytest.approx(one.value)
    assert tenfold.high - tenfold.low == pytest.approx(one.high - one.low, rel=0.01)


def test_the_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    truth, hits = 0.7602, 0  # of two normal distributions one standard deviation apart
    for seed in range(100):
        rng = np.random.default_rng(seed)
        a, b = rng.normal(0, 1, 60), rng.normal(1, 1, 60)
        found = auroc(a, b, jobs(60, 1), jobs(60, 1), draws=300, seed=seed)
        hits += found.low <= truth <= found.high
    assert 86 <= hits <= 100


def test_one_side_alone_has_no_auroc() -> None:
    with pytest.raises(DataError, match="3 healthy and 0 defective layers"):
        auroc(np.arange(3.0), np.empty(0), ["a"] * 3, [])
    with pytest.raises(DataError, match="NaN"):
        auroc(np.array([np.nan]), np.array([1.0]), ["a"], ["b"])


def test_clopper_pearson_as_tabulated() -> None:
    found = clopper_pearson(0, 10)
    assert (found.value, found.low, round(found.high, 4)) == (0.0, 0.0, 0.3085)
    found = clopper_pearson(5, 10)
    assert (round(found.low, 4), round(found.high, 4)) == (0.1871, 0.8129)


def test_a_rate_that_is_nought_is_still_uncertain() -> None:
    found = exceedance(np.zeros(100), 1.0, jobs(100, 10))
    assert found == clopper_pearson(0, 10)
    some = exceedance(np.r_[np.zeros(90), np.full(10, 2.0)], 1.0, jobs(100, 10))
    assert some.value == 0.1
    assert some.low <= 0.1 <= some.high


def test_the_best_mapping_flatters() -> None:
    nok, truth = np.array([True, True, False]), np.array([False, False, True])
    assert accuracy(nok, truth) == 0
    assert accuracy(nok, truth, best_mapping=True) == 1


def test_roc_points_rise_from_nothing_to_everything() -> None:
    false, hits = roc_points(np.array([0.0, 1.0, 2.0]), np.array([1.5, 3.0]))
    assert (false[0], hits[0], false[-1], hits[-1]) == (0, 0, 1, 1)
    assert (np.diff(false) >= 0).all()
    assert (np.diff(hits) >= 0).all()


def test_an_estimate_reads_as_a_sentence_would_have_it() -> None:
    assert str(Estimate(0.5, 0.25, 0.75)) == "0.500 [0.250, 0.750]"


def test_a_difference_of_two_scores_of_the_same_layers_is_surer_than_their_intervals() -> None:
    rng = np.random.default_rng(0)
    names = jobs(200, 10)
    ease = np.repeat(rng.normal(0, 2, 20), 10)  # what both scores make of a job
    healthy, defective = ease + rng.normal(0, 1, 200), ease + rng.normal(1, 1, 200)
    other = (healthy + rng.normal(0, 0.1, 200), defective - 0.5 + rng.normal(0, 0.1, 200))
    found = auroc_difference(healthy, defective, *other, names, names)
    each = [auroc(*sides, names, names) for sides in ((healthy, defective), other)]
    assert found.value == pytest.approx(each[0].value - each[1].value)
    assert found.low > 0  # sure, though both intervals overlap
    assert each[0].low < each[1].high
    backwards = auroc_difference(*other, healthy, defective, names, names)
    assert (backwards.value, backwards.low, backwards.high) == pytest.approx((-found.value, -found.high, -found.low))
