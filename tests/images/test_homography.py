"""Homographies: what was mapped comes back, noise is averaged, points that fix nothing are refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from layerwatch.images.homography import derivatives, fit_homography, mapped
from layerwatch.records import DataError

BED = np.array([[0, 0], [800, 0], [800, 500], [0, 500]], np.float64)
SEEN = np.array([[102.0, 61.0], [1180.0, 40.0], [1290.0, 801.0], [15.0, 790.0]])


def grid(columns: int, rows: int) -> np.ndarray:
    x, y = np.meshgrid(np.linspace(0, 800, columns), np.linspace(0, 500, rows))
    return np.stack([x.ravel(), y.ravel()], 1)


@given(st.lists(st.tuples(st.floats(-60, 60), st.floats(-60, 60)), min_size=4, max_size=4))
def test_four_corners_are_met_and_the_way_back_is_the_inverse(moves: list[tuple[float, float]]) -> None:
    seen = SEEN + np.array(moves)
    H = fit_homography(BED, seen)
    np.testing.assert_allclose(mapped(H, BED), seen, atol=1e-6)
    points = grid(7, 5)
    np.testing.assert_allclose(mapped(np.linalg.inv(H), mapped(H, points)), points, atol=1e-6)
    np.testing.assert_allclose(mapped(fit_homography(seen, BED), mapped(H, points)), points, atol=1e-5)


def test_more_points_average_their_noise() -> None:
    H, rng = fit_homography(BED, SEEN), np.random.default_rng(0)
    few, many = list[float](), list[float]()
    for _ in range(30):
        for points, errors in ((grid(3, 2), few), (grid(12, 8), many)):
            found = fit_homography(points, mapped(H, points) + rng.normal(0, 0.5, points.shape))
            errors.append(float(np.abs(mapped(found, BED) - SEEN).mean()))
    assert np.mean(many) < 0.5 * np.mean(few)


def test_the_fit_is_the_least_sum_of_squares_in_the_frame() -> None:
    points, rng = grid(6, 5), np.random.default_rng(3)
    seen = mapped(fit_homography(BED, SEEN), points) + rng.normal(0, 2.0, points.shape)
    H = fit_homography(points, seen)
    slope = derivatives(H, points).T @ (mapped(H, points) - seen).T.ravel()
    assert np.abs(slope / np.linalg.norm(derivatives(H, points), axis=0)).max() < 1e-5


def test_a_known_homography() -> None:
    H = fit_homography(
        np.array([[0, 0], [1, 0], [1, 1], [0, 1]], float), np.array([[0, 0], [1, 0], [2, 2], [0, 1]]) * 1.0
    )
    np.testing.assert_allclose(mapped(H, np.array([[0.5, 0.5], [0.5, 0.0]])), [[0.5, 0.5], [0.4, 0.0]], atol=1e-12)


@pytest.mark.parametrize(
    ("points", "message"),
    [
        (BED[:3], "3 points are too few"),
        (np.array([[0, 0], [1, 1], [2, 2], [3, 3]], float), "on one line"),
        (np.array([[0, 0], [1, 0], [2, 0], [1, 5]], float), "three of the four"),
        (np.array([[0, 0], [1, 0], [np.nan, 0], [1, 5]], float), "no number"),
        (np.zeros((4, 2)), "in one place"),
    ],
)
def test_points_that_fix_nothing_are_refused(points: np.ndarray, message: str) -> None:
    with pytest.raises(DataError, match=message):
        fit_homography(points, SEEN[: len(points)])
