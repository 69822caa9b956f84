from __future__ import annotations

import numpy as np
import pytest

from layerwatch.evaluation.courses import (
    Course,
    Line,
    delay,
    false_alarm_jobs,
    hits,
    line_of,
    mean_of,
    separation,
    worst_of,
)
from layerwatch.evaluation.metrics import auroc
from layerwatch.records import DataError


def course(scores: list[float], onset: int | None = None, seed: int = 0, job: str = "job") -> Course:
    defective = np.zeros(len(scores), bool)
    if onset is not None:
        defective[onset:] = True
    return Course(job, seed, np.array(scores, np.float64), defective)


def test_separation_is_the_auroc_of_layers_of_the_same_ages() -> None:
    rng = np.random.default_rng(3)
    healthy = [course(rng.normal(0, 1, 8).tolist(), job=f"h{n}") for n in range(7)]
    bad = [course(rng.normal(0.7, 1, 8).tolist(), 5, job=f"b{n}") for n in range(6)]
    told = separation(healthy, bad, range(5, 8)).estimate
    plain = auroc(
        np.concatenate([own.scores[5:] for own in healthy]),
        np.concatenate([own.scores[5:] for own in bad]),
        [own.job for own in healthy for _ in range(3)],
        [own.job for own in bad for _ in range(3)],
    )
    assert (told.value, told.low, told.high) == pytest.approx((plain.value, plain.low, plain.high))
    third = separation(healthy, bad, range(5, 8), which=2)
    assert third.value == pytest.approx(np.mean([b.scores[7] > s for b in bad for h in healthy for s in h.scores[5:]]))


def test_seeds_are_never_compared_with_each_other() -> None:
    healthy = [course([0, 0], seed=0), course([10, 10], seed=1)]
    bad = [course([0, 1], 1, seed=0), course([0, 11], 1, seed=1)]
    assert separation(healthy, bad, range(1, 2)).value == 1
    below = [course([0, 1], 1, seed=0), course([0, 9], 1, seed=1)]
    half = separation(healthy, below, range(1, 2))
    assert half.value == 0.5
    both = [separation(healthy, bad, range(1, 2)), half]
    assert mean_of(both).value == 0.75
    assert worst_of(both) is half


def test_the_line_keeps_the_promise_that_so_many_jobs_support() -> None:
    healthy = [course([0, float(n)]) for n in range(19)]
    assert line_of(healthy) == Line(18.0, 0.05)
    assert line_of(healthy[:4]) == Line(3.0, 0.2)
    many = [course([float(n)]) for n in range(59)]
    assert line_of(many) == Line(56.0, 0.05)
    with pytest.raises(DataError, match="no healthy job"):
        line_of([])


def test_hits_false_alarms_and_delays_are_counted_by_job() -> None:
    lines = {0: Line(1.0, 0.05), 1: Line(5.0, 0.05)}
    courses = [
        course([9, 0, 2, 0], 1),  # alarmed at its second defective layer; what was before does not count
        course([0, 2, 0, 0], 1),
        course([0, 2, 2, 2], 1, seed=1),  # below its own seed's line
    ]
    assert hits(courses, lines, 1).value == pytest.approx(1 / 3)
    assert hits(courses, lines).value == pytest.approx(2 / 3)
    assert delay(courses, lines, 0.5).value == 2
    assert delay(courses, lines, 0.9).value == np.inf
    assert delay(courses[:2], lines, 0.5).value == 1
    told = false_alarm_jobs([course([0, 1, 1])] * 20, lines)
    assert (told.value, told.low) == (0, 0)
    assert told.high == pytest.approx(1 - 0.05 ** (1 / 20))
    assert false_alarm_jobs(courses, lines).value == pytest.approx(2 / 3)
    with pytest.raises(DataError, match="no job"):
        hits([], lines)
    with pytest.raises(DataError, match="no job"):
        false_alarm_jobs([], lines)
    with pytest.raises(DataError, match="no defective job"):
        delay([], lines, 0.5)


def test_a_seed_without_defective_layers_is_named() -> None:
    with pytest.raises(DataError, match="seed 0: 1 healthy and 0 defective"):
        separation([course([0, 1])], [course([0, 1])], range(2))
