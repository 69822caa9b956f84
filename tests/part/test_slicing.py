"""Areas against an independent kernel, and what no change of place, sense or order may alter."""

from __future__ import annotations

from pathlib import Path

import manifold3d
import numpy as np
import pytest
import trimesh
from hypothesis import given, settings
from hypothesis import strategies as st

from layerwatch.part.mesh import Mesh
from layerwatch.part.nesting import ring_area
from layerwatch.part.reading import read_part
from layerwatch.part.slicing import layer_count, slice_mesh, slices_of
from layerwatch.records import DataError

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


def cut_open(width: float) -> Mesh:
    """A box of 4 x 3 x 2 mm with a vertical slit: its front is two walls that stop short of one another."""
    box = np.asarray(trimesh.creation.box((4, 3, 2)).triangles)
    front = np.ptp(box[:, :, 1], 1) == 0
    front &= box[:, 0, 1] < 0
    walls = []
    for x0, x1 in ((-2.0, -width / 2), (width / 2, 2.0)):
        a, b, c, d = ([x, -1.5, z] for x, z in ((x0, -1.0), (x1, -1.0), (x1, 1.0), (x0, 1.0)))
        walls += [[a, b, c], [a, c, d]]
    return Mesh(np.concatenate([box[~front], np.array(walls)]) + np.array([2, 1.5, 1]), "mm")


def test_a_slit_is_joined_a_wide_one_leaks_and_both_are_said() -> None:
    narrow = slices_of(cut_open(1e-4), 0.5)
    assert [round(layer.area, 4) for layer in narrow.layers] == [12.0] * 4
    assert narrow.said == ("closed 4 gaps in the outlines of 4 layers",)
    wide = slices_of(cut_open(0.5), 0.5)
    assert [(round(layer.area, 9), layer.leaks) for layer in wide.layers] == [
        (12.0, 1)
    ] * 4  # closed straight, and told
    assert "4 outlines stay open in 4 of 4 layers, the lowest at z = 0.5 mm" in wide.said[0]
    gaping = slices_of(cut_open(3.0), 0.5)
    assert [(layer.area, layer.leaks) for layer in gaping.layers] == [(0.0, 1)] * 4


@given(st.integers(0, 2**32), st.integers(1, 5000))
@settings(max_examples=15, deadline=None)
def test_chunks_do_not_matter(seed: int, segments: int) -> None:
    rng = np.random.default_rng(seed)
    mesh = mesh_of(trimesh.creation.torus(3, 1, rng.integers(8, 40), rng.integers(4, 20)))
    whole = slice_mesh(mesh, 0.07)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("layerwatch.part.segments._FEW_SEGMENTS", segments)
        for a, b in zip(whole, slice_mesh(mesh, 0.07), strict=True):
            assert (a.index, a.slice_z) == (b.index, b.slice_z)
            assert a.area == pytest.approx(b.area, rel=1e-12)


def test_the_same_mesh_gives_the_same_bytes() -> None:
    mesh = mesh_of(trimesh.creation.icosphere(subdivisions=3, radius=2))
    first, again = slice_mesh(mesh, 0.1), slice_mesh(Mesh(mesh.triangles.copy(), "mm"), 0.1)
    for a, b in zip(first, again, strict=True):
        assert a.islands[0].outer.tobytes() == b.islands[0].outer.tobytes()


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
