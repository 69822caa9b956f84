"""Areas against an independent kernel, and what no change of place, sense or order may alter."""

from __future__ import annotations

from pathlib import Path

import manifold3d
import numpy as np
import pytest
import trimesh
from hypothesis import example, given, settings
from hypothesis import strategies as st

from layerwatch.part.mesh import Mesh
from layerwatch.part.nesting import islands_of, ring_area
from layerwatch.part.raster import coverage, coverages
from layerwatch.part.reading import read_part
from layerwatch.part.slicing import layer_count, slice_mesh
from layerwatch.records import DataError, Layer

PARTS = sorted((Path(__file__).parents[2] / "examples/parts").glob("*.stl"))


def mesh_of(shape: trimesh.Trimesh) -> Mesh:
    return Mesh(np.asarray(shape.triangles, np.float64) - shape.bounds[0], "mm")


def joined(*shapes: trimesh.Trimesh) -> trimesh.Trimesh:
    both = trimesh.util.concatenate(list(shapes))
    assert isinstance(both, trimesh.Trimesh)
    return both


@pytest.mark.parametrize("path", PARTS, ids=lambda p: p.stem)
def test_areas_agree_with_manifold(path: Path) -> None:
    part = read_part(path.read_bytes(), path.name, (480.0, 480.0, 400.0))
    corners, faces = np.unique(part.mesh.triangles.reshape(-1, 3), axis=0, return_inverse=True)
    solid = manifold3d.Manifold(manifold3d.Mesh64(corners, faces.reshape(-1, 3).astype(np.uint64)))
    assert solid.status() == manifold3d.Error.NoError
    for layer in slice_mesh(part.mesh, 3.0):
        assert layer.leaks == 0
        assert layer.area == pytest.approx(solid.slice(layer.slice_z).area(), rel=1e-6)


@given(st.floats(0, 360), st.floats(0.05, 0.5), st.booleans())
@settings(max_examples=30, deadline=None)
def test_a_turned_box_keeps_its_area_and_its_hole(angle: float, height: float, inside_out: bool) -> None:
    c, s = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    turn = np.array([[c, -s, 0, 0], [s, c, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
    outer, hole = trimesh.creation.box((4, 3, 2), turn), trimesh.creation.box((1, 1, 2), turn)
    hole.invert()
    both = joined(outer, hole)
    if inside_out:
        both.invert()
    for layer in slice_mesh(mesh_of(both), height):
        assert layer.area == pytest.approx(4 * 3 - 1, rel=1e-9)
        assert [len(island.holes) for island in layer.islands] == [1]
        assert ring_area(layer.islands[0].outer) > 0 > ring_area(layer.islands[0].holes[0])


@given(st.integers(0, 2**32))
@settings(max_examples=20, deadline=None)
def test_the_order_of_triangles_does_not_matter(seed: int) -> None:
    mesh = mesh_of(trimesh.creation.torus(3, 1))
    mixed = Mesh(np.random.default_rng(seed).permutation(mesh.triangles), "mm")
    for a, b in zip(slice_mesh(mesh, 0.25), slice_mesh(mixed, 0.25), strict=True):
        assert a.area == pytest.approx(b.area, rel=1e-12)
        assert (a.leaks, len(a.islands)) == (b.leaks, len(b.islands))


def test_planes_through_corners_are_no_trouble() -> None:
    layers = slice_mesh(mesh_of(trimesh.creation.icosphere(subdivisions=2, radius=1)), 0.1)
    assert sum(layer.leaks for layer in layers) == 0
    assert sum(layer.area for layer in layers) * 0.1 == pytest.approx(4 / 3 * np.pi, rel=0.05)
    box = Mesh(np.asarray(trimesh.creation.box((1, 1, 1)).triangles) + 0.5, "mm")
    assert [round(layer.area, 12) for layer in slice_mesh(box, 2 / 3)] == [1.0, 1.0]  # second plane at z = 1, the top


def test_bodies_inside_bodies_are_one_and_bodies_apart_are_two() -> None:
    big, small = trimesh.creation.box((4, 4, 4)), trimesh.creation.box((1, 1, 4))
    nested = slice_mesh(mesh_of(joined(big, small)), 1.0)
    assert [(len(layer.islands), round(layer.area, 9)) for layer in nested] == [(1, 16.0)] * 4
    small.apply_translation((5, 0, 0))
    apart = slice_mesh(mesh_of(joined(big, small)), 1.0)
    assert [(len(layer.islands), round(layer.area, 9)) for layer in apart] == [(2, 17.0)] * 4


def test_a_missing_triangle_is_a_leak_and_not_silent() -> None:
    sphere = mesh_of(trimesh.creation.icosphere(subdivisions=2, radius=2))
    layers = slice_mesh(Mesh(sphere.triangles[1:], "mm"), 0.1)
    assert 0 < sum(layer.leaks > 0 for layer in layers) < len(layers)


def test_heights_are_labelled_with_the_top_and_cut_in_the_middle() -> None:
    layers = slice_mesh(mesh_of(trimesh.creation.box((2, 2, 1))), 0.3)
    assert [(layer.index, layer.z, round(layer.slice_z, 9)) for layer in layers[:2]] == [(0, 0.3, 0.15), (1, 0.6, 0.45)]
    assert len(layers) == 3
    some = slice_mesh(mesh_of(trimesh.creation.box((2, 2, 1))), 0.3, first=1, count=2)
    assert [layer.z for layer in some] == [layers[1].z, layers[2].z]


@pytest.mark.parametrize(("height", "message"), [(0.0, "must be above 0"), (5.0, "less than one layer of 5 mm")])
def test_a_layer_height_that_cannot_be(height: float, message: str) -> None:
    with pytest.raises(DataError, match=message):
        layer_count(mesh_of(trimesh.creation.box((2, 2, 1))), height)


# --- coverage -------------------------------------------------------------------------------------------------------

polygons = st.integers(3, 12).flatmap(
    lambda n: st.tuples(
        st.lists(st.floats(0.3, 4), min_size=n, max_size=n), st.floats(-3, 12), st.floats(-3, 12), st.floats(0.3, 2)
    )
)


def star(radii: list[float], x: float, y: float) -> np.ndarray:
    angle = np.arange(len(radii)) * 2 * np.pi / len(radii)
    return np.stack([x + np.array(radii) * np.cos(angle), y + np.array(radii) * np.sin(angle)], 1)


@given(polygons)
@settings(max_examples=60, deadline=None)
def test_coverage_is_exact_inside_the_frame(case: tuple[list[float], float, float, float]) -> None:
    radii, x, y, pixel = case
    layer = slice_like(star(radii, x, y))
    masks = coverage(layer, 10, 8, pixel)
    assert masks.shape == (8, 10)
    clipped = manifold3d.CrossSection([star(radii, x, y)]) ^ manifold3d.CrossSection.square((10 * pixel, 8 * pixel))
    assert masks.sum(dtype=np.float64) * pixel**2 == pytest.approx(clipped.area(), rel=1e-5, abs=1e-5)


def slice_like(ring: np.ndarray) -> Layer:
    islands, area = islands_of([ring])
    return Layer(0, 0.3, 0.15, 0.3, islands, area)


@given(polygons)
@example(([1.0, 1.0, 1.0], 0.0, 11.999999999999998, 1.5))  # its tip ends on the lower border but for rounding
@settings(max_examples=20, deadline=None)
def test_each_pixel_is_the_share_of_its_area(case: tuple[list[float], float, float, float]) -> None:
    radii, x, y, pixel = case
    mask = coverage(slice_like(star(radii, x, y)), 10, 8, pixel)
    shape = manifold3d.CrossSection([star(radii, x, y)])
    for row, column in ((0, 0), (3, 4), (7, 9), (2, 7)):
        square = manifold3d.CrossSection.square((pixel, pixel)).translate((column * pixel, row * pixel))
        assert mask[row, column] == pytest.approx((shape ^ square).area() / pixel**2, abs=1e-5)


def test_offset_moves_by_whole_pixels_and_batches_agree() -> None:
    layers = [slice_like(star([2.0, 1.5, 3.0, 2.5], 4 + k, 4)) for k in range(3)]
    together = coverages(layers, 16, 12, 0.5)
    for layer, mask in zip(layers, together, strict=True):
        np.testing.assert_allclose(coverage(layer, 16, 12, 0.5), mask, atol=1e-6)
        moved = coverage(layer, 16, 12, 0.5, (0.5, 1.0))
        np.testing.assert_allclose(moved[2:, 1:], mask[:-2, :-1], atol=1e-6)
    assert not coverages([slice_like(star([1.0] * 4, 99, 99))], 8, 8, 1.0).any()
