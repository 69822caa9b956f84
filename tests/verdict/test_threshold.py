from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from layerwatch.records import DataError, UsageError
from layerwatch.verdict.threshold import fit_threshold


@given(st.lists(st.floats(-100, 100), min_size=20, max_size=200), st.floats(0.06, 0.9))
def test_no_more_calibration_layers_are_above_than_promised(scores: list[float], rate: float) -> None:
    line = fit_threshold(np.array(scores), rate)
    assert np.mean(np.array(scores) > line.value) <= rate


def test_the_promise_holds_for_further_healthy_layers() -> None:
    rng = np.random.default_rng(0)
    false = [np.mean(rng.normal(size=400) > fit_threshold(rng.normal(size=300), 0.05).value) for _ in range(200)]
    assert 0.042 < np.mean(false) <= 0.052


def test_p_values_of_healthy_scores_are_uniform_and_fall_with_the_score() -> None:
    rng = np.random.default_rng(1)
    lines = [fit_threshold(rng.normal(size=999), 0.1) for _ in range(50)]
    p = np.array([line.p_value(score) for line in lines for score in rng.normal(size=100)])
    assert [np.mean(p <= level) for level in (0.05, 0.1, 0.5)] == pytest.approx([0.05, 0.1, 0.5], abs=0.02)
    assert lines[0].p_value(1e9) == pytest.approx(1 / 1000)
    assert lines[0].p_value(-1e9) == 1.0
    assert lines[0].p_value(lines[0].value + 1e-9) <= 0.1


def test_too_few_layers_cannot_promise_a_small_rate() -> None:
    with pytest.raises(DataError, match=r"calibrated on 50 .* cannot promise .* 0\.01 \(99 are needed\)"):
        fit_threshold(np.arange(50.0), 0.01)
    assert fit_threshold(np.arange(99.0), 0.01).value == 98


@pytest.mark.parametrize("count", [1, 2, 7, 50, 98, 299, 300, 301, 12345])
def test_the_rate_that_is_proposed_works(count: int) -> None:
    with pytest.raises(DataError) as told:
        fit_threshold(np.arange(float(count)), 1e-5)
    rate = float(str(told.value).rsplit(" ", 1)[1])
    assert fit_threshold(np.arange(float(count)), rate).rate <= 1.1 / (count + 1)


@pytest.mark.parametrize("rate", [0.0, 1.0, -0.1, 7.0])
def test_a_rate_is_a_share(rate: float) -> None:
    with pytest.raises(UsageError, match="give a share between 0 and 1"):
        fit_threshold(np.arange(500.0), rate)
