"""What a gate learns from round after round: the same numbers, taken once."""

from __future__ import annotations

import gc
from collections.abc import Callable

import numpy as np
import pytest

from layerwatch.images.gate.base import Clock, Known, Past, Seen
from layerwatch.images.gating import Gate
from layerwatch.images.looks import Look
from layerwatch.images.remembered import Remembered, Row
from layerwatch.testing.frames import sound_shots

KNOWN = Known(48, 64, 16, 20.0)
JOBS = [sound_shots(seed, layers=12, size=(48, 64)) for seed in range(5)]


def counted() -> tuple[Callable[[Seen], Row], list[Seen]]:
    asked: list[Seen] = []

    def measure(seen: Seen) -> Row:
        asked.append(seen)
        return np.array([float(len(asked))])

    return measure, asked


def test_a_gate_learns_and_says_the_same_with_a_memory() -> None:
    plain, remembering = Gate().fit(JOBS), Gate(memory=Remembered())
    for _ in range(2):
        remembering.fit(JOBS)
    assert plain.tails_ is not None
    assert remembering.tails_ is not None
    assert np.array_equal(plain.tails_.start, remembering.tails_.start, equal_nan=True)
    for gate in (plain, remembering):
        gate.begin("job")
    for shot in JOBS[0]:
        assert plain.judge(shot) == remembering.judge(shot)


def test_numbers_of_a_pair_are_taken_once_and_those_of_another_pair_anew() -> None:
    memory, (measure, asked) = Remembered(), counted()
    looks = [memory.look(shot) for shot in JOBS[0][:3]]
    past = Past("job", Clock(20.0))
    pairs = [Seen(looks[2].shot, KNOWN, Past("job", Clock(20.0), before=looks[k]), None, looks[2]) for k in (0, 1)]
    first = Seen(looks[2].shot, KNOWN, past, None, looks[2])
    rows = [memory.numbers(seen, measure)[0] for seen in (*pairs, first, *pairs, first)]
    assert rows == [1, 2, 3, 1, 2, 3]
    assert len(asked) == 3


def test_a_frame_beside_its_plan_is_measured_anew() -> None:
    memory, (measure, asked) = Remembered(), counted()
    seen = Seen(JOBS[0][0], KNOWN, Past("job", Clock(20.0)), np.zeros((48, 64), np.uint8))
    assert [memory.numbers(seen, measure)[0] for _ in range(2)] == [1, 2]
    assert len(asked) == 2


def test_a_closed_memory_tells_what_it_knows_and_takes_in_no_more() -> None:
    memory, (measure, _) = Remembered(), counted()
    one, other = (Seen(shot, KNOWN, Past("job", Clock(20.0))) for shot in JOBS[0][:2])
    memory.numbers(one, measure)
    memory.close()
    assert [memory.numbers(seen, measure)[0] for seen in (one, other, other)] == [1, 2, 3]
    assert memory.look(JOBS[0][0]) is not memory.look(JOBS[0][0])


def test_numbers_go_with_their_frames() -> None:
    memory, (measure, asked) = Remembered(), counted()
    shot = sound_shots(9, layers=2, size=(48, 64))[0]
    memory.numbers(Seen(shot, KNOWN, Past("job", Clock(20.0))), measure)
    asked.clear()
    del shot
    gc.collect()
    assert not memory._numbers


@pytest.mark.parametrize("memory", [None, Remembered()])
def test_a_look_is_one_and_the_same_only_where_it_is_remembered(memory: Remembered | None) -> None:
    gate = Gate(memory=memory)
    first, again = gate._look(JOBS[0][0]), gate._look(JOBS[0][0])
    assert isinstance(first, Look)
    assert (first is again) == (memory is not None)
