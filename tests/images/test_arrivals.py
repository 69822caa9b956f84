from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from layerwatch.images.arrivals import shot_of, unread
from layerwatch.images.gate.base import Known
from layerwatch.images.grey import to_grey
from layerwatch.images.plain_gate import PLAIN, plain_gate
from layerwatch.records import LayerImage, Shot

KNOWN = Known(6, 8, 16, 20.0)
FINE = np.arange(48, dtype=np.uint16).reshape(6, 8) * 999


def image(levels: np.ndarray, bits: int | None, time: datetime | None = None) -> LayerImage:
    return LayerImage("job", 7, to_grey(levels, "x"), time=time, bits=bits)


@given(st.integers(0, 2**32 - 1))
def test_levels_come_back_in_the_depth_of_the_file(seed: int) -> None:
    rng = np.random.default_rng(seed)
    deep = rng.integers(0, 65536, (6, 8)).astype(np.uint16)
    deep[0, 0] = 1  # of no 8 bits
    np.testing.assert_array_equal(shot_of(image(deep, 16), KNOWN).frame, deep)
    flat = rng.integers(0, 256, (6, 8)).astype(np.uint8)
    told = shot_of(image(flat, 8), KNOWN)
    assert told.bits == 8
    np.testing.assert_array_equal(told.frame, flat)


def test_eight_bits_are_one_depth_in_whichever_file() -> None:
    flat = np.arange(48, dtype=np.uint8).reshape(6, 8)
    spread = flat.astype(np.uint16) * 257
    eight, coarse = Known(6, 8, 8, 20.0, coarse=True), Known(6, 8, 16, 20.0, coarse=True)
    for known, bits, frame in ((eight, 8, flat), (coarse, 16, spread)):
        for one in (image(flat, 8), image(spread, 16)):
            told = shot_of(one, known)
            assert told.bits == bits
            np.testing.assert_array_equal(told.frame, frame)
    assert shot_of(image(FINE, 16), eight).bits == 16
    assert shot_of(image(FINE, None), KNOWN).bits == 16


def test_a_time_is_told_or_unknown() -> None:
    moment = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert shot_of(image(FINE, 16, moment), KNOWN).time == moment.timestamp()
    assert np.isnan(shot_of(image(FINE, 16), KNOWN).time)


def test_the_plain_gate_names_what_needs_no_learning() -> None:
    rng = np.random.default_rng(0)
    frames = [rng.integers(0, 65536, (64, 48)).astype(np.uint16) for _ in range(3)]
    gate = plain_gate((64, 48))

    def kind(frame: np.ndarray, layer: int) -> str:
        answer = gate.judge(Shot("job", layer, float("nan"), frame))
        assert not answer.others
        return answer.fault.kind if answer.fault else ""

    gate.begin("job")
    told = [kind(frames[0], 1), kind(frames[1], 9), kind(frames[0], 10), kind(frames[1], 9), kind(frames[2][:-1], 11)]
    assert told == ["", "", "frozen", "duplicated", "wrong_size"]
    assert kind(np.zeros((64, 48), np.uint16), 12) == "black"
    assert gate.judge(unread("job", 13)).fault is not None
    assert {check.name for check in gate.checks} == set(PLAIN)


@pytest.mark.parametrize("size", [None, (64, 48)])
def test_a_gate_without_checks_lets_everything_pass(size: tuple[int, int] | None) -> None:
    gate = plain_gate(size, ()).begin("job")
    assert all(gate.judge(Shot("job", 1, 0.0, np.zeros((5, 5), np.uint16))).is_sound for _ in range(2))
    assert "wrong_size" not in {check.name for check in plain_gate(None).checks}
