"""The share of false alarms that a site file promises becomes the line of alarm, or it is said what is missing."""

from __future__ import annotations

import numpy as np
import pytest

from layerwatch.journeys.serving.alarm_line import alarm_line

SCORES = np.linspace(0.0, 1.0, 100)


def test_the_line_follows_the_promise_by_split_conformal_over_jobs() -> None:
    maxima = np.arange(1.0, 40.0)[::-1]  # 39 jobs
    for share, line in ((0.05, 38.0), (0.1, 36.0), (0.5, 20.0), (0.025, 39.0)):
        found = alarm_line({"scores": SCORES, "job_maxima": maxima}, share)
        assert (found.value, found.note) == (line, "")


def test_the_promise_holds_for_further_jobs() -> None:
    rng = np.random.default_rng(0)
    crossed = [
        rng.gumbel() > alarm_line({"scores": SCORES, "job_maxima": rng.gumbel(size=19)}, 0.1).value for _ in range(4000)
    ]
    assert np.mean(crossed) == pytest.approx(0.1, abs=0.015)


@pytest.mark.parametrize(("share", "needed"), [(0.05, 19), (0.02, 49), (0.001, 999), (0.03, 33)])
def test_too_few_jobs_are_said_with_the_number_that_is_needed(share: float, needed: int) -> None:
    found = alarm_line({"scores": SCORES, "job_maxima": np.array([2.0, 5.0, 3.0, 4.0])}, share)
    assert found.value == 5.0
    assert f"false_alarms = {share:g} cannot be promised" in found.note
    assert f"knows 4 healthy jobs, {needed} are needed; at most 20% can be promised" in found.note
    one = alarm_line({"scores": SCORES, "job_maxima": np.array([2.0]), "line": np.array([3.5])}, share)
    assert (one.value, "knows 1 healthy job," in one.note) == (3.5, True)


def test_older_models_keep_the_line_that_they_had() -> None:
    found = alarm_line({"scores": SCORES, "line": np.array([3.5])}, 0.05)
    assert (found.value, "19 are needed" in found.note) == (3.5, True)
    found = alarm_line({"scores": SCORES}, 0.05)
    assert (found.value, "highest score of a healthy layer" in found.note) == (1.0, True)
