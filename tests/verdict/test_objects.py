from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layerwatch.records import Region
from layerwatch.verdict.objects import DefectObject, Sighting, Tracker, edge_distance, sighted

MM, LAYER = 0.5, 0.28  # mm per pixel, mm a layer


def region(row: int, column: int, side: int = 4, part: int = 1, amplitude: float = 1.0) -> Region:
    """A square."""
    x, y = (column + side / 2) * MM, (row + side / 2) * MM
    return Region(part, x, y, (side * MM) ** 2, side * MM, amplitude, (row, column, row + side, column + side))


def seen(layer: int, *regions: Region, edge: float = math.nan) -> list[Sighting]:
    return [Sighting(one, edge, (layer + 1) * LAYER) for one in regions]


def tracked(*layers: tuple[int, list[Region]]) -> tuple[DefectObject, ...]:
    tracker = Tracker(MM, LAYER)
    for layer, regions in layers:
        tracker.take(layer, seen(layer, *regions))
    return tracker.objects


def test_a_region_that_comes_again_is_one_defect() -> None:
    (one,) = tracked((3, [region(10, 10)]), (4, [region(11, 11)]), (5, [region(12, 12)]))
    assert (one.number, one.first_layer, one.last_layer, one.layers) == (1, 3, 5, 3)
    assert one.box == (10, 10, 16, 16)
    assert (one.x, one.y) == pytest.approx((6.5, 6.5))


def test_regions_apart_stay_apart() -> None:
    assert len(tracked((0, [region(0, 0), region(0, 20)]), (1, [region(0, 0), region(0, 20)]))) == 2


@pytest.mark.parametrize(("apart", "objects"), [(0, 1), (1, 1), (2, 2)])
def test_the_reach_joins_across_a_pixel_and_not_across_two(apart: int, objects: int) -> None:
    assert len(tracked((0, [region(0, 0)]), (1, [region(0, 4 + apart)]))) == objects


@pytest.mark.parametrize(("later", "objects"), [(3, 1), (4, 2)])
def test_what_was_not_seen_for_longer_than_the_gap_is_another_defect(later: int, objects: int) -> None:
    assert len(tracked((0, [region(0, 0)]), (later, [region(0, 0)]))) == objects


@pytest.mark.parametrize(("column", "objects"), [(3, 1), (4, 2)])
def test_another_part_is_another_defect_unless_the_boxes_overlap(column: int, objects: int) -> None:
    assert len(tracked((0, [region(0, 0)]), (1, [region(0, column, part=2)]))) == objects


def test_a_region_over_two_defects_makes_them_one_under_the_lower_number() -> None:
    tracker = Tracker(MM, LAYER)
    tracker.take(0, seen(0, region(0, 0), region(0, 8)))
    (one,) = tracker.take(1, seen(1, region(0, 2, side=8)))
    assert (one.number, one.layers, one.box) == (1, 2, (0, 0, 8, 12))
    assert tracker.now(2) == 1
    assert tracker.objects == (one,) == tracker.of([2, 1])


def test_a_layer_gives_back_only_what_is_seen_on_it() -> None:
    tracker = Tracker(MM, LAYER)
    tracker.take(0, seen(0, region(0, 0), region(0, 20)))
    assert [one.number for one in tracker.take(1, seen(1, region(0, 20)))] == [2]
    assert tracker.take(2, []) == ()
    assert len(tracker.objects) == 2


squares = st.builds(region, st.integers(0, 30), st.integers(0, 30), st.integers(1, 6), st.integers(1, 2))


@settings(max_examples=50, deadline=None)
@given(st.lists(st.lists(squares, max_size=4), max_size=8))
def test_no_area_is_lost_or_counted_twice(layers: list[list[Region]]) -> None:
    objects = tracked(*enumerate(layers))
    total = sum(one.area for regions in layers for one in regions)
    assert sum(one.volume for one in objects) == pytest.approx(total * LAYER)
    assert {one.first_layer for one in objects} <= {i for i, regions in enumerate(layers) if regions}
    assert [one.number for one in objects] == sorted(one.number for one in objects)


def test_the_strongest_amplitude_keeps_its_sign_and_the_nearest_edge_counts() -> None:
    tracker = Tracker(MM, LAYER)
    tracker.take(0, seen(0, region(0, 0, amplitude=2.0)))
    tracker.take(1, seen(1, region(0, 0, amplitude=-3.0), edge=1.5))
    (one,) = tracker.take(2, seen(2, region(0, 0, amplitude=math.nan), edge=0.5))
    assert (one.amplitude, one.edge) == (-3.0, 0.5)


def test_the_golden_defect() -> None:
    (one,) = tracked((2, [region(0, 0, 2)]), (3, [region(0, 0, 4)]), (5, [region(0, 0, 4), region(0, 3, 4)]))
    areas = np.array([1.0, 4.0, 8.0])  # mm2
    assert (one.layers, one.area, one.extent) == (3, 8.0, 3.5)
    assert one.height == pytest.approx(4 * LAYER)
    assert one.volume == pytest.approx(areas.sum() * LAYER)
    assert one.growth == pytest.approx(np.polyfit([2, 3, 5], areas, 1)[0])
    assert tracked((2, [region(0, 0)]))[0].growth == 0


def test_the_edge_is_half_a_pixel_from_the_centres_on_both_sides() -> None:
    plan = np.zeros((20, 20), np.uint8)
    plan[5:15, 5:15] = 1
    at = [region(row, 9, 1) for row in (5, 9, 4, 0)]
    assert edge_distance(plan, at, MM) == pytest.approx([0.25, 2.25, 0.25, 2.25])
    assert [one.edge_mm for one in sighted(at, 1.0, MM, plan)] == list(edge_distance(plan, at, MM))


@pytest.mark.parametrize("plan", [None, np.zeros((9, 9), np.uint8), np.ones((9, 9), np.uint8)])
def test_without_an_outline_no_distance(plan: np.ndarray | None) -> None:
    assert math.isnan(edge_distance(plan, [region(0, 0)], MM)[0])
