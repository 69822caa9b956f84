"""What the gate remembers: no mistake breeds others."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from layerwatch.images.gate.base import Clock, Known, Past, Seen
from layerwatch.images.gating import Gate
from layerwatch.images.looks import Look
from layerwatch.images.recollection import DOUBT, MILD, after, beside_refused, in_other_lights, is_closer
from layerwatch.records import Fault, Shot
from layerwatch.testing.frames import sound_shots

SIZE = (96, 128)
KNOWN = Known(8, 8, 16, 20.0)
TOLD = st.lists(st.tuples(st.sampled_from(["", "defocus", "open_door"]), st.floats(0, 12)), min_size=1, max_size=40)


@pytest.fixture(scope="module")
def gate() -> Gate:
    return Gate().fit(sound_shots(seed, 12, SIZE) for seed in range(8))


def series(told: list[tuple[str, float]]) -> list[tuple[Past, Fault | None, float]]:
    """What is remembered after each of these frames."""
    past, out = Past("job", Clock(20.0)), []
    for layer, (kind, unusual) in enumerate(told):
        seen = Seen(Shot("job", layer, 20.0 * layer, np.full((8, 8), layer, np.uint16)), KNOWN, past)
        fault = Fault("job", layer, kind, "x", "y") if kind else None
        past = after(seen, fault, unusual)
        out.append((past, fault, unusual))
    return out


@given(TOLD)
def test_the_reference_is_never_a_frame_with_a_fault(told: list[tuple[str, float]]) -> None:
    faulty = {layer for layer, (kind, _) in enumerate(told) if kind}
    for layer, (past, fault, _) in enumerate(series(told)):
        remembered = [look.layer for look in (*past.earlier, *([past.before] if past.before else []))]
        assert not faulty & set(remembered)
        assert remembered == sorted(set(remembered))
        assert len(past.earlier) <= 6
        assert past.came == set(range(layer + 1))
        assert (past.refused is None) == (fault is None)


@given(TOLD)
def test_an_unusual_frame_is_no_reference_unless_several_are(told: list[tuple[str, float]]) -> None:
    before: Look | None = None
    doubts = 0
    for layer, (past, fault, unusual) in enumerate(series(told)):
        if fault is None:
            admitted = before is None or unusual < DOUBT or doubts == 4
            before, doubts = (past.before, 0) if admitted else (before, doubts + 1)
            assert past.before is not None
            assert (past.before.layer == layer) == admitted
        assert (past.before, past.doubts) == (before, doubts)


def test_a_frame_is_held_against_older_ones_with_the_same_look() -> None:
    past = series([("", 0.0)] * 5)[-1][0]
    seen = Seen(Shot("job", 5, 100.0, np.zeros((8, 8), np.uint16)), KNOWN, past)
    others = list(in_other_lights(seen))
    assert [other.past.before.layer for other in others if other.past.before] == [3, 0]
    assert [len(other.past.earlier) for other in others] == [3, 0]
    assert all(other.now is seen.now for other in others)
    assert beside_refused(seen) is None
    alone = Seen(seen.shot, KNOWN, series([("", 0.0)])[-1][0])
    assert list(in_other_lights(alone)) == []


@pytest.mark.parametrize(
    ("unusual", "is_held"), [(DOUBT - 0.1, False), (DOUBT, True), (MILD, True), (MILD + 0.1, False)]
)
def test_the_frame_before_is_another_light_where_it_was_mildly_unusual(unusual: float, is_held: bool) -> None:
    past = series([*[("", 0.0)] * 3, ("", unusual)])[-1][0]
    seen = Seen(Shot("job", 4, 80.0, np.zeros((8, 8), np.uint16)), KNOWN, past)
    assert (past.doubted is not None) == is_held
    layers = [other.past.before.layer for other in in_other_lights(seen) if other.past.before]
    assert (layers[0] == 3) == is_held
    assert series([("", 0.0), ("", unusual), ("defocus", 9.0)])[-1][0].doubted is None


@given(st.integers(0, 65535), st.integers(0, 65535), st.integers(0, 65535))
def test_of_two_frames_at_most_one_is_the_closer_one(level: int, reference: int, older: int) -> None:
    def even(layer: int, grey: int) -> Look:
        return Look(Shot("job", layer, 20.0 * layer, np.full((8, 8), grey, np.uint16)))

    past = Past("job", Clock(20.0))
    shot = Shot("job", 9, 180.0, np.full((8, 8), level, np.uint16))
    seen = Seen(shot, KNOWN, replace(past, before=even(2, reference)))
    other = seen.against(replace(past, before=even(1, older)))
    assert not (is_closer(other, seen) and is_closer(seen, other))
    assert is_closer(other, seen) == (abs(level - older) < 0.8 * abs(level - reference))
    assert not is_closer(seen.against(past), seen)


def kinds(gate: Gate, shots: list[Shot]) -> list[str]:
    gate.begin("job")
    return [answer.fault.kind if answer.fault else "" for answer in map(gate.judge, shots)]


@pytest.mark.parametrize("seed", [31, 32, 33])
def test_a_missed_fault_does_not_have_healthy_frames_refused(gate: Gate, seed: int) -> None:
    """A flipped frame that somehow became the reference: healthy ones agree with those before it."""
    shots = sound_shots(seed, 10, SIZE)
    gate.begin("job")
    for shot in shots[:5]:
        assert gate.judge(shot).is_sound
    past: Any = gate._past
    flipped = Look(replace(shots[5], frame=shots[5].frame[:, ::-1].copy()))
    gate._past = replace(past, before=flipped, earlier=(*past.earlier, past.before), came=past.came | {45})
    assert [gate.judge(shot).is_sound for shot in shots[6:]] == [True] * 4


def test_a_fault_that_lasts_until_it_is_mended_lasts(gate: Gate) -> None:
    shots = list(sound_shots(34, 30, SIZE))
    flipped = [replace(shot, frame=shot.frame[:, ::-1].copy()) for shot in shots[4:28]]
    told = kinds(gate, [*shots[:4], *flipped, *shots[28:]])
    assert told[:16] == [""] * 4 + ["mirrored"] * 12
    assert all(told[16:28])
    assert told[28:] == [""] * 2


def test_what_is_over_by_itself_becomes_the_ordinary_state(gate: Gate) -> None:
    """A cold gradient that stays for 16 layers is no door that stands open for ever: the machine has changed."""
    shots = list(sound_shots(35, 24, SIZE))
    way = np.linspace(0, 1, SIZE[1])
    cold = (0.1 * np.exp(-way / 0.35) + 0.01) * 65535
    changed = [replace(shot, frame=(shot.frame - cold).astype(np.uint16)) for shot in shots[4:]]
    told = kinds(gate, [*shots[:4], *changed])
    assert told[:4] == [""] * 4
    assert told[4:11] == ["open_door"] * 7
    assert told[12:] == [""] * 12
