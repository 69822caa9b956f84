"""Bad 3MF files of every kind -> a DataError that names the file, within 5 s and 1 GB, and nothing else."""

from __future__ import annotations

import io
import resource
import struct
import time
import zipfile
from collections.abc import Callable

import pytest

from layerwatch.part.layered import holds_layers, read_layered
from layerwatch.part.reading import read_part
from layerwatch.part.slicing import slice_mesh
from layerwatch.records import DataError, UsageError

BED = (480.0, 480.0, 400.0)
NAME = "delivered.3mf"
CORE = "http://schemas.microsoft.com/3dmanufacturing/core/2015/02"
SLICE = "http://schemas.microsoft.com/3dmanufacturing/slice/2015/07"
PRODUCTION = "http://schemas.microsoft.com/3dmanufacturing/production/2015/06"
RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
MODEL = "3D/part.model"

# A tetrahedron: the smallest sound part.
CORNERS = ["0 0 0", "30 0 0", "0 30 0", "0 0 30"]
FACES = ["0 2 1", "0 1 3", "1 2 3", "2 0 3"]
ITEM = '<item objectid="1"/>'


def solid(corners: list[str] = CORNERS, faces: list[str] = FACES) -> str:
    points = "".join('<vertex x="{}" y="{}" z="{}"/>'.format(*c.split()) for c in corners)
    triangles = "".join('<triangle v1="{}" v2="{}" v3="{}"/>'.format(*f.split()) for f in faces)
    return f'<object id="1"><mesh><vertices>{points}</vertices><triangles>{triangles}</triangles></mesh></object>'


def relation(target: str) -> str:
    kind = "http://schemas.microsoft.com/3dmanufacturing/2013/01/3dmodel"
    return f'<Relationships xmlns="{RELATIONS}"><Relationship Id="r" Type="{kind}" Target="{target}"/></Relationships>'


def model(resources: str = "", build: str = ITEM, unit: str = "millimeter") -> str:
    spaces = f'xmlns="{CORE}" xmlns:s="{SLICE}" xmlns:p="{PRODUCTION}"'
    body = f"<resources>{resources or solid()}</resources><build>{build}</build>"
    return f'<model unit="{unit}" {spaces}>{body}</model>'


def package(files: dict[str, str | bytes], packing: int = zipfile.ZIP_DEFLATED) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", packing) as archive:
        for path, content in files.items():
            archive.writestr(path, content)
    return data.getvalue()


def of(text: str | bytes, **more: str | bytes) -> bytes:
    """The package of a model."""
    return package({"_rels/.rels": relation(f"/{MODEL}"), MODEL: text, **more})


def unpacked(text: str) -> bytes:
    """The package of a model that repeats itself so much that, once packed, it would be taken for a bomb."""
    return package({"_rels/.rels": relation(f"/{MODEL}"), MODEL: text}, zipfile.ZIP_STORED)


# The container


def lying(share: float = 0.5) -> bytes:
    """The model's entry gives a share of its size, in both of the places where a ZIP says it."""
    data, size = of(model()), len(model())
    assert data.count(struct.pack("<I", size)) == 2
    return data.replace(struct.pack("<I", size), struct.pack("<I", int(size * share)))


def crowded(entries: int) -> bytes:
    """A directory that lists one file again and again; ZIP64, since the plain form counts to 65,535 only."""
    one = package({"a": b""})
    start = one.index(b"PK\1\2")
    entry = one[start : one.index(b"PK\5\6")]
    directory = entry * entries
    end = struct.pack("<4sQHHIIQQQQ", b"PK\6\6", 44, 45, 45, 0, 0, entries, entries, len(directory), start)
    where = struct.pack("<4sIQI", b"PK\6\7", 0, start + len(directory), 1)
    last = struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    return one[:start] + directory + end + where + last


def encrypted() -> bytes:
    data = bytearray(of(model()))
    for mark, flag in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        at = data.index(mark, data.index(MODEL.encode()) - 60)
        data[at + flag] |= 1
    return bytes(data)


def spoilt() -> bytes:
    """A byte of the packed model is another one."""
    data = bytearray(of(model()))
    data[data.index(MODEL.encode()) + len(MODEL) + 40] ^= 0xFF
    return bytes(data)


CONTAINERS: dict[str, Callable[[], bytes]] = {
    "nothing": lambda: b"",
    "a file smaller than it says": lambda: lying(2.0),
    "a million entries": lambda: crowded(1_000_000),
    "no ZIP": lambda: b"solid part\nendsolid part\n",
    "a ZIP cut short": lambda: of(model())[:-40],
    "half a ZIP": lambda: of(model())[:300],
    "a ZIP without files": lambda: package({}),
    "a ZIP bomb": lambda: of(model() + " " * 40_000_000),
    "a file larger than it says": lambda: lying(),
    "too many files": lambda: crowded(250_001),
    "an encrypted file": encrypted,
    "a spoilt file": spoilt,
    "no model": lambda: package({"readme.txt": "nothing here"}),
    "relation to no model": lambda: package({"_rels/.rels": relation("/3D/other.model"), MODEL: model()}),
    "relation that leads out": lambda: package({"_rels/.rels": relation("/../../../etc/passwd"), MODEL: model()}),
    "relation without a target": lambda: of(model(), **{"_rels/.rels": relation("x").replace("Target", "To")}),
    "broken relations": lambda: of(model(), **{"_rels/.rels": "<Relationships"}),
}

# The XML


def entities(levels: int = 12) -> str:
    names = [f'<!ENTITY e{i} "{f"&e{i - 1};" * 10 if i else "ha"}">' for i in range(levels)]
    return f"<!DOCTYPE model [{''.join(names)}]>" + model(f"<metadata>&e{levels - 1};</metadata>")


XML: dict[str, Callable[[], bytes]] = {
    "empty XML": lambda: of(""),
    "broken XML": lambda: of(model()[:-9]),
    "no UTF-8": lambda: of(model().encode().replace(b"millimeter", b"milli\xff\xfemeter")),
    "an unknown encoding": lambda: of('<?xml version="1.0" encoding="klingon"?>' + model()),
    "an encoding of many bytes": lambda: of('<?xml version="1.0" encoding="shift_jis"?>' + model()),
    "UTF-16": lambda: of(model().encode("utf-16")),
    "UTF-16 without its mark": lambda: of(model().encode("utf-16-be")),
    "an entity bomb": lambda: of(entities()),
    "an entity bomb in UTF-16": lambda: of(entities().encode("utf-16")),
    "an outside entity": lambda: of('<!DOCTYPE model [<!ENTITY e SYSTEM "file:///etc/passwd">]>' + model()),
    "a document type elsewhere": lambda: of(" " * 5000 + "<!doctype model>" + model()),
    "elements in elements": lambda: unpacked(model("<a>" * 100_000 + "</a>" * 100_000)),
    "another kind of XML": lambda: of('<svg xmlns="http://www.w3.org/2000/svg"/>'),
}

# The mesh


def corner(text: str) -> bytes:
    return of(model(solid([*CORNERS[:3], text])))


def face(text: str) -> bytes:
    return of(model(solid(faces=[*FACES[:3], text])))


def placed(transform: str) -> bytes:
    return of(model(build=f'<item objectid="1" transform="{transform}"/>'))


MESHES: dict[str, Callable[[], bytes]] = {
    "corner of NaN": lambda: corner("0 0 nan"),
    "corner of infinity": lambda: corner("0 0 -inf"),
    "corner beyond all numbers": lambda: corner("0 0 1e999"),
    "corner far away": lambda: corner("0 0 1e300"),
    "corner at 1e12": lambda: corner("1e12 0 30"),
    "corner of letters": lambda: corner("0 0 high"),
    "corner without z": lambda: of(model(solid().replace(' z="30"', ""))),
    "index too high": lambda: face("2 0 4"),
    "index below 0": lambda: face("2 0 -1"),
    "index of letters": lambda: face("2 0 last"),
    "index of a fraction": lambda: face("2 0 3.0"),
    "index beyond 64 bits": lambda: face(f"2 0 {10**30}"),
    "index beyond all bounds": lambda: face(f"2 0 {'9' * 100_000}"),
    "triangles but no corners": lambda: of(model(solid(corners=[]))),
    "corners but no triangles": lambda: of(model(solid(faces=[]))),
    "triangles of one corner": lambda: of(model(solid(faces=["1 1 1", "0 0 2"]))),
    "unknown unit": lambda: of(model(unit="kilometer")),
    "empty unit": lambda: of(model(unit="")),
    "transform of letters": lambda: placed("1 0 0 0 1 0 0 0 1 a b c"),
    "transform of 11 numbers": lambda: placed("1 0 0 0 1 0 0 0 1 0 0"),
    "transform of 13 numbers": lambda: placed("1 0 0 0 1 0 0 0 1 0 0 0 0"),
    "transform into a point": lambda: placed("0 0 0 0 0 0 0 0 0 5 5 5"),
    "transform into a line": lambda: placed("0 0 1 0 0 1 0 0 1 0 0 0"),
    "nothing placed": lambda: of(model(build="")),
    "a missing object placed": lambda: of(model(build='<item objectid="9"/>')),
    "an item of no object": lambda: of(model(build="<item/>")),
}

# Components


def group(number: int, *inner: int | str) -> str:
    parts = "".join(f'<component objectid="{i}"/>' for i in inner)
    return f'<object id="{number}"><components>{parts}</components></object>'


def chain(levels: int) -> bytes:
    """Objects of which each holds the one before."""
    things = [group(i, i - 1) for i in range(2, levels + 2)]
    return of(model(solid() + "".join(things), f'<item objectid="{levels + 1}"/>'))


def elsewhere(path: str) -> bytes:
    return of(model(build=f'<item objectid="1" p:path="{path}"/>'))


COMPONENTS: dict[str, Callable[[], bytes]] = {
    "an object in itself": lambda: of(model(group(1, 1))),
    "a cycle": lambda: of(model(group(1, 2) + group(2, 3) + group(3, 1))),
    "a cycle beside a mesh": lambda: of(model(group(1, 2, 3) + group(2, 1) + solid().replace('id="1"', 'id="3"'))),
    "a missing component": lambda: of(model(group(1, 8))),
    "a component of no object": lambda: of(model(group(1, "").replace('objectid=""', ""))),
    "components 40 deep": lambda: chain(40),
    "components 5,000 deep": lambda: chain(5000),
    "an object of no file": lambda: elsewhere("/3D/other.model"),
    "an object outside the package": lambda: elsewhere("/../../../../etc/passwd"),
    "30,000 missing objects": lambda: of(
        model("".join(group(i) for i in range(2, 30_002)), '<item objectid="x"/>' * 30_000)
    ),
}

# Slices

SQUARE = (
    '<s:vertices><s:vertex x="0" y="0"/><s:vertex x="9" y="0"/><s:vertex x="9" y="9"/></s:vertices>'
    '<s:polygon startv="0"><s:segment v2="1"/><s:segment v2="2"/><s:segment v2="0"/></s:polygon>'
)


def one(top: str, drawn: str = SQUARE) -> str:
    return f'<s:slice ztop="{top}">{drawn}</s:slice>'


def pile(number: int, inner: str) -> str:
    return f'<s:slicestack id="{number}" zbottom="0">{inner}</s:slicestack>'


def refer(number: int | str, path: str = f"/{MODEL}") -> str:
    return f'<s:sliceref slicestackid="{number}" slicepath="{path}"/>'


def sliced(stacks: str, transform: str = "") -> bytes:
    thing = solid().replace('id="1"', 'id="1" s:slicestackid="5"')
    where = f' transform="{transform}"' if transform else ""
    return of(model(stacks + thing, f'<item objectid="1"{where}/>'))


def drawn(old: str, new: str) -> bytes:
    assert old in SQUARE
    return sliced(pile(5, one("1", SQUARE.replace(old, new, 1))))


def side_by_side(*tops: str) -> bytes:
    """An object with a stack of one slice for each height."""
    stacks = "".join(pile(i, one(top)) for i, top in enumerate(tops))
    things = "".join(solid().replace('id="1"', f'id="{i}" s:slicestackid="{i}"') for i in range(len(tops)))
    return of(model(stacks + things, "".join(f'<item objectid="{i}"/>' for i in range(len(tops)))))


SOUND = pile(5, one("1") + one("2"))
SLICES: dict[str, Callable[[], bytes]] = {
    "slices that fall": lambda: sliced(pile(5, one("2") + one("1"))),
    "slices that stay": lambda: sliced(pile(5, one("1") + one("1"))),
    "a slice at the bottom": lambda: sliced(pile(5, one("0") + one("1"))),
    "a slice at NaN": lambda: sliced(pile(5, one("nan"))),
    "a slice at infinity": lambda: sliced(pile(5, one("1") + one("inf"))),
    "a slice without a height": lambda: sliced(pile(5, one("1").replace("ztop", "top"))),
    "a stack without slices": lambda: sliced(pile(5, "")),
    "slices without a polygon": lambda: sliced(pile(5, one("1", "") + one("2", ""))),
    "slices of open polygons": lambda: drawn('<s:segment v2="0"/>', ""),
    "a polygon of a missing corner": lambda: drawn('v2="2"', 'v2="3"'),
    "a polygon of corner -1": lambda: drawn('v2="2"', 'v2="-1"'),
    "a polygon of letters": lambda: drawn('v2="2"', 'v2="two"'),
    "a polygon without a start": lambda: drawn("startv", "start"),
    "a slice corner of NaN": lambda: drawn('x="9"', 'x="nan"'),
    "a slice corner far away": lambda: drawn('x="9"', 'x="1e300"'),
    "a slice corner at 1e12": lambda: drawn('x="9"', 'x="1e12"'),
    "a slice corner of letters": lambda: drawn('x="9"', 'x="right"'),
    "a missing stack": lambda: sliced(pile(6, one("1"))),
    "a stack that refers to itself": lambda: sliced(pile(5, refer(5))),
    "a stack that refers to a missing one": lambda: sliced(pile(5, refer(7))),
    "a stack that refers to no file": lambda: sliced(pile(5, refer(5, "/2D/other.model"))),
    "a stack that refers out": lambda: sliced(pile(5, refer(5, "/../../etc/passwd"))),
    "a stack of no path": lambda: sliced(pile(5, '<s:sliceref slicestackid="6"/>') + pile(6, one("1"))),
    "stacks two levels deep": lambda: sliced(pile(5, refer(6)) + pile(6, refer(7)) + pile(7, one("1"))),
    "a stack turned into NaN": lambda: sliced(SOUND, "nan 0 0 0 1 0 0 0 1 0 0 0"),
    "a stack moved into infinity": lambda: sliced(SOUND, "1e308 1e308 0 1e308 1e308 0 0 0 1 0 0 0"),
    "a tilted stack": lambda: sliced(SOUND, "1 0 0 0 0 1 0 -1 0 0 0 0"),
    "a stretched stack": lambda: sliced(SOUND, "1 0 0 0 1 0 0 0 2 0 0 0"),
    "a stack on its head": lambda: sliced(SOUND, "1 0 0 0 -1 0 0 0 -1 0 0 0"),
    "a stack turned into a line": lambda: sliced(SOUND, "0 0 0 0 1 0 0 0 1 0 0 0"),
    "a stack moved by letters": lambda: sliced(SOUND, "1 0 0 0 1 0 0 0 1 x y z"),
    "a stack larger than the bed": lambda: sliced(SOUND, "99 0 0 0 99 0 0 0 1 0 0 0"),
    "stacks of different heights": lambda: side_by_side("1", "1.5"),
}


def tree(depth: int, width: int, leaf: str) -> bytes:
    """Objects that each hold the one before several times."""
    inner = "".join(group(i, *[i - 1] * width) for i in range(2, depth + 2))
    return of(model(leaf + inner, f'<item objectid="{depth + 1}"/>'))


def many(count: int) -> bytes:
    """That many objects without anything in them, all placed."""
    things = "".join(group(i) for i in range(2, count + 2))
    return of(model(things, "".join(f'<item objectid="{i}"/>' for i in range(2, count + 2))))


FLOODS: dict[str, Callable[[], bytes]] = {
    "2^30 copies": lambda: tree(30, 2, solid()),
    "100^10 copies": lambda: tree(10, 100, solid()),
    "2^30 copies of nothing": lambda: tree(30, 2, group(1)),
    "more triangles than memory": lambda: unpacked(model(solid(faces=FACES * 2_000), ITEM * 3_000)),
    "the same by components": lambda: unpacked(
        model(group(2, *[1] * 3_000) + solid(faces=FACES * 2_000), '<item objectid="2"/>')
    ),
    "2,000 empty objects": lambda: many(2_000),  # the checks of shapes in tests take most of its time
    "a wide tree of elements": lambda: unpacked(model("<a/>" * 10_000_000)),
    "a transform of NaN": lambda: placed("nan 0 0 0 1 0 0 0 1 0 0 0"),
    "a transform into infinity": lambda: placed("1e308 1e308 0 0 1 0 0 0 1 0 0 0"),
}

CASES = {**FLOODS, **CONTAINERS, **XML, **MESHES, **COMPONENTS, **SLICES}


def peak() -> int:
    """The most memory ever held, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def take(data: bytes) -> None:
    """What every journey does with a part file."""
    if holds_layers(data, NAME):
        read_layered(data, NAME, BED)
    else:
        slice_mesh(read_part(data, NAME, BED).mesh, 0.5)


@pytest.mark.parametrize("case", CASES)
def test_a_bad_package_is_refused_by_name(case: str) -> None:
    data = CASES[case]()
    began, before = time.monotonic(), peak()
    with pytest.raises((DataError, UsageError)) as refused:
        take(data)
    assert NAME in str(refused.value)
    assert time.monotonic() - began < 3 * 5  # 5 s are promised; a busy machine may take three times as long
    assert peak() - before < 2**30
