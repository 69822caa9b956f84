"""One check of the gate -> AssertionError where it breaks what all checks promise; and sound frames to try it on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import is_dataclass, replace

import numpy as np

from layerwatch.images.gate.base import Check, Clock, Known, Look, Past, Seen
from layerwatch.records import Shot

_STEP = 20.0  # s, layer time


def sound_shots(seed: int, layers: int = 12, size: tuple[int, int] = (96, 128), job: str = "job") -> tuple[Shot, ...]:
    """A warm bed, a colder part that grows, sand whose texture changes from layer to layer, the sensor's noise."""
    rng, (h, w) = np.random.default_rng(seed), size
    rows, columns = np.indices(size) / [[[h]], [[w]]]
    field = 0.01 * np.sin(3 * rows + rng.uniform(0, 6)) * np.cos(2 * columns + rng.uniform(0, 6))
    level, place, shots = 0.45 + 0.1 * rng.random(), rng.uniform(-0.05, 0.05, 2), []
    grain = _grain(rng, size)
    for layer in range(layers):
        grain = 0.6 * grain + 0.8 * _grain(rng, size)
        wide = 0.2 + 0.002 * layer
        part = (np.abs(rows - 0.4 - place[0]) < wide) & (np.abs(columns - 0.6 - place[1]) < wide)
        hole = (np.abs(rows - 0.35) < 0.08) & (np.abs(columns - 0.62) < 0.05)
        grey = level + field - 0.1 * (part & ~hole) + 0.006 * grain + 0.0012 * rng.standard_normal(size)
        time = _STEP * (layer + 0.9 + 0.01 * rng.standard_normal())
        shots.append(Shot(job, 40 + layer, time, (np.clip(grey, 0, 1) * 65535).astype(np.uint16)))
    return tuple(shots)


def _grain(rng: np.random.Generator, size: tuple[int, int]) -> np.ndarray:
    """White noise averaged over 4 x 4 pixels, of unit variance."""
    white = np.pad(rng.standard_normal(size), 2, mode="wrap")
    total = sum(white[i : i + size[0], j : j + size[1]] for i in range(4) for j in range(4))
    return np.asarray(total / 4)


def check_check(kind: type[Check]) -> None:
    """It says what it is, takes as many numbers as it promises, the same each time, and changes nothing.

    Args:
        kind: the class.
    """
    assert issubclass(kind, Check), f"{kind.__name__} must derive from Check"
    assert is_dataclass(kind), f"{kind.__name__} must be a dataclass: its settings are its fields"
    for word in ("summary", "source", "advice"):
        text = getattr(kind, word, "")
        assert text and "\n" not in text and len(text) <= 120, f"{kind.__name__}.{word} must be one line"
    assert isinstance(kind.rank, int), f"{kind.__name__}.rank says which check names a fault that several see"
    check, shots = kind(), sound_shots(1, 4)
    for number in range(len(shots)):
        numbers, again = (check.measure(_seen(shots, number)) for _ in range(2))
        assert len(numbers) == kind.measures, f"{len(numbers)} numbers measured, {kind.measures} promised"
        np.testing.assert_array_equal(numbers, again, err_msg="the same frame must give the same numbers")
        if number:
            assert any(np.isfinite(one) for one in numbers) or not numbers, "something must be told of a sound frame"
        found = check.find(_seen(shots, number), numbers, np.zeros(len(numbers)))
        assert found is None, f"no fault in a sound frame whose numbers are usual: {found}"
    _takes_odd_frames(check, shots)


def _takes_odd_frames(check: Check, shots: Sequence[Shot]) -> None:
    """Frames of another size, a black one and a cut one are no reason to fail."""
    frames = [np.zeros_like(shots[1].frame), np.full_like(shots[1].frame, 65535), shots[1].frame[:30, :30]]
    for shot in (*(replace(shots[1], frame=frame) for frame in frames), replace(shots[1], share=0.4)):
        seen = _seen((shots[0], shot), 1)
        numbers = check.measure(seen) if seen.fits else (float("nan"),) * check.measures
        found = check.find(seen, numbers, np.zeros(len(numbers)))
        assert found is None or found.evidence, "a fault comes with its evidence"


def _seen(shots: Sequence[Shot], number: int) -> Seen:
    h, w = shots[0].frame.shape
    past = Past(shots[0].job, Clock(_STEP))
    for shot in shots[:number]:
        look = Look(shot)
        came, digests = past.came | {shot.layer}, (*past.digests, (look.digest, shot.layer))
        past = replace(past, clock=past.clock.after(shot.layer, shot.time), before=look, came=came, digests=digests)
    return Seen(shots[number], Known(h, w, 16, _STEP), past)
