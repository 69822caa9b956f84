"""Real part files against other geometry kernels, and their layers through the layer formats and back."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path
from xml.etree import ElementTree

import manifold3d
import numpy as np
import pytest
import shapely
import trimesh
from jaxtyping import Float64

from layerwatch import catalogue
from layerwatch.job.machine import default_machine
from layerwatch.journeys.synthesise import Wish, synthesise
from layerwatch.part.formats.threemf import ThreeMf
from layerwatch.part.mesh import Mesh
from layerwatch.part.nesting import ring_area
from layerwatch.part.reading import Part, read_part
from layerwatch.part.slicing import slice_mesh, slices_of
from layerwatch.records import DataError, Layer

PARTS = Path(__file__).parents[1] / "parts"
WATERTIGHT = ("featuretype_inches", "plate_holes", "core_intake_ports3")
WRITTEN = ("svg", "svgz", "cli")
CORE = "{http://schemas.microsoft.com/3dmanufacturing/core/2015/02}"
SLICE = "{http://schemas.microsoft.com/3dmanufacturing/slice/2015/07}"


def opened(name: str) -> Part:
    path = PARTS / name
    return read_part(path.read_bytes(), path.name, (480.0, 480.0, 400.0))


def cut(part: Part, layers: int = 20) -> tuple[Layer, ...]:
    return slice_mesh(part.mesh, float(part.mesh.extent[2]) / layers)


def indexed(mesh: Mesh) -> trimesh.Trimesh:
    corners, faces = np.unique(mesh.triangles.reshape(-1, 3), axis=0, return_inverse=True)
    return trimesh.Trimesh(corners, faces.reshape(-1, 3), process=False)


def solid_of(shape: trimesh.Trimesh) -> manifold3d.Manifold:
    faces = np.asarray(shape.faces, np.uint64)
    solid = manifold3d.Manifold(manifold3d.Mesh64(np.asarray(shape.vertices, np.float64), faces))
    assert solid.status() == manifold3d.Error.NoError
    return solid


def even_odd(rings: Iterable[Float64[np.ndarray, "_ 2"]]) -> shapely.Geometry:
    """What an odd number of rings hold."""
    found = shapely.Polygon()
    for ring in rings:
        found = found.symmetric_difference(shapely.make_valid(shapely.Polygon(ring)))
    return found


def section(shape: trimesh.Trimesh, z: float) -> shapely.Geometry:
    path = shape.section([0, 0, 1], [0, 0, z])
    return shapely.Polygon() if path is None else even_odd(ring[:, :2] for ring in path.discrete)


@pytest.mark.parametrize("name", WATERTIGHT)
def test_areas_agree_with_manifold_and_with_trimesh(name: str) -> None:
    part = opened(f"{name}.stl")
    shape = indexed(part.mesh)
    solid, layers = solid_of(shape), cut(part)
    assert len(layers) == 20
    for layer in layers:
        assert layer.leaks == 0
        assert layer.area == pytest.approx(solid.slice(layer.slice_z).area(), rel=1e-6)
        assert layer.area == pytest.approx(section(shape, layer.slice_z).area, rel=1e-6)


def test_units_are_guessed_right() -> None:
    assert [opened(f"{name}.stl").unit for name in WATERTIGHT] == ["inch", "mm", "mm"]
    np.testing.assert_allclose(opened("featuretype_inches.stl").mesh.extent, [127, 63.5, 34.925])


@pytest.mark.parametrize("form", WRITTEN)
@pytest.mark.parametrize("name", WATERTIGHT)
def test_layers_come_back_from_layer_files(name: str, form: str) -> None:
    assert_come_back(cut(opened(f"{name}.stl")), form)


def assert_come_back(layers: tuple[Layer, ...], form: str) -> None:
    """Heights to 4 decimals of a mm, corners to 6: an area is off by no more than its outline times that."""
    file = catalogue.load("part.formats", form)()
    again = file.read_layers(file.write_layers(layers, name="part", provenance={}), f"part.{form}")
    assert len(again) == len(layers)
    for old, new in zip(layers, again, strict=True):
        assert new.z == pytest.approx(old.z, abs=1e-4)
        assert new.area == pytest.approx(old.area, rel=1e-6)
        assert len(new.islands) == len(old.islands)
        assert sum(len(i.holes) for i in new.islands) == sum(len(i.holes) for i in old.islands)


# Broken ones


def test_two_bodies_of_mixed_winding_are_repaired_and_said() -> None:
    part = opened("multibody.stl")
    assert "turned 6 triangles whose winding disagreed with their neighbours'" in part.said
    assert "2 bodies" in part.said
    bodies = indexed(part.mesh).split(only_watertight=False)
    assert all(body.is_watertight and body.is_winding_consistent and body.volume > 0 for body in bodies)


def test_two_bodies_of_mixed_winding_have_the_area_of_each_repaired_alone() -> None:
    part = opened("multibody.stl")
    raw = trimesh.load_mesh(PARTS / "multibody.stl", process=False)
    loose = indexed(Mesh(np.asarray(raw.triangles, np.float64) * 25.4, "mm"))
    loose.apply_translation(-loose.bounds[0])
    assert not loose.is_winding_consistent
    solids = []
    for body in loose.split(only_watertight=False):
        body.fix_normals()
        solids.append(solid_of(body))
    assert len(solids) == 2
    layers = cut(part)
    for layer in layers:
        truth = sum(solid.slice(layer.slice_z).area() for solid in solids)
        assert layer.leaks == 0
        assert layer.area == pytest.approx(truth, rel=1e-6)
    assert [len(layer.islands) for layer in layers] == [1] * 7 + [0] * 6 + [
        1
    ] * 7  # the bodies have no height in common


def test_loose_triangles_leak_in_every_layer() -> None:
    part = opened("soup.stl")
    assert "300 edges stay open: layers there may leak" in part.said
    slices = slices_of(part.mesh, float(part.mesh.extent[2]) / 20)
    assert all(layer.leaks > 0 and not layer.islands for layer in slices.layers)
    assert any("outlines stay open in 20 of 20 layers" in line for line in slices.said)


def test_loose_triangles_are_not_printed_and_nothing_is_left_behind(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"soup\.stl: no layer has a closed contour .* the mesh is no solid"):
        synthesise([PARTS / "soup.stl"], tmp_path / "out", default_machine(), Wish(healthy=1, defective=0, layers=30))
    assert not list(tmp_path.iterdir())


# 3MF: many items in a build


def item_mesh(shape: trimesh.Trimesh) -> str:
    corners = "".join('<vertex x="{:.9f}" y="{:.9f}" z="{:.9f}"/>'.format(*c) for c in shape.vertices)
    faces = "".join('<triangle v1="{}" v2="{}" v3="{}"/>'.format(*f) for f in shape.faces)
    return f"<mesh><vertices>{corners}</vertices><triangles>{faces}</triangles></mesh>"


def row_of_gears(pitch: float) -> bytes:
    """One ring of 20 mm placed 17 times in a row, each time turned a little; at a smaller pitch they overlap."""
    ring = item_mesh(trimesh.creation.torus(8.0, 2.0, 24, 12))
    items = ""
    for i in range(17):
        c, s = np.cos(0.1 * i), np.sin(0.1 * i)
        items += f'<item objectid="4" transform="{c} {s} 0 {-s} {c} 0 0 0 1 {pitch * i} {(i % 2) * 3} 0"/>'
    resources = f'<resources><object id="4">{ring}</object></resources>'
    text = f'<model xmlns="{CORE[1:-1]}">{resources}<build>{items}</build></model>'
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("3D/3dmodel.model", text)
    return data.getvalue()


def items_of(data: bytes) -> list[trimesh.Trimesh]:
    """The build items of a 3MF file whose objects are meshes, the lowest corner of all at 0."""
    root = ElementTree.fromstring(zipfile.ZipFile(io.BytesIO(data)).read("3D/3dmodel.model"))
    shapes = []
    for item in root.iter(f"{CORE}item"):
        thing = next(o for o in root.iter(f"{CORE}object") if o.get("id") == item.get("objectid"))
        corners = [[float(v.attrib[k]) for k in "xyz"] for v in thing.iter(f"{CORE}vertex")]
        faces = [[int(t.attrib[k]) for k in ("v1", "v2", "v3")] for t in thing.iter(f"{CORE}triangle")]
        matrix = np.array(item.attrib["transform"].split(), np.float64).reshape(4, 3)
        shapes.append(trimesh.Trimesh(np.array(corners) @ matrix[:3] + matrix[3], faces, process=False))
    low = np.min([shape.bounds[0] for shape in shapes], axis=0)
    for shape in shapes:
        shape.apply_translation(-low)
    return shapes


def manifold_union(shapes: list[trimesh.Trimesh]) -> Callable[[float], float]:
    whole = manifold3d.Manifold.batch_boolean([solid_of(shape) for shape in shapes], manifold3d.OpType.Add)
    return lambda z: float(whole.slice(z).area())


@pytest.mark.parametrize(("pitch", "overlap"), [(24.0, False), (13.0, True)])
def test_overlapping_items_count_once(pitch: float, overlap: bool) -> None:
    data = row_of_gears(pitch)
    part = read_part(data, "gears.3mf", (480.0, 480.0, 400.0))
    assert "17 bodies" in part.said
    shapes = items_of(data)
    union, layers = manifold_union(shapes), cut(part, 12)
    for layer in layers:
        pieces = [section(shape, layer.slice_z) for shape in shapes]
        together = shapely.union_all(pieces)
        assert layer.area == pytest.approx(union(layer.slice_z), rel=1e-6)
        assert layer.area == pytest.approx(together.area, rel=1e-6)
        assert (sum(p.area for p in pieces) > 1.01 * layer.area) == overlap
        found = [shapely.Polygon(i.outer, i.holes) for i in layer.islands]
        assert len(found) == len(getattr(together, "geoms", [together]))
        assert shapely.union_all(found).symmetric_difference(together).area < 1e-6 * together.area


# 3MF: slices


@pytest.fixture(scope="module")
def torus() -> tuple[Layer, ...]:
    return ThreeMf().read_layers((PARTS / "torus_sliced.3mf").read_bytes(), "torus_sliced.3mf")


def slices_in_file() -> list[tuple[float, list[Float64[np.ndarray, "_ 2"]]]]:
    """Top and closed rings of each slice, in the file's own place."""
    with zipfile.ZipFile(PARTS / "torus_sliced.3mf") as archive:
        (path,) = (name for name in archive.namelist() if name.startswith("2D/"))
        root = ElementTree.fromstring(archive.read(path))
    found = []
    for one in root.iter(f"{SLICE}slice"):
        corners = np.array([[float(v.attrib["x"]), float(v.attrib["y"])] for v in one.iter(f"{SLICE}vertex")])
        rings = []
        for polygon in one.iter(f"{SLICE}polygon"):
            order = [int(polygon.attrib["startv"]), *(int(s.attrib["v2"]) for s in polygon.iter(f"{SLICE}segment"))]
            assert order[0] == order[-1]
            rings.append(corners[order])
        found.append((float(one.attrib["ztop"]), rings))
    return found


def test_a_slice_stack_rises_in_steps_of_its_file(torus: tuple[Layer, ...]) -> None:
    assert ThreeMf().has_layers((PARTS / "torus_sliced.3mf").read_bytes(), "torus_sliced.3mf")
    assert len(torus) == 50
    np.testing.assert_allclose([layer.z for layer in torus], 0.08 * np.arange(1, 51), atol=1e-9)
    np.testing.assert_allclose([layer.height for layer in torus], 0.08, atol=1e-9)
    np.testing.assert_allclose([layer.slice_z for layer in torus], 0.08 * np.arange(50) + 0.04, atol=1e-9)
    assert [layer.index for layer in torus] == list(range(50))


def test_a_slice_stack_has_the_polygons_of_its_file(torus: tuple[Layer, ...]) -> None:
    shift = np.array([33.0327, 31.5338])  # of the build item
    for layer, (top, rings) in zip(torus, slices_in_file(), strict=True):
        truth = even_odd(ring + shift for ring in rings)
        assert layer.z == pytest.approx(top)
        assert layer.area == pytest.approx(truth.area, rel=1e-9)
        found = [shapely.Polygon(i.outer, i.holes) for i in layer.islands]
        assert shapely.union_all(found).symmetric_difference(truth).area < 1e-9
        assert [len(i.holes) for i in layer.islands] == ([1] if rings else [])


def test_rings_of_a_slice_stack_are_closed_turned_right_and_repeat_no_point(torus: tuple[Layer, ...]) -> None:
    for island in (i for layer in torus for i in layer.islands):
        assert ring_area(island.outer) > 0 > ring_area(island.holes[0])
        for ring in (island.outer, *island.holes):
            assert (np.roll(ring, 1, axis=0) != ring).any(1).all()


@pytest.mark.parametrize("form", WRITTEN)
def test_a_slice_stack_comes_back_from_layer_files(torus: tuple[Layer, ...], form: str) -> None:
    assert torus[-1].islands == ()
    assert_come_back(torus, form)
