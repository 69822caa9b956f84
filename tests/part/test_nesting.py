"""Outlines that cross, touch or lie in one another cover what an independent polygon kernel says."""

from __future__ import annotations

import manifold3d
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from layerwatch.part.nesting import islands_of, ring_area

FILL = {"nonzero": manifold3d.FillRule.NonZero, "even-odd": manifold3d.FillRule.EvenOdd}


def outlines(rng: np.random.Generator, lattice: bool) -> list[np.ndarray]:
    """Stars in either sense; on a lattice they share points and pieces of edges."""
    rings = []
    for _ in range(rng.integers(1, 10)):
        k = int(rng.integers(3, 30))
        angle = np.arange(k) * 2 * np.pi / k
        ring = np.stack([np.cos(angle), np.sin(angle)], 1) * rng.uniform(0.3, 2, (k, 1)) + rng.uniform(0, 6, 2)
        ring = np.round(2 * ring) / 2 if lattice else ring
        rings.append(np.ascontiguousarray(ring[::-1] if rng.random() < 0.3 else ring))
    return rings


@given(st.integers(0, 2**32), st.booleans(), st.sampled_from(["nonzero", "even-odd"]))
@settings(max_examples=120, deadline=None)
def test_any_outlines_are_united(seed: int, lattice: bool, rule: str) -> None:
    rings = outlines(np.random.default_rng(seed), lattice)
    islands, area = islands_of(rings, rule)
    assert area == pytest.approx(manifold3d.CrossSection(rings, FILL[rule]).area(), rel=1e-6, abs=1e-6)
    polygons = [shapely.Polygon(island.outer, island.holes) for island in islands]
    assert sum(polygon.area for polygon in polygons) == pytest.approx(area, rel=1e-9, abs=1e-9)
    for island in islands:
        assert ring_area(island.outer) > 0
        assert all(ring_area(hole) < 0 for hole in island.holes)
    if len(polygons) > 1:
        assert shapely.union_all(polygons).area == pytest.approx(area, rel=1e-6, abs=1e-6)  # none lies in another


def square(x: float, y: float, side: float) -> np.ndarray:
    return np.array([[x, y], [x + side, y], [x + side, y + side], [x, y + side]], np.float64)


def test_rings_that_meet_none_keep_their_points() -> None:
    rings = [square(0, 0, 9), square(1, 1, 7)[::-1], square(2, 2, 3), square(20, 0, 1)]
    islands, area = islands_of(rings)
    assert area == 81 - 49 + 9 + 1
    assert [(len(i.holes), ring_area(i.outer)) for i in islands] == [(1, 81), (0, 9), (0, 1)]
    np.testing.assert_array_equal(islands[0].outer, rings[0])


def test_squares_that_overlap_lie_flush_or_share_a_corner() -> None:
    assert [ring_area(i.outer) for i in islands_of([square(0, 0, 2), square(1, 1, 2)])[0]] == pytest.approx([7])
    assert [ring_area(i.outer) for i in islands_of([square(0, 0, 2), square(2, 0, 2)])[0]] == pytest.approx([8])
    assert [ring_area(i.outer) for i in islands_of([square(0, 0, 2), square(2, 2, 2)])[0]] == pytest.approx([4, 4])
    assert islands_of([square(0, 0, 2), square(0, 0, 2)])[1] == pytest.approx(4)
    assert islands_of([square(0, 0, 2), square(0, 0, 2)], "even-odd") == ((), 0.0)
    frame = islands_of([square(0, 0, 9), square(0, 3, 3)[::-1]])[0]  # a hole that reaches the border
    assert [(len(i.holes), round(ring_area(i.outer), 6)) for i in frame] == [(0, 72)]


def test_a_figure_of_eight_that_crosses_in_a_corner_counts_both_lobes() -> None:
    eight = np.array([[0, 0], [2, 2], [4, 0], [4, 4], [2, 2], [0, 4]], np.float64)
    assert islands_of([eight])[1] == pytest.approx(8)
    assert islands_of([eight], "even-odd")[1] == pytest.approx(8)


def test_nothing_is_no_island() -> None:
    assert islands_of([]) == ((), 0.0)
    assert islands_of([np.array([[0.0, 0], [1, 0]])]) == ((), 0.0)


def test_specks_of_rounding_are_no_islands() -> None:
    ring = np.array([[0, 0], [10, 0], [10, 10], [0, 10], [0, 5 + 1e-6], [-1e-6, 5], [-1e-6, 5 + 1e-6], [0.0, 5]])
    islands, area = islands_of([ring])
    assert len(islands) == 1
    assert abs(area - 100) < 1e-5
