"""Probability of detection: the curve is that of the trials, amounts and intervals follow, and nothing is made up."""

from __future__ import annotations

import numpy as np
import pytest

from layerwatch.evaluation.pod import Curve, Trial, detection_of
from layerwatch.records import DataError

TRUE = Curve(np.log(2.0), 0.3)


def trials(seed: int, jobs: int = 60, amounts: tuple[float, ...] = (0.5, 1.0, 2.0, 4.0, 8.0)) -> list[Trial]:
    rng = np.random.default_rng(seed)
    return [
        Trial(f"job {k}", a, 1.0 if rng.random() < TRUE(np.array([a]))[0] else np.inf)
        for k in range(jobs)
        for a in amounts
    ]


def test_the_curve_of_many_trials_is_the_true_one() -> None:
    found = detection_of(trials(1, jobs=400))
    assert found.curve is not None
    assert found.half.value == pytest.approx(2.0, rel=0.05)
    assert found.ninety.value == pytest.approx(TRUE.amount_at(0.9), rel=0.1)
    assert found.delay == 1.0


def test_the_interval_holds_the_true_amount_as_often_as_it_says() -> None:
    held = [
        one.low <= TRUE.amount_at(0.9) <= one.high for one in (detection_of(trials(s, 20)).ninety for s in range(15))
    ]
    assert np.mean(held) > 0.75


def test_all_found_and_none_found_are_bounds_and_no_curve() -> None:
    every = detection_of([Trial("a", 1.0, 2.0), Trial("b", 2.0, 2.0)])
    assert every.curve is None
    assert (every.ninety.low, every.ninety.high) == (0.0, 1.0)
    none = detection_of([Trial("a", 1.0, np.inf), Trial("b", 2.0, np.inf)])
    assert (none.ninety.value, none.ninety.low) == (np.inf, 2.0)
    assert none.delay == np.inf


def test_nothing_is_told_beyond_the_largest_amount() -> None:
    found = detection_of(trials(2, amounts=(0.5, 1.0, 2.0, 2.5)))
    assert found.half.value < 2.5
    assert (found.ninety.value, found.ninety.low) == (np.inf, 2.5)


@pytest.mark.parametrize("given", [[], [Trial("a", 0.0, 1.0)]])
def test_trials_without_an_amount_are_refused(given: list[Trial]) -> None:
    with pytest.raises(DataError, match="above 0"):
        detection_of(given)


def test_few_jobs_tell_no_interval() -> None:
    found = detection_of(trials(3, jobs=3, amounts=(0.25, 0.5, 1.0, 2.0, 4.0, 8.0)))
    assert np.isfinite(found.ninety.value)
    assert np.isnan(found.ninety.low)


def test_an_amount_that_was_found_in_all_jobs_is_no_more_than_that() -> None:
    given = [Trial(f"{k}", a, 1.0 if a == 8 else np.inf) for k in range(8) for a in (2.0, 4.0, 8.0)]
    assert detection_of(given).ninety.value <= 8.0
