"""Lenses: taken out as they were put in, fitted from a target, refused where they fold the picture."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from layerwatch.images.homography import fit_homography, mapped
from layerwatch.images.lens import Lens, calibrate
from layerwatch.records import DataError

BED = np.array([[0, 0], [800, 0], [800, 500], [0, 500]], np.float64)
SEEN = np.array([[102.0, 61.0], [1180.0, 40.0], [1250.0, 770.0], [35.0, 760.0]])
LENS = Lens((640.0, 400.0), 755.0, k1=-0.12, k2=0.03, p1=0.002, p2=-0.001)


def target(columns: int = 9, rows: int = 6) -> np.ndarray:
    x, y = np.meshgrid(np.linspace(20, 780, columns), np.linspace(20, 480, rows))
    return np.stack([x.ravel(), y.ravel()], 1)


@given(st.floats(-0.2, 0.2), st.floats(0.0, 0.05), st.floats(-0.005, 0.005), st.floats(-0.005, 0.005))
def test_distortion_is_undone(k1: float, k2: float, p1: float, p2: float) -> None:
    lens = Lens((640.0, 400.0), 755.0, k1, k2, p1, p2)
    x, y = np.meshgrid(np.linspace(0, 1280, 9), np.linspace(0, 800, 7))
    points = np.stack([x, y], -1)
    np.testing.assert_allclose(lens.ideally(lens.distorted(points)), points, atol=1e-5)


def test_the_formula_of_brown_and_conrady() -> None:
    lens = Lens((0.0, 0.0), 1.0, k1=0.1, k2=0.01, p1=0.001, p2=0.002)
    x, y = 0.6, 0.8  # r squared is 1
    expected = [
        x * 1.11 + 2 * 0.001 * x * y + 0.002 * (1 + 2 * x * x),
        y * 1.11 + 0.001 * (1 + 2 * y * y) + 0.004 * x * y,
    ]
    np.testing.assert_allclose(lens.distorted(np.array([[x, y]])), [expected], rtol=1e-12)


def test_an_ideal_lens_does_nothing() -> None:
    lens, points = Lens.ideal(640, 480), np.array([[1.0, 2.0], [600.0, 400.0]])
    assert lens.is_ideal
    np.testing.assert_array_equal(lens.distorted(points), points)
    np.testing.assert_array_equal(lens.ideally(points), points)


def test_lens_and_homography_are_found_from_a_target() -> None:
    H = fit_homography(BED, SEEN)
    seen = LENS.distorted(mapped(H, target()))
    found = calibrate(target(), seen, Lens.ideal(1280, 800), fit_lens=True)
    at = target(23, 17)
    np.testing.assert_allclose(
        found.lens.distorted(mapped(found.homography, at)), LENS.distorted(mapped(H, at)), atol=1e-3
    )
    assert found.residual < 1e-4
    assert calibrate(target(), seen, Lens.ideal(1280, 800)).residual > 1.0, "without a lens it does not fit"
    known = calibrate(target(), seen, LENS)
    np.testing.assert_allclose(known.homography, H / H[2, 2], rtol=1e-5, atol=1e-7)


def test_the_residual_tells_the_noise_of_the_points() -> None:
    rng, H = np.random.default_rng(0), fit_homography(BED, SEEN)
    seen = LENS.distorted(mapped(H, target(14, 10))) + rng.normal(0, 0.3, (140, 2))
    residual = calibrate(target(14, 10), seen, Lens.ideal(1280, 800), fit_lens=True).residual
    assert residual == pytest.approx(0.3, rel=0.15)


def test_too_few_points_for_a_lens_are_refused() -> None:
    with pytest.raises(DataError, match="6 points are too few for the lens"):
        calibrate(target(3, 2), target(3, 2), Lens.ideal(1280, 800), fit_lens=True)


def test_a_lens_that_folds_the_picture_is_refused() -> None:
    with pytest.raises(DataError, match="folds the picture"):
        Lens((640.0, 400.0), 755.0, k1=-1.0).ideally(np.array([[1280.0, 800.0]]))
