"""p-values of scores: they fall with the score, count among healthy layers, and keep their promise."""

from __future__ import annotations

import numpy as np
import pytest

from layerwatch.journeys.score_scale import Scale, scale_of_raw


def jobs(count: int, layers: int, seed: int) -> tuple[np.ndarray, ...]:
    """Maxima with their median at 0 and their 99th percentile at 1."""
    steep = np.log(np.log(0.5) / np.log(0.99))
    drawn = np.random.default_rng(seed).random((count, layers))
    return tuple(np.log(np.log(0.5) / np.log(drawn)) / steep)


@pytest.mark.parametrize("scale", [Scale(), Scale(jobs(1, 1, 0)), Scale(jobs(5, 30, 1))], ids=["none", "one", "many"])
def test_p_never_rises_with_the_score_and_does_not_jump_where_counting_ends(scale: Scale) -> None:
    scores = np.linspace(-3, 6, 2000)
    p = np.array([scale.p_value(float(score)).value for score in scores])
    assert (np.diff(p) <= 0).all()
    assert p[-1] > 0
    assert p[0] <= 1
    top = max((float(job.max()) for job in scale.healthy), default=1.0)
    near, beyond = (scale.p_value(top + step).value for step in (1e-9, 0.01))
    assert near == pytest.approx(beyond, rel=0.1)


def test_without_healthy_layers_a_score_means_what_the_detector_says() -> None:
    assert Scale().p_value(0).value == pytest.approx(0.5)
    assert Scale().p_value(1).value == pytest.approx(0.01)
    assert Scale().p_value(1).kind == "tail"


def test_ranks_count_and_further_healthy_layers_raise_few_alarms() -> None:
    scale = Scale(jobs(20, 50, 2))
    top = max(float(job.max()) for job in scale.healthy)
    assert scale.p_value(top).kind == "rank"
    assert scale.p_value(top).value == pytest.approx(2 / 1001)
    assert scale.p_value(top + 0.1).kind == "tail"
    fresh = np.concatenate(jobs(20, 500, 3))
    rate = np.mean([scale.p_value(float(score)).value < 0.05 for score in fresh])
    assert rate == pytest.approx(0.05, abs=0.015)


def test_each_healthy_job_is_judged_by_the_others() -> None:
    calm = Scale(jobs(10, 40, 4)).alarms(0.001)
    assert (calm.jobs, calm.of_jobs, calm.of_layers) == (calm.layers > 0, 10, 400)
    odd = Scale((*jobs(10, 40, 4), np.full(40, 9.0))).alarms(0.001)
    assert odd.layers >= 40
    assert odd.jobs >= 1


def test_scores_without_a_unit_get_one() -> None:
    scale = scale_of_raw([1e-4 * np.arange(100), 1e-4 * np.arange(100)])
    assert scale.standard(49.5e-4) == pytest.approx(0)
    assert scale.standard(98.1e-4) == pytest.approx(1, abs=0.01)
    same = scale_of_raw([np.ones(4)])
    assert np.isfinite(same.standard(2.0))
