"""Where the heat changed the most: a smudge veils the fine picture there, drifting heat leaves it."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from layerwatch.images.comparing import Change
from layerwatch.images.looks import Look
from layerwatch.records import Shot

SIZE = (128, 128)
ROWS, COLUMNS = np.indices(SIZE)
PART = np.asarray((ROWS // 9 + COLUMNS // 7) % 2, float)  # walls all over a bed without texture


def frame(heat: np.ndarray, seed: int) -> Look:
    noise = np.random.default_rng(seed).normal(0, 0.0005, SIZE)
    return Look(Shot("job", seed, 0.0, np.rint((heat + noise) * 65535).astype(np.uint16)))


def bump(radius: float) -> np.ndarray:
    return np.asarray(1 / (1 + np.exp(8 * (np.hypot(ROWS - 60, COLUMNS - 70) / radius - 1))))


@pytest.mark.parametrize("radius", [15.0, 25.0])
def test_a_smudge_veils_and_a_drift_does_not(radius: float) -> None:
    bed = 0.45 + 0.04 * PART
    smudge, before = bump(radius), frame(bed, 1)
    through = 0.6 * ndimage.gaussian_filter(bed, 2.0) + 0.4 * 0.3
    change = Change(frame(bed + smudge * (through - bed), 2), before)
    veiled, spot = change.veil, change.spot
    drifted = Change(frame(bed - 0.08 * smudge, 2), before).veil
    assert veiled.heat > 0.03
    assert veiled.lost > 1.4
    assert veiled.faded > 0.5
    assert 0.5 < spot.share / (np.pi * radius**2 / 128**2) < 1.6
    assert spot.alone == 1
    assert 1 <= spot.long < 1.5
    assert drifted.heat > 0.03
    assert abs(drifted.lost) < 0.2
    assert abs(drifted.faded) < 0.1


def test_a_stripe_is_long_and_two_places_are_not_alone() -> None:
    bed = 0.45 + 0.04 * PART
    stripe = Change(frame(bed - 0.05 * (np.abs(ROWS - 60) < 12), 2), frame(bed, 1)).spot
    assert stripe.long > 3
    two = Change(frame(bed - 0.05 * (bump(12.0) + np.roll(bump(12.0), 64, 1)), 2), frame(bed, 1)).spot
    assert 0.4 < two.alone < 0.6


def test_nothing_to_compare_is_no_veil() -> None:
    flat = Look(Shot("job", 1, 0.0, np.full(SIZE, 30000, np.uint16)))
    change = Change(flat, flat)
    assert change.veil.heat == 0
    assert np.isfinite([change.veil.lost, change.veil.faded, change.spot.share, change.spot.long]).all()
