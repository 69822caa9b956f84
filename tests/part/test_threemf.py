from __future__ import annotations

import io
import re
import zipfile

import numpy as np
import pytest
import trimesh

from layerwatch.part.formats.threemf import ThreeMf
from layerwatch.part.reading import read_part
from layerwatch.part.slicing import slice_mesh
from layerwatch.records import DataError

CORE = "http://schemas.microsoft.com/3dmanufacturing/core/2015/02"
RELS = (
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r" '
    'Type="http://schemas.microsoft.com/3dmanufacturing/2013/01/3dmodel" Target="/3D/my.model"/></Relationships>'
)
BED = (480.0, 480.0, 400.0)


def mesh_xml(x: float = 40.0, y: float = 30.0, z: float = 20.0) -> str:
    box = trimesh.creation.box((x, y, z))
    corners = "".join('<vertex x="{:g}" y="{:g}" z="{:g}"/>'.format(*corner) for corner in box.vertices)
    faces = "".join('<triangle v1="{}" v2="{}" v3="{}"/>'.format(*face) for face in box.faces)
    return f"<mesh><vertices>{corners}</vertices><triangles>{faces}</triangles></mesh>"


def package(resources: str, build: str, unit: str = "millimeter", **files: str) -> bytes:
    model = f'<model unit="{unit}" xmlns="{CORE}"><resources>{resources}</resources><build>{build}</build></model>'
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, text in {"_rels/.rels": RELS, "3D/my.model": model, **files}.items():
            archive.writestr(path, text)
    return data.getvalue()


BOX = f'<object id="1">{mesh_xml()}</object>'


def test_a_box_comes_with_its_unit() -> None:
    part = read_part(package(BOX, '<item objectid="1"/>', "inch"), "box.3mf", BED, "mm")
    assert part.mesh.extent == pytest.approx([40, 30, 20])
    mesh = ThreeMf().read_mesh(package(BOX, '<item objectid="1"/>', "centimeter"), "box.3mf")
    assert (mesh.unit, len(mesh.triangles)) == ("cm", 12)


def test_items_and_components_are_placed_and_mirrored_ones_keep_their_outside() -> None:
    pair = '<object id="2"><components><component objectid="1" transform="-1 0 0 0 1 0 0 0 1 100 0 0"/>'
    pair += '<component objectid="1"/></components></object>'
    data = package(BOX + pair, '<item objectid="2" transform="1 0 0 0 1 0 0 0 1 0 0 10"/>')
    mesh = ThreeMf().read_mesh(data, "pair.3mf")
    np.testing.assert_allclose(mesh.bounds, [[-20, -15, 0], [120, 15, 20]])
    (layer,) = slice_mesh(mesh, 20.0)
    assert layer.area == pytest.approx(2 * 40 * 30)
    assert layer.leaks == 0


CYCLE = '<object id="1"><components><component objectid="2"/></components></object>'
CYCLE += '<object id="2"><components><component objectid="1"/></components></object>'


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"PK\x03\x04 no zip", "not a 3MF file"),
        (package(BOX, "")[:-30], "not a 3MF file"),
        (package(BOX, ""), "places no mesh"),
        (package(CYCLE, '<item objectid="1"/>'), "contains itself"),
        (package(BOX, '<item objectid="7"/>'), "object 7 is missing"),
        (package(BOX, '<item objectid="1" transform="1 0 0"/>'), "broken 3MF model"),
        (package(BOX.replace('v1="0"', 'v1="99"'), '<item objectid="1"/>'), "names corner 99"),
        (package(BOX.replace('x="20"', 'x="nan"'), '<item objectid="1"/>'), "NaN or infinite"),
        (package(BOX, '<item objectid="1"/>', "furlong"), "unit 'furlong'"),
        (package("<broken", ""), "broken XML"),
        (package(BOX + " " * 10_000_000, '<item objectid="1"/>'), "would unpack to"),
        (package(BOX, "", **{"_rels/.rels": '<!DOCTYPE a [<!ENTITY b "c">]><a/>'}), "document type"),
    ],
)
def test_a_broken_file_says_why(data: bytes, said: str) -> None:
    with pytest.raises(DataError, match=re.escape(said)):
        ThreeMf().read_mesh(data, "part.3mf")
