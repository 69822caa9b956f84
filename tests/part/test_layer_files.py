"""Layer files of every form: what is written comes back, and what others wrote is read."""

from __future__ import annotations

import io
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.part.test_threemf import CORE, RELS

from layerwatch import catalogue
from layerwatch.part.formats.base import Format
from layerwatch.part.formats.cli import Cli
from layerwatch.part.formats.sl1 import Sl1
from layerwatch.part.formats.svg import Svg
from layerwatch.part.formats.threemf import ThreeMf
from layerwatch.part.layered import holds_layers, read_layer_files, read_layered, respaced
from layerwatch.part.nesting import islands_of
from layerwatch.records import DataError, Layer

BED = (480.0, 480.0, 400.0)
WRITERS = [
    name
    for name in catalogue.names("part.formats")
    if catalogue.load("part.formats", name).write_layers is not Format.write_layers
]


def layer_of(index: int, rings: list[np.ndarray], height: float = 0.3) -> Layer:
    islands, area = islands_of(rings)
    return Layer(index, round((index + 1) * height, 9), (index + 0.5) * height, height, islands, area)


def star(radii: list[float], x: float, y: float) -> np.ndarray:
    angle = np.arange(len(radii)) * 2 * np.pi / len(radii)
    return np.stack([x + np.array(radii) * np.cos(angle), y + np.array(radii) * np.sin(angle)], 1)


stars = st.lists(st.floats(2, 9), min_size=3, max_size=12)


@pytest.mark.parametrize("name", WRITERS)
@given(st.lists(stars, min_size=1, max_size=4), st.floats(-50, 50), st.floats(-50, 50))
@settings(max_examples=25, deadline=None)
def test_written_contours_come_back(name: str, outlines: list[list[float]], x: float, y: float) -> None:
    form = catalogue.load("part.formats", name)()
    hole = star([0.5, 0.6, 0.7], x, y)[::-1]
    layers = [layer_of(k, [star(radii, x, y), hole, star(radii, x + 30, y)]) for k, radii in enumerate(outlines)]
    back = form.read_layers(form.write_layers(layers, name="stars", provenance={}), f"stars{form.suffixes[0]}")
    assert [b.z for b in back] == pytest.approx([layer.z for layer in layers], abs=1e-4)
    for before, after in zip(layers, back, strict=True):
        assert after.area == pytest.approx(before.area, rel=1e-4)
        assert len(after.islands) == len(before.islands) == 2
        rings = [(a, b) for i, j in zip(before.islands, after.islands, strict=True) for a, b in _pairs(i, j)]
        for a, b in rings:
            np.testing.assert_allclose(_ordered(b), _ordered(a), atol=2e-6)


def _pairs(a: object, b: object) -> list[tuple[np.ndarray, np.ndarray]]:
    return list(zip((a.outer, *a.holes), (b.outer, *b.holes), strict=True))  # type: ignore[attr-defined] # islands


def _ordered(ring: np.ndarray) -> np.ndarray:
    """From its leftmost point on, since a ring may begin anywhere."""
    return np.roll(ring, -int(np.lexsort(np.round(ring.T, 4))[0]), axis=0)


def test_one_svg_a_layer_keeps_the_frame_of_the_whole() -> None:
    layers = [layer_of(0, [star([9.0] * 6, 0, 0)]), layer_of(1, [star([3.0] * 6, 5, 2)]), layer_of(2, [])]
    files = list(Svg().write_each(layers, name="cone", provenance={}))
    back = [Svg().read_layers(data, "cone.svg")[0] for data in files]
    assert [b.index for b in back] == [0, 1, 2]
    np.testing.assert_allclose(_ordered(back[1].islands[0].outer), _ordered(layers[1].islands[0].outer), atol=1e-6)
    assert not back[2].islands


@pytest.mark.parametrize("factor", [1.0, 1e6, 1e-6])
def test_slic3rs_older_form_is_read(factor: float) -> None:
    def group(index: int, z: float, points: str) -> str:
        hole = '<polygon slic3r:type="hole" points="4,4 4,6 6,6 6,4"/>'
        outer = f'<polygon slic3r:type="contour" points="{points}"/>'
        return f'<g id="layer{index}" slic3r:z="{z * factor:g}">{outer}{hole}</g>'

    text = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:slic3r="http://slic3r.org/namespaces/slic3r">'
    text += group(0, 0.3, "0,0 10,0 10,10 0,10") + group(1, 0.6, "0,0 20,0 20,10 0,10") + "</svg>"
    layers = Svg().read_layers(text.encode(), "old.svg")
    assert [layer.z for layer in layers] == pytest.approx([0.3, 0.6])
    assert [layer.area for layer in layers] == pytest.approx([96.0, 196.0])
    assert layers[0].islands[0].outer[:, 1].max() == 10  # not mirrored


SLIC3R = (
    '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.0//EN" '
    '"http://www.w3.org/TR/2001/REC-SVG-20010904/DTD/svg10.dtd">\n<svg width="20" height="10" '
    'xmlns="http://www.w3.org/2000/svg" xmlns:slic3r="http://slic3r.org/namespaces/slic3r">{}</svg>'
)


def test_slic3rs_older_form_tells_where_it_cut() -> None:
    """Its z is the middle of a layer over a million; each copy is a group of its own; supports have no z."""
    square = '<polygon slic3r:type="contour" points="{0},0 {1},0 {1},4 {0},4" />'
    groups = ['<g id="layer0"></g>']
    for z in (1.75e-07, 5e-07, 8e-07):  # a first layer of 0.35 mm, then 0.3 mm
        groups += [f'<g id="layer1" slic3r:z="{z:g}">{square.format(x, x + 4)}</g>' for x in (0, 10)]
    layers = Svg().read_layers(SLIC3R.format("".join(groups)).encode(), "old.svg")
    assert [layer.z for layer in layers] == pytest.approx([0.35, 0.65, 0.95])
    assert [layer.slice_z for layer in layers] == pytest.approx([0.175, 0.5, 0.8])
    assert [layer.area for layer in layers] == pytest.approx([32.0] * 3)


def test_slic3rs_own_document_type_is_read_and_no_other() -> None:
    path = '<path d="M 0 0 4 0 4 4 0 4 z M 1 1 1 2 2 2 2 1 z " style="fill: white" slic3r:area="15.0000" />'
    group = f'<g id="layer0" slic3r:z="0.3000" slic3r:slice-z="0.1500" slic3r:layer-height="0.3000">{path}</g>'
    text = SLIC3R.format(group)
    (layer,) = Svg().read_layers(text.encode(), "new.svg")
    assert layer.area == pytest.approx(15)
    assert layer.islands[0].outer[:, 1].max() == pytest.approx(10)  # y counts from the upper edge
    for other in ('svg10.dtd" [<!ENTITY a "b">]>', 'svg10.dtd"><!ENTITY a "b">'):
        with pytest.raises(DataError, match="document type or entities"):
            Svg().read_layers(text.replace('svg10.dtd">', other).encode(), "new.svg")


def test_heights_that_an_svg_does_not_tell_follow_from_the_layers() -> None:
    groups = "".join(f'<g slic3r:z="{z}"><path d="M 0 0 L 4 0 L 4 4 z"/></g>' for z in (0.5, 0.8))
    layers = Svg().read_layers(SLIC3R.format(groups).encode(), "bare.svg")
    assert [(x.height, x.slice_z) for x in layers] == [pytest.approx(pair) for pair in ((0.5, 0.25), (0.3, 0.65))]


def test_a_folder_of_layers_is_one_part() -> None:
    layers = [layer_of(k, [star([9.0 - k] * 6, k, 0)]) for k in range(3)]
    files = [(f"{k}.svg", data) for k, data in enumerate(Svg().write_each(layers, name="cone", provenance={}))]
    found = read_layer_files(files, "cone", BED)
    low = np.min([layer.islands[0].outer.min(0) for layer in layers], 0)
    for before, after in zip(layers, found.layers, strict=True):
        np.testing.assert_allclose(_ordered(after.islands[0].outer), _ordered(before.islands[0].outer - low), atol=2e-6)
    with pytest.raises(DataError, match=r"cone: 1\.svg lies at 0\.6 mm, not above"):
        read_layer_files(files[::-1], "cone", BED)
    with pytest.raises(DataError, match=r"two\.svg holds 2 layers"):
        read_layer_files([("two.svg", Svg().write_layers(layers[:2], name="", provenance={}))], "cone", BED)


def binary_cli(long: bool, header: str = "") -> bytes:
    """A square of 10 mm with a hole, a line and hatches in the first layer, nothing in the second; unit 0.01 mm."""
    outer, hole = [0, 0, 1000, 0, 1000, 1000, 0, 1000, 0, 0], [200, 200, 200, 400, 400, 400, 400, 200, 200, 200]
    text = f"$$HEADERSTART\r\n$$BINARY\r\n$$UNITS/0.01\r\n$$VERSION/200\r\n{header}$$HEADEREND"
    number, line, hatches, whole, real = (127, 130, 132, "i", "f") if long else (128, 129, 131, "H", "H")
    data = struct.pack(f"<H{real}", number, 30)
    for turn, points in ((1, outer), (0, hole), (2, [0, 0, 9, 9])):
        data += struct.pack(f"<H3{whole}{len(points)}{real}", line, 1, turn, len(points) // 2, *points)
    data += struct.pack(f"<H2{whole}4{real}", hatches, 1, 1, 0, 0, 5, 5)
    return text.encode() + data + struct.pack(f"<H{real}", number, 60)


@pytest.mark.parametrize("long", [True, False])
def test_binary_cli_is_read(long: bool) -> None:
    first, second = Cli().read_layers(binary_cli(long), "part.cli")
    assert (first.z, second.z, first.height) == pytest.approx((0.3, 0.6, 0.3))
    assert first.area == pytest.approx(96)
    assert [len(island.holes) for island in first.islands] == [1]
    assert not second.islands


def test_binary_cli_says_the_same_as_ascii() -> None:
    layers = [layer_of(k, [star([9.0, 5.0, 7.0, 6.0 + k], 20, 20)]) for k in range(3)]
    data = b"$$HEADERSTART $$BINARY $$UNITS/1 $$HEADEREND"
    for layer in layers:
        ring = np.vstack([layer.islands[0].outer, layer.islands[0].outer[:1]])
        data += struct.pack("<Hf", 127, layer.z) + struct.pack("<H3i", 130, 1, 1, len(ring))
        data += ring.astype("<f4").tobytes()
    ascii_ones = Cli().read_layers(Cli().write_layers(layers, name="a", provenance={}), "a.cli")
    for a, b in zip(ascii_ones, Cli().read_layers(data, "b.cli"), strict=True):
        assert (a.z, a.area) == pytest.approx((b.z, b.area), rel=1e-6)
        np.testing.assert_allclose(_ordered(a.islands[0].outer), _ordered(b.islands[0].outer), atol=2e-6)


def test_a_closed_polyline_of_cli_need_not_repeat_its_first_point() -> None:
    text = "$$HEADERSTART\n$$ASCII\n$$UNITS/1\n$$HEADEREND\n$$GEOMETRYSTART\n$$LAYER/0.3\n"
    rings = "$$POLYLINE/1,1,4,0,0,9,0,9,9,0,9\n$$POLYLINE/1,0,5,1,1,1,2,2,2,2,1,1,1\n$$POLYLINE/1,2,2,0,0,5,5\n"
    (layer,) = Cli().read_layers(f"{text}{rings}$$GEOMETRYEND".encode(), "a.cli")
    assert layer.area == pytest.approx(80)


def sl1(*paths: str, config: str = "layerHeight = 0.05\n") -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("config.ini", config)
        archive.writestr("prusaslicer.ini", "initial_layer_height = 0.2\n")
        for number, path in enumerate(paths):
            head = (
                '<svg height="50mm" width="100mm" viewBox="0 0 100000000 50000000" xmlns="http://www.w3.org/2000/svg" '
            )
            body = f'style="fill: white; stroke: none; fill-rule: nonzero"><rect width="100000000"/>{path}</svg>'
            archive.writestr(f"part{number:05d}.svg", head + body)
    return data.getvalue()


SQUARE = '<path d="M 10000000 10000000 l  0 20000000 20000000 0 0 -20000000 z" />'
HOLE = '<path d="M 15000000 15000000 l  5000000 0 0 5000000 -5000000 0 z" />'


def test_prusaslicers_form_is_read_in_mm() -> None:
    first, second = Sl1().read_layers(sl1(SQUARE, SQUARE + HOLE), "part.sl1_svg")
    assert (first.z, second.z) == pytest.approx((0.2, 0.25))
    assert first.area == pytest.approx(400)
    assert second.area == pytest.approx(375)
    np.testing.assert_allclose(first.islands[0].outer.min(0), [10, 20])  # 50 mm high, y upwards


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (sl1(SQUARE, config=""), "no layer height"),
        (sl1(), "there is no SVG in it"),
        (sl1('<path d="M 1 2 l 3 z"/>'), "no SVG layer of PrusaSlicer"),
        (b"PK\x03\x04 broken", "not a SL1 file, or broken"),
    ],
)
def test_what_is_wrong_in_an_sl1_file_is_named(data: bytes, said: str) -> None:
    with pytest.raises(DataError, match=f"part.sl1: .*{said}"):
        Sl1().read_layers(data, "part.sl1")


SLICE = "http://schemas.microsoft.com/3dmanufacturing/slice/2015/07"


def stacked(
    slices: str, transform: str = "1 0 0 0 1 0 0 0 1 5 0 0", unit: str = "millimeter", other: str = ""
) -> bytes:
    corners = "".join(f'<vertex x="{x}" y="{y}" z="0"/>' for x, y in ((0, 0), (9, 0), (0, 9)))
    mesh = f'<mesh><vertices>{corners}</vertices><triangles><triangle v1="0" v2="1" v3="2"/></triangles></mesh>'
    stack = f'<s:slicestack id="1" zbottom="0">{slices}</s:slicestack>'
    thing = f'<object id="2" s:slicestackid="1">{mesh}</object>'
    item = f'<item objectid="2" transform="{transform}"/>'
    head = f'<model unit="{unit}" xmlns="{CORE}" xmlns:s="{SLICE}">'
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("_rels/.rels", RELS)
        archive.writestr("3D/my.model", f"{head}<resources>{stack}{thing}</resources><build>{item}</build></model>")
        archive.writestr("2D/a.model", f"{head}<resources>{other}</resources><build/></model>")
    return data.getvalue()


def one_slice(top: float, side: float = 10.0) -> str:
    corners = "".join(f'<s:vertex x="{x}" y="{y}"/>' for x, y in ((0, 0), (side, 0), (side, side), (0, side)))
    segments = "".join(f'<s:segment v2="{v}"/>' for v in (1, 2, 3, 0))
    polygon = f'<s:polygon startv="0">{segments}</s:polygon>' if side else ""
    return f'<s:slice ztop="{top}"><s:vertices>{corners}</s:vertices>{polygon}</s:slice>'


def test_a_slice_stack_is_read_placed_and_in_its_unit() -> None:
    data = stacked(one_slice(0.1) + one_slice(0.3, 0) + one_slice(0.4, 20), unit="centimeter")
    assert holds_layers(data, "a.3mf")
    layers = ThreeMf().read_layers(data, "a.3mf")
    assert [layer.z for layer in layers] == pytest.approx([1, 3, 4])
    assert [layer.height for layer in layers] == pytest.approx([1, 2, 1])
    assert [layer.area for layer in layers] == pytest.approx([1e4, 0, 4e4])
    np.testing.assert_allclose(layers[0].islands[0].outer.min(0), [50, 0])
    found = read_layered(data, "a.3mf", BED)
    np.testing.assert_allclose(found.layers[0].islands[0].outer.min(0), [0, 0])


def test_references_are_followed_one_level_deep() -> None:
    other = f'<s:slicestack id="7" zbottom="0">{one_slice(0.1)}{one_slice(0.2)}</s:slicestack>'
    reference = '<s:sliceref slicestackid="7" slicepath="/2D/a.model"/>'
    assert len(ThreeMf().read_layers(stacked(reference, other=other), "a.3mf")) == 2
    deeper = f'<s:slicestack id="7" zbottom="0">{reference}</s:slicestack>'
    with pytest.raises(DataError, match="refers to another one"):
        ThreeMf().read_layers(stacked(reference, other=deeper), "a.3mf")


def placed(build: str, objects: str, *stacks: str) -> bytes:
    """A 3MF of slice stacks numbered from 1, objects and items."""
    piles = "".join(f'<s:slicestack id="{n}" zbottom="0">{s}</s:slicestack>' for n, s in enumerate(stacks, 1))
    head = f'<model unit="millimeter" xmlns="{CORE}" xmlns:s="{SLICE}">'
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("_rels/.rels", RELS)
        archive.writestr("3D/my.model", f"{head}<resources>{piles}{objects}</resources><build>{build}</build></model>")
    return data.getvalue()


def test_components_with_slices_are_placed() -> None:
    objects = '<object id="11" s:slicestackid="1"><mesh/></object><object id="12"><components>'
    objects += '<component objectid="11"/><component objectid="11" transform="0 1 0 -1 0 0 0 0 1 40 0 0"/>'
    data = placed(
        '<item objectid="12" transform="2 0 0 0 2 0 0 0 1 0 5 0"/>', objects + "</components></object>", one_slice(0.1)
    )
    assert ThreeMf().has_layers(data, "a.3mf")
    (layer,) = ThreeMf().read_layers(data, "a.3mf")
    assert layer.area == pytest.approx(2 * 400)
    corners = sorted(tuple(np.round(island.outer.min(0), 6)) for island in layer.islands)
    assert corners == [(0.0, 5.0), (60.0, 5.0)]


def test_stacks_of_other_lengths_stand_side_by_side() -> None:
    objects = "".join(f'<object id="1{n}" s:slicestackid="{n}"><mesh/></object>' for n in (1, 2))
    build = '<item objectid="11"/><item objectid="12" transform="1 0 0 0 1 0 0 0 1 50 0 0.1"/>'
    stacks = one_slice(0.1) + one_slice(0.2), one_slice(0.1) + one_slice(0.2) + one_slice(0.3, 20.0)
    layers = ThreeMf().read_layers(placed(build, objects, *stacks), "a.3mf")
    assert [layer.z for layer in layers] == pytest.approx([0.1, 0.2, 0.3, 0.4])
    assert [layer.area for layer in layers] == pytest.approx([100, 200, 100, 400])
    thicker = one_slice(0.15) + one_slice(0.3)
    with pytest.raises(DataError, match="of other heights lie side by side"):
        ThreeMf().read_layers(placed(build, objects, stacks[0], thicker), "a.3mf")


def test_supports_are_not_filled_and_open_polygons_leak() -> None:
    objects = '<object id="11" s:slicestackid="1"><mesh/></object>'
    objects += '<object id="12" type="support" s:slicestackid="2"><mesh/></object>'
    opened = one_slice(0.1).replace('<s:segment v2="0"/>', "")
    whole = one_slice(0.1).replace("</s:slice>", opened[opened.index("<s:polygon") :])
    (layer,) = ThreeMf().read_layers(
        placed('<item objectid="11"/><item objectid="12"/>', objects, whole, one_slice(0.1, 30)), "a.3mf"
    )
    assert layer.area == pytest.approx(100)
    assert layer.leaks == 1


def test_a_mesh_without_slices_beside_slices_is_refused() -> None:
    objects = '<object id="11" s:slicestackid="1"><mesh/></object><object id="12"><mesh/></object>'
    data = placed('<item objectid="11"/><item objectid="12"/>', objects, one_slice(0.1))
    with pytest.raises(DataError, match="object 12 has a mesh but no slices"):
        ThreeMf().read_layers(data, "a.3mf")


def test_slices_that_nothing_places_leave_a_file_a_mesh() -> None:
    assert not ThreeMf().has_layers(placed('<item objectid="1"/>', '<object id="1"><mesh/></object>', ""), "a.3mf")


@pytest.mark.parametrize(
    ("slices", "transform", "said"),
    [
        (one_slice(0.2) + one_slice(0.1), "1 0 0 0 1 0 0 0 1 0 0 0", "do not rise strictly"),
        (one_slice(0.2).replace('v2="3"', 'v2="9"'), "1 0 0 0 1 0 0 0 1 0 0 0", "names corner 9 of 4"),
        (one_slice(0.2), "1 0 0 0 0 1 0 -1 0 0 0 0", "tilted or scaled along z"),
        ("", "1 0 0 0 1 0 0 0 1 0 0 0", "without slices"),
    ],
)
def test_what_is_wrong_in_a_stack_is_named(slices: str, transform: str, said: str) -> None:
    with pytest.raises(DataError, match=f"a.3mf: .*{said}"):
        ThreeMf().read_layers(stacked(slices, transform), "a.3mf")


def test_more_layers_than_a_file_has_repeat_what_is_there() -> None:
    layers = (layer_of(0, [star([9.0] * 6, 0, 0)]), layer_of(1, [star([3.0] * 6, 0, 0)]))
    more = respaced(layers, 6)
    assert [round(layer.area, 6) for layer in more] == [round(layers[k // 3].area, 6) for k in range(6)]
    assert [layer.z for layer in more] == pytest.approx(np.arange(1, 7) * 0.1)


def test_a_layer_file_larger_than_the_bed_is_refused() -> None:
    data = stacked(one_slice(0.1, 900.0))
    with pytest.raises(DataError, match=r"900 x 900 x 0\.1 mm does not fit"):
        read_layered(data, "a.3mf", BED)


def test_meshes_are_no_layer_files(tmp_path: Path) -> None:
    assert not holds_layers(b"solid", "a.stl")
