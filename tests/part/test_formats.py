"""What is written comes back; what is no part is refused in one line that says why."""

from __future__ import annotations

import gzip
import re
import struct
from pathlib import Path

import numpy as np
import pytest
import trimesh

from layerwatch import catalogue
from layerwatch.part.formats.stl import Stl
from layerwatch.part.formats.svg import Svg
from layerwatch.part.mesh import Mesh, guess_unit
from layerwatch.part.reading import read_part
from layerwatch.part.repair import repair
from layerwatch.part.slicing import slice_mesh
from layerwatch.records import DataError, UsageError

BED = (480.0, 480.0, 400.0)
BOX = Mesh(np.asarray(trimesh.creation.box((40, 30, 20)).triangles) + np.array([20, 15, 10]))
ASCII = trimesh.exchange.stl.export_stl_ascii(trimesh.creation.box((40, 30, 20))).encode()
BINARY = Stl().write_mesh(BOX)


def test_binary_written_then_read_is_the_same() -> None:
    np.testing.assert_array_equal(Stl().read_mesh(BINARY, "box.stl").triangles, BOX.triangles)


def test_ascii_and_binary_hold_the_same_box() -> None:
    assert Stl().read_mesh(ASCII, "box.stl").extent == pytest.approx([40, 30, 20])


def test_a_binary_file_that_begins_with_solid_is_read_as_binary() -> None:
    data = b"solid of a fool".ljust(80) + BINARY[80:]
    assert len(Stl().read_mesh(data, "box.stl").triangles) == 12


def poisoned(value: float) -> bytes:
    data = bytearray(BINARY)
    data[96:100] = struct.pack("<f", value)
    return bytes(data)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "the file is empty"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(200)) * 3, "not an STL file"),
        (b"hello", r"not an STL file \(5 bytes"),
        (BINARY[:-70], "truncated STL, 12 triangles promised, 10 present"),
        (BINARY[:80] + bytes(4), "without triangles"),
        (b"solid nothing\nendsolid nothing\n", "without triangles"),
        (poisoned(np.nan), "1 triangles with NaN"),
        (poisoned(np.inf), "1 triangles with NaN or infinite"),
        (ASCII[:-200], "(broken|truncated) ASCII STL"),
        (ASCII.replace(b"vertex", b"vertex x", 1), "broken ASCII STL"),
    ],
)
def test_a_bad_stl_is_refused_by_name(data: bytes, message: str) -> None:
    with pytest.raises(DataError, match=f"box.stl: .*{message}"):
        Stl().read_mesh(data, "box.stl")


def test_repair_says_what_it_drops() -> None:
    twice = np.concatenate([BOX.triangles, BOX.triangles[:2][:, [1, 2, 0]], np.zeros((3, 3, 3))])
    mesh, actions = repair(Mesh(twice))
    assert actions == ("dropped 3 triangles without area", "dropped 2 triangles that stand twice")
    assert len(mesh.triangles) == 12
    assert repair(BOX)[1] == ()
    with pytest.raises(DataError, match="no triangle with an area"):
        repair(Mesh(np.zeros((3, 3, 3))))


@pytest.mark.parametrize(("factor", "unit"), [(1.0, "mm"), (1 / 25.4, "inch"), (1 / 1000, "m")])
def test_the_unit_of_a_hand_sized_part_is_guessed(factor: float, unit: str) -> None:
    large = Mesh(BOX.triangles * 7 * factor)
    assert guess_unit(large, BED).unit == unit
    part = read_part(Stl().write_mesh(large), "box.stl", BED)
    assert part.mesh.extent == pytest.approx([280, 210, 140], rel=1e-5)
    assert f"unit guessed: {unit}" in part.said[0]


def test_a_given_unit_wins_and_a_part_that_does_not_fit_is_refused() -> None:
    assert read_part(BINARY, "box.stl", BED, "cm").mesh.extent == pytest.approx([400, 300, 200])
    with pytest.raises(DataError, match=r"does not fit the job box of 480 x 480 x 400 mm; give --unit"):
        read_part(BINARY, "box.stl", BED, "m")
    with pytest.raises(DataError, match="in none of mm, inch, m"):
        read_part(Stl().write_mesh(Mesh(BOX.triangles * 1e5)), "box.stl", BED)
    with pytest.raises(UsageError, match="no unit 'furlong'"):
        read_part(BINARY, "box.stl", BED, "furlong")
    with pytest.raises(UsageError, match=r"'\.docx' are not read"):
        read_part(BINARY, "box.docx", BED)


def test_layers_written_as_svg_come_back() -> None:
    path = Path(__file__).parents[2] / "examples/parts/core_waterjacket4.stl"
    layers = slice_mesh(read_part(path.read_bytes(), path.name, BED).mesh, 8.0)
    data = Svg().write_layers(layers, name="core & jacket", provenance={"sha256": "abc"})
    again = Svg().read_layers(data, "core.svg")
    assert [(x.index, x.z, len(x.islands)) for x in again] == [(x.index, x.z, len(x.islands)) for x in layers]
    for a, b in zip(layers, again, strict=True):
        assert b.area == pytest.approx(a.area, rel=1e-6)
        rings_a, rings_b = ([r for i in x.islands for r in (i.outer, *i.holes)] for x in (a, b))
        assert all(np.abs(r - s).max() <= 2e-6 for r, s in zip(rings_a, rings_b, strict=True))


def test_the_svg_has_the_form_of_slic3r() -> None:
    text = Svg().write_layers(slice_mesh(BOX, 10.0), name="box", provenance={}).decode()
    assert 'xmlns:slic3r="http://slic3r.org/namespaces/slic3r"' in text
    assert '<g id="layer0" slic3r:z="10.0000" slic3r:slice-z="5.0000" slic3r:layer-height="10.0000">' in text
    assert 'slic3r:area="1200.000000"' in text
    assert '<svg width="40.000000" height="30.000000" viewBox="0 0 40.000000 30.000000"' in text


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"<svg", "broken XML"),
        (b'<!DOCTYPE x [<!ENTITY a "b">]><svg/>', "document type"),
        (b'<svg xmlns="http://www.w3.org/2000/svg" height="3"><g id="layer0"/></svg>', "without slic3r:z"),
    ],
)
def test_what_is_no_layer_svg_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(DataError, match=message):
        Svg().read_layers(data, "x.svg")


def test_formats_say_what_they_cannot_hold() -> None:
    with pytest.raises(UsageError, match="hold no layers"):
        Stl().read_layers(b"", "x.stl")
    with pytest.raises(UsageError, match="hold no mesh"):
        Svg().read_mesh(b"", "x.svg")


HEAD = b"$$HEADERSTART $$UNITS/1 $$HEADEREND $$GEOMETRYSTART "


@pytest.mark.parametrize("name", ["svgz", "cli"])
def test_layers_come_back_from_every_layer_format(name: str) -> None:
    form = catalogue.load("part.formats", name)()
    core = Path(__file__).parents[2] / "examples" / "parts" / "core_waterjacket4.stl"
    layers = slice_mesh(read_part(core.read_bytes(), core.name, BED).mesh, 6.0)
    data = form.write_layers(layers, name="core", provenance={"unit": "mm"})
    assert data == form.write_layers(layers, name="core", provenance={"unit": "mm"})
    for before, after in zip(layers, form.read_layers(data, f"core.{name}"), strict=True):
        assert (after.index, after.z, after.height) == pytest.approx((before.index, before.z, 6.0), abs=1e-4)
        assert after.area == pytest.approx(before.area, rel=1e-6)
        assert len(after.islands) == len(before.islands)


def test_a_cli_file_of_another_unit_comes_in_mm() -> None:
    text = "$$HEADERSTART\n$$ASCII\n$$UNITS/00000000.010000\n$$HEADEREND\n$$GEOMETRYSTART\n$$LAYER/30.0\n"
    square = "$$POLYLINE/1,1,5,0,0,1000,0,1000,500,0,500,0,0\n$$POLYLINE/1,2,2,0,0,9,9\n"
    (layer,) = catalogue.load("part.formats", "cli")().read_layers(f"{text}{square}$$GEOMETRYEND".encode(), "a.cli")
    assert (layer.z, layer.area, len(layer.islands)) == pytest.approx((0.3, 50.0, 1))


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("svgz", gzip.compress(b"<svg/>")[:-9], "truncated gzip"),
        ("svgz", b"\x1f\x8bjunk", "not a gzip file"),
        ("cli", b"$$HEADERSTART $$BINARY $$UNITS/1 $$ALIGN $$HEADEREND", "aligned to 32 bits"),
        ("cli", b"$$HEADERSTART $$ASCII $$UNITS/1 $$HEADEREND $$GEOMETRYSTART $$LAYER/1", "truncated"),
        ("cli", b"$$HEADERSTART $$HEADEREND $$GEOMETRYSTART $$GEOMETRYEND", "no $$UNITS"),
        (
            "cli",
            HEAD + b"$$POLYLINE/1,1,1,0,0 $$GEOMETRYEND",
            "before the first",
        ),
        (
            "cli",
            HEAD + b"$$LAYER/1 $$POLYLINE/1,1,3,0,0 $$GEOMETRYEND",
            "has 1",
        ),
    ],
)
def test_a_broken_layer_file_says_why(name: str, data: bytes, said: str) -> None:
    with pytest.raises(DataError, match=re.escape(said)):
        catalogue.load("part.formats", name)().read_layers(data, f"a.{name}")


def test_a_bomb_is_not_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("layerwatch.part.formats.svgz._SMALL", 10_000)
    with pytest.raises(DataError, match="once unpacked"):
        catalogue.load("part.formats", "svgz")().read_layers(gzip.compress(bytes(100_000)), "a.svgz")
