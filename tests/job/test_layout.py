"""What is printed and planned on each layer, whole pixels apart or not, turned, and on the sand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from layerwatch.job.layout import (
    Instance,
    Layout,
    check_apart,
    check_on_bed,
    extent_of,
    fill_bed,
    layers_to_print,
    moved_on_bed,
    turned,
)
from layerwatch.part.raster import coverage
from layerwatch.records import DataError, Island
from tests.job.conftest import machine_of, ring_layers


def layout_of(instances: tuple[Instance, ...], wander: float = 0.0, layers: int = 20) -> Layout:
    machine = machine_of()
    misses = np.random.default_rng(0).uniform(-wander, wander, (layers, 2))
    return Layout(instances, layers_to_print(instances, 5, 4 + layers), machine, misses)


def test_a_row_is_the_coverage_of_its_layer_at_its_place() -> None:
    machine, layers = machine_of(), ring_layers()
    instances = (Instance(layers, 31.7, 22.2), Instance(layers, 250.1, 301.9))
    for k in (0, 7, 19):
        row = layout_of(instances).row(k)
        exact = [
            coverage(layers[5 + k], machine.width, machine.height, machine.mm_per_px, (i.x, i.y)) for i in instances
        ]
        np.testing.assert_allclose(row.coverage, np.clip(sum(exact), 0, 1), atol=1e-4)
        np.testing.assert_allclose(row.printed, row.coverage, atol=1e-4)
        for number, mask in enumerate(exact, 1):
            assert ((row.plan == number) == (mask >= 0.5)).mean() > 0.999


def test_the_print_misses_its_plan_and_the_plan_does_not_move() -> None:
    instances = fill_bed(ring_layers(), machine_of())
    still, moving = layout_of(instances), layout_of(instances, wander=2.0)
    assert np.array_equal(still.row(3).plan, moving.row(3).plan)
    assert np.array_equal(still.row(3).coverage, moving.row(3).coverage)
    assert np.abs(still.row(3).printed - moving.row(3).printed).max() > 0.1
    assert still.row(3).printed.sum() == pytest.approx(moving.row(3).printed.sum(), rel=1e-5)


def test_a_copy_at_the_edge_is_cut_and_not_lost() -> None:
    layers = ring_layers()
    row = layout_of((Instance(layers, -1.0, 362.0),), wander=1.0).row(0)
    assert row.coverage[:, 0].any()
    assert row.coverage[-1].any()


def test_short_parts_end_and_their_plan_with_them() -> None:
    short = Instance(ring_layers(count=10), 20.0, 20.0)
    tall = Instance(ring_layers(), 240.0, 240.0)
    layout = layout_of((short, tall))
    assert set(np.unique(layout.row(4).plan)) == {0, 1, 2}
    assert set(np.unique(layout.row(5).plan)) == {0, 2}


def test_turned_by_a_quarter_and_back_is_the_same() -> None:
    layers = ring_layers()
    quarter = turned(layers, 90.0)
    np.testing.assert_allclose(np.diff(extent_of(quarter), axis=0)[0], np.diff(extent_of(layers), axis=0)[0][::-1])
    np.testing.assert_allclose(extent_of(quarter)[0], 0, atol=1e-9)
    back = turned(quarter, -90.0)
    low = extent_of(layers)[0]
    np.testing.assert_allclose(back[7].islands[0].outer + low, layers[7].islands[0].outer, atol=1e-9)
    assert turned(layers, 360.0) is layers


def test_a_layout_stays_on_the_sand() -> None:
    machine = replace(machine_of(), rim=20.0)
    moved = moved_on_bed(fill_bed(ring_layers(), machine), machine, (500.0, -500.0))
    boxes = np.stack([copy.bounds for copy in moved])
    assert boxes[:, 1, 0].max() == pytest.approx(460)
    assert boxes[:, 0, 1].min() == pytest.approx(20)


def test_a_copy_off_the_sand_is_named() -> None:
    machine = replace(machine_of(), rim=20.0)
    with pytest.raises(DataError, match=r"copy 2 reaches from \(10\.0, 100\.0\).*20 to \(460, 460\) mm"):
        check_on_bed((Instance(ring_layers(), 100.0, 100.0), Instance(ring_layers(), 10.0, 100.0)), machine)


def test_a_part_without_contours_cannot_be_laid_out() -> None:
    empty = tuple(replace(layer, islands=()) for layer in ring_layers())
    with pytest.raises(DataError, match="no layer of the part has a closed contour"):
        fill_bed(empty, machine_of())


def test_a_copy_may_lie_in_the_hole_of_another_but_not_in_its_wall() -> None:
    machine, large = machine_of(), ring_layers()
    small = tuple(
        replace(layer, islands=tuple(Island(i.outer / 4, tuple(h / 4 for h in i.holes)) for i in layer.islands))
        for layer in large
    )
    middle = extent_of(large).mean(0) - extent_of(small).mean(0)
    x, y = (100 + middle).tolist()
    check_apart((Instance(large, 100.0, 100.0), Instance(small, x, y)), machine)
    with pytest.raises(DataError, match="copies 1 and 2 overlap, at z = "):
        check_apart((Instance(large, 100.0, 100.0), Instance(small, 100.0, y)), machine)
    with pytest.raises(DataError, match="copies 1 and 3 overlap"):
        check_apart((Instance(large, 0.0, 0.0), Instance(large, 300.0, 0.0), Instance(large, 3.0, 3.0)), machine)
