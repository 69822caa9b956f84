"""Coverage is the exact share of each pixel, from layers and straight from a mesh, whatever overlaps."""

from __future__ import annotations

from pathlib import Path

import manifold3d
import numpy as np
import pytest
import trimesh
from hypothesis import example, given, settings
from hypothesis import strategies as st

from layerwatch.part.masks import masks_of
from layerwatch.part.mesh import Mesh
from layerwatch.part.nesting import islands_of
from layerwatch.part.raster import coverage, coverages
from layerwatch.part.reading import read_part
from layerwatch.part.repair import repair
from layerwatch.part.slicing import slice_mesh
from layerwatch.records import Layer

PARTS = sorted((Path(__file__).parents[2] / "examples/parts").glob("*.stl"))

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


# --- straight from a mesh -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", PARTS, ids=lambda p: p.stem)
def test_masks_of_a_mesh_are_those_of_its_layers(path: Path) -> None:
    mesh = read_part(path.read_bytes(), path.name, (480.0, 480.0, 400.0)).mesh
    layers = slice_mesh(mesh, 5.0)
    masks = masks_of(mesh, 5.0, 100, 60, 4.5, (3.0, 5.0))
    np.testing.assert_allclose(masks.coverage, coverages(layers, 100, 60, 4.5, (3.0, 5.0)), atol=1e-6)
    some = masks_of(mesh, 5.0, 100, 60, 4.5, (3.0, 5.0), first=3, count=4)
    np.testing.assert_allclose(some.coverage, masks.coverage[3:7], atol=1e-6)


def areas(mesh: Mesh, layer_height: float) -> np.ndarray:
    pixel = float(mesh.extent.max()) / 60
    masks = masks_of(mesh, layer_height, 64, 64, pixel, (pixel, pixel))
    return np.asarray(masks.coverage.sum((1, 2), dtype=np.float64) * pixel**2)


@given(st.tuples(*[st.floats(-3, 3)] * 3), st.floats(0.3, 2), st.booleans())
@settings(max_examples=20, deadline=None)
def test_masks_of_bodies_that_overlap_cover_their_union(
    place: tuple[float, float, float], size: float, hollow: bool
) -> None:
    big, small = trimesh.creation.box((4, 4, 4)), trimesh.creation.icosphere(subdivisions=2, radius=size)
    small.apply_translation(place)
    solids = [manifold3d.Manifold(manifold3d.Mesh64(s.vertices, s.faces.astype(np.uint64))) for s in (big, small)]
    triangles = np.concatenate([np.asarray(big.triangles), np.asarray(small.triangles)])
    low = triangles.min((0, 1))
    mesh = repair(Mesh(triangles - low, "mm"))[0]
    union = (solids[0] + solids[1]).translate(-low)
    layers = slice_mesh(mesh, 0.37)
    expected = [union.slice(layer.slice_z).area() for layer in layers]
    assert [layer.area for layer in layers] == pytest.approx(expected, rel=1e-6)
    assert areas(mesh, 0.37) == pytest.approx(expected, rel=1e-6)


def test_masks_of_a_leaking_mesh_come_from_its_contours_and_tell() -> None:
    sphere = np.array(trimesh.creation.icosphere(subdivisions=2, radius=2).triangles) + 2
    mesh = Mesh(sphere[1:], "mm")
    layers, masks = slice_mesh(mesh, 0.1), masks_of(mesh, 0.1, 40, 40, 0.1)
    assert masks.leaks.tolist() == [layer.leaks for layer in layers]
    assert 0 < np.count_nonzero(masks.leaks) < len(layers)
    np.testing.assert_allclose(masks.coverage, coverages(layers, 40, 40, 0.1), atol=1e-6)


def test_an_inverted_or_crossing_body_is_seen() -> None:
    box = np.array(trimesh.creation.box((4, 4, 4)).triangles) + 2
    assert areas(Mesh(box[:, ::-1], "mm"), 0.5) == pytest.approx(16.0, rel=1e-6)
    tube = np.array(trimesh.creation.torus(2, 1).triangles)
    tube[:, :, 0] *= 1 - 0.9 * (tube[:, :, 2:].mean(1) > 0)  # the upper half pushed together
    mesh = Mesh(tube - tube.min((0, 1)), "mm")
    assert areas(mesh, 0.2) == pytest.approx([layer.area for layer in slice_mesh(mesh, 0.2)], rel=1e-6)
