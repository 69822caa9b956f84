"""Nominal layers: middle, radius and outline by their own figures; softened shares and slopes between pixels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layerwatch.images.nominal import Nominal
from layerwatch.images.placement import Similarity
from layerwatch.images.registration import register
from layerwatch.images.soft_plan import band_of
from layerwatch.records import DataError


def disc(x: float, y: float, radius: float = 15.0, side: int = 64) -> np.ndarray:
    v, u = (np.mgrid[: 8 * side, : 8 * side] + 0.5) / 8
    return np.asarray((np.hypot(u - x, v - y) < radius).reshape(side, 8, side, 8).mean((1, 3)), np.float32)


@settings(max_examples=25, deadline=None)
@given(st.floats(-3, 3), st.floats(-3, 3))
def test_middle_radius_and_outline_follow_the_part(x: float, y: float) -> None:
    one = Nominal(disc(32 + x, 32 + y))
    np.testing.assert_allclose(one.middle, (32 + x, 32 + y), atol=0.02)
    assert abs(one.radius - 15 / np.sqrt(2)) < 0.2
    away = np.hypot(*(one.crossings - np.array(one.middle)).T)
    assert np.abs(away - 15).max() < 0.2


@settings(max_examples=25, deadline=None)
@given(st.floats(-0.5, 0.5), st.floats(-0.5, 0.5), st.sampled_from([0.8, 1.0, 1.6]))
def test_between_pixels_the_share_is_that_of_the_moved_part(dx: float, dy: float, sigma: float) -> None:
    v, u = np.mgrid[8:56, 8:56].reshape(2, -1).astype(np.float32) + np.float32(0.5)
    here, there = Nominal(disc(32, 32)).soft(sigma), Nominal(disc(32 - dx, 32 - dy)).soft(sigma)
    share, right, down, _ = here.looked_up(u + np.float32(dx), v + np.float32(dy))
    moved = there.looked_up(u, v)
    assert np.abs(share - moved[0]).max() < 0.06, "pixels at a sharp edge do not hold its place in them"
    assert np.sqrt(np.mean((share - moved[0]) ** 2)) < 0.01
    assert np.sqrt(np.mean((right - moved[1]) ** 2 + (down - moved[2]) ** 2)) < 0.03


def test_a_blur_is_made_once() -> None:
    one = Nominal(disc(32, 32))
    assert one.soft(1.0) is one.soft(1.01)
    assert one.soft(1.0) is not one.soft(1.0, 2)
    assert one.soft(1.2).sigma == pytest.approx(1.2, rel=0.03)


def test_the_band_lies_where_the_outline_is_seen() -> None:
    place = Similarity((32.0, 32.0), (4.0, -3.0))
    band = band_of(Nominal(disc(32, 32)).soft(1.0), place, np.ones((64, 64), bool))
    away = np.hypot(band.points[0] - 36, band.points[1] - 29)
    assert np.abs(away - 15).max() < 6
    assert len(set(zip(band.rows.tolist(), band.columns.tolist(), strict=True))) == len(band.rows) > 400


def test_a_prepared_plan_gives_the_same_answer_each_time() -> None:
    coverage = disc(32, 32) - disc(38, 30, 5.0)
    noise = 0.003 * np.random.default_rng(0).normal(size=(64, 64))
    frame = (0.5 - 0.1 * (disc(32.6, 31.2) - disc(38.6, 29.2, 5.0)) + noise).astype(np.float32)
    plain, nominal = register(frame, coverage, 1.0).placed, Nominal(coverage)
    assert plain is not None
    np.testing.assert_allclose(plain.shift_mm, (0.6, -0.8), atol=0.1)
    for _ in range(2):
        again = register(frame, nominal, 1.0).placed
        assert again is not None
        assert again.shift_mm == plain.shift_mm
        np.testing.assert_array_equal(again.covariance, plain.covariance)


def test_a_coverage_beyond_one_or_unknown_is_refused() -> None:
    for wrong in (2 * disc(32, 32), np.full((8, 8), np.nan, np.float32)):
        with pytest.raises(DataError, match=r"lies in \[0, 1\]"):
            Nominal(wrong)
