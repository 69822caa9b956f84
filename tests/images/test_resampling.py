"""Resampling: means over areas, exact where they can be, and the same weights for every frame."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from layerwatch.images.resampling import resampling, shrunk


def scaled(factor: float, shift: float = 0.0):  # type: ignore[no-untyped-def] # a test's own map
    return lambda at: at * factor + shift


def test_the_same_grid_gives_the_same_pixels() -> None:
    image = np.random.default_rng(0).normal(size=(20, 30)).astype(np.float32)
    np.testing.assert_allclose(resampling(scaled(1.0), (20, 30), (20, 30)).apply(image), image, atol=1e-6)


@given(st.integers(1, 7), st.integers(8, 24), st.integers(8, 24))
def test_whole_pixels_into_one_are_their_mean(factor: int, rows: int, columns: int) -> None:
    image = np.random.default_rng(rows).integers(0, 65536, (rows * factor, columns * factor)).astype(np.uint16)
    means = image.reshape(rows, factor, columns, factor).mean((1, 3))
    np.testing.assert_allclose(shrunk(image, factor), means, rtol=1e-6)
    grid = resampling(scaled(factor), image.shape, (rows, columns))
    np.testing.assert_allclose(grid.apply(image), means, rtol=1e-5)


@pytest.mark.parametrize("factor", [1.3, 1.7, 2.4, 3.6, 5.5, 9.2])
def test_shrinking_keeps_the_mean_and_every_pixel_counts_alike(factor: float) -> None:
    rng, side = np.random.default_rng(1), 40
    size = int(np.ceil(side * factor)) + 2
    grid = resampling(scaled(factor), (size, size), (side, side))
    image = rng.normal(300.0, 40.0, (size, size)).astype(np.float32)
    inner = image[: int(side * factor), : int(side * factor)]
    assert grid.apply(image).mean() == pytest.approx(inner.mean(), abs=0.6)
    counted = (grid.weights.T @ np.ones(side * side)).reshape(size // grid.factor, -1)[2:-4, 2:-4]
    assert counted.std() / counted.mean() < 0.13


def test_enlarging_is_bilinear() -> None:
    image = np.add.outer(np.arange(10.0), 3 * np.arange(12.0)).astype(np.float32)
    large = resampling(scaled(0.25), (10, 12), (40, 48)).apply(image)
    y, x = (np.arange(40) + 0.5) / 4 - 0.5, (np.arange(48) + 0.5) / 4 - 0.5
    np.testing.assert_allclose(large[4:-4, 4:-4], np.add.outer(y, 3 * x)[4:-4, 4:-4], atol=1e-4)


def test_what_lies_outside_is_nan_or_what_was_said() -> None:
    image = np.full((16, 16), 7, np.uint8)
    grid = resampling(scaled(1.0, -4.0), (16, 16), (16, 16))
    found = grid.apply(image)
    assert np.isnan(found[:4]).all()
    assert np.isnan(found[:, :4]).all()
    np.testing.assert_array_equal(found[4:, 4:], 7)
    assert (grid.apply(image, border=-1.0)[:4] == -1).all()
    assert grid.seen[:4].max() == 0
    assert grid.seen[4:, 4:].min() == 1


def test_half_a_pixel_in_the_frame_is_the_mean_of_what_is_seen() -> None:
    image = np.full((32, 32), 5.0, np.float32)
    found = resampling(scaled(4.0, -10.0), (32, 32), (8, 8)).apply(image)
    assert np.isnan(found[:2]).all()
    np.testing.assert_allclose(found[2, 3:], 5.0)


def test_blocks_do_not_show() -> None:
    image = np.random.default_rng(0).normal(size=(400, 300)).astype(np.float32)
    whole = resampling(scaled(0.5, 3.0), (400, 300), (700, 500))
    part = resampling(lambda at: scaled(0.5, 3.0)(at + np.array([0, 650.0])), (400, 300), (50, 500))
    np.testing.assert_allclose(whole.apply(image)[650:], part.apply(image), atol=1e-5)
