"""Bad layer files of every form -> a DataError that names the file, within 5 s and 1 GB, and nothing else."""

from __future__ import annotations

import gzip
import io
import re
import resource
import struct
import time
import zipfile
from collections.abc import Callable

import pytest

from layerwatch.part.layered import read_layered
from layerwatch.records import DataError

BED = (480.0, 480.0, 400.0)
SVG = 'xmlns="http://www.w3.org/2000/svg" xmlns:slic3r="http://slic3r.org/namespaces/slic3r"'
SOUND = "M 0 0 9 0 9 9 0 9 z"


def svg(d: str = SOUND, z: str = "0.3", size: str = 'width="9" height="9"') -> bytes:
    return f'<svg {size} {SVG}><g id="layer0" slic3r:z="{z}"><path d="{d}"/></g></svg>'.encode()


def old(points: str, z: str = "0.3") -> bytes:
    polygon = f'<polygon slic3r:type="contour" points="{points}"/>'
    return f'<svg {SVG}><g id="layer0" slic3r:z="{z}">{polygon}</g></svg>'.encode()


def cli(body: str, units: str = "1", end: str = "$$GEOMETRYEND") -> bytes:
    return f"$$HEADERSTART\n$$ASCII\n$$UNITS/{units}\n$$HEADEREND\n$$GEOMETRYSTART\n{body}\n{end}".encode()


def binary(data: bytes, more: str = "") -> bytes:
    return f"$$HEADERSTART\n$$BINARY\n$$UNITS/1\n{more}$$HEADEREND".encode() + data


LAYER = struct.pack("<Hf", 127, 0.3)
CLI_LAYER = "$$LAYER/0.3\n"
CLI_SQUARE = "$$POLYLINE/1,1,5,0,0,9,0,9,9,0,9,0,0"


def sl1(layer: str | None = None, config: str = "layerHeight = 0.1\n") -> bytes:
    layer = layer or f'<svg {SVG} width="9mm" height="9mm" viewBox="0 0 9 9"><path d="M 0 0 l 9 0 0 9 z"/></svg>'
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.ini", config)
        archive.writestr("part00000.svg", layer)
    return data.getvalue()


def sl1_of(d: str, frame: str = 'width="9mm" height="9mm" viewBox="0 0 9 9"') -> bytes:
    return sl1(f'<svg {SVG} {frame}><path d="{d}"/></svg>')


CASES: dict[str, Callable[[], bytes]] = {
    "empty.svg": lambda: b"",
    "cut short.svg": lambda: svg()[:-20],
    "of another kind.svg": lambda: b"<html><body/></html>",
    "a picture of something else.svg": lambda: f"<svg {SVG}><circle r='3'/></svg>".encode(),
    "binary.svg": lambda: bytes(range(256)) * 40,
    "letters.svg": lambda: svg("M 0 0 nine 0 9 9 z"),
    "curves.svg": lambda: svg("M 0 0 C 1 1 2 2 3 3 z"),
    "an arc.svg": lambda: svg("M 0 0 A 5 5 0 1 0 9 9 z"),
    "an odd number.svg": lambda: svg("M 0 0 9 0 9 z"),
    "an open path.svg": lambda: svg("M 0 0 9 0 9 9"),
    "words around a path.svg": lambda: svg(f"path {SOUND}"),
    "NaN.svg": lambda: svg("M 0 0 nan 0 9 9 z"),
    "infinity.svg": lambda: svg("M 0 0 inf 0 9 9 z"),
    "far away.svg": lambda: svg("M 0 0 1e300 0 9 9 z"),
    "beyond the bed.svg": lambda: svg("M 0 0 1e6 0 9 9 z"),
    "two points.svg": lambda: svg("M 0 0 9 9 z"),
    "a height of NaN.svg": lambda: svg(z="nan"),
    "a height of letters.svg": lambda: svg(z="low"),
    "an endless height.svg": lambda: svg(z="inf"),
    "below the bed.svg": lambda: svg(z="-3"),
    "no height of the drawing.svg": lambda: svg(size='width="9"'),
    "a height of the drawing in letters.svg": lambda: svg(size='width="9" height="tall"'),
    "heights that fall.svg": lambda: svg().replace(
        b"</svg>", f'<g slic3r:z="0.2"><path d="{SOUND}"/></g></svg>'.encode()
    ),
    "an entity bomb.svg": lambda: b'<!DOCTYPE svg [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]>' + svg(),
    "an outside entity.svg": lambda: b'<!DOCTYPE svg SYSTEM "file:///etc/passwd">' + svg(),
    "EBCDIC.svg": lambda: b'<?xml version="1.0" encoding="cp037"?>' + svg(),
    "UTF-16.svg": lambda: svg().decode().encode("utf-16"),
    "a million M.svg": lambda: svg("M" * 1_000_000),
    "a million blanks.svg": lambda: svg("M" + " " * 1_000_000 + "l"),
    "older letters.svg": lambda: old("0,0 a,b 9,9"),
    "older NaN.svg": lambda: old("0,0 9,nan 9,9"),
    "older without height.svg": lambda: old("0,0 9,0 9,9", "nan"),
    "older and below.svg": lambda: old("0,0 9,0 9,9", "-0.3"),
    "no gzip.svgz": lambda: svg(),
    "cut short.svgz": lambda: gzip.compress(svg())[:-9],
    "a bomb.svgz": lambda: gzip.compress(bytes(2**25), 6),
    "an endless outline.svgz": lambda: gzip.compress(svg("M" + " 0" * 2**24 + "z"), 6) + bytes(2**19),
    "empty.cli": lambda: b"",
    "no header.cli": lambda: b"$$LAYER/1",
    "header without end.cli": lambda: b"$$HEADERSTART $$ASCII $$UNITS/1",
    "cut short.cli": lambda: cli(CLI_LAYER + CLI_SQUARE, end=""),
    "letters.cli": lambda: cli(CLI_LAYER + CLI_SQUARE.replace("9", "nine")),
    "a layer of letters.cli": lambda: cli("$$LAYER/low\n" + CLI_SQUARE),
    "NaN.cli": lambda: cli(CLI_LAYER + CLI_SQUARE.replace("9", "nan")),
    "far away.cli": lambda: cli(CLI_LAYER + CLI_SQUARE.replace("9", "1e300")),
    "a layer of NaN.cli": lambda: cli("$$LAYER/nan\n" + CLI_SQUARE),
    "layers that fall.cli": lambda: cli(f"$$LAYER/0.6\n{CLI_SQUARE}\n$$LAYER/0.3\n{CLI_SQUARE}"),
    "too few points.cli": lambda: cli(CLI_LAYER + CLI_SQUARE.replace(",5,", ",6,")),
    "half a point.cli": lambda: cli(CLI_LAYER + CLI_SQUARE + ",3"),
    "a polyline of nothing.cli": lambda: cli(CLI_LAYER + "$$POLYLINE/"),
    "a polyline without points.cli": lambda: cli(CLI_LAYER + "$$POLYLINE/1,1"),
    "NaN points.cli": lambda: cli(CLI_LAYER + "$$POLYLINE/1,1,nan,0,0"),
    "a direction of NaN.cli": lambda: cli(CLI_LAYER + CLI_SQUARE.replace("1,1,", "1,nan,")),
    "no units.cli": lambda: cli(CLI_LAYER + CLI_SQUARE).replace(b"$$UNITS/1\n", b""),
    "units of nothing.cli": lambda: cli(CLI_LAYER + CLI_SQUARE, units="0"),
    "units below nothing.cli": lambda: cli(CLI_LAYER + CLI_SQUARE, units="-1"),
    "units of letters.cli": lambda: cli(CLI_LAYER + CLI_SQUARE, units="furlong"),
    "no contour.cli": lambda: cli(CLI_LAYER),
    "a polyline first.cli": lambda: cli(CLI_SQUARE + CLI_LAYER),
    "binary of nothing.cli": lambda: binary(b""),
    "binary cut in a layer.cli": lambda: binary(LAYER[:4]),
    "binary cut in a head.cli": lambda: binary(LAYER + struct.pack("<Hi", 130, 1)),
    "binary cut in its points.cli": lambda: binary(LAYER + struct.pack("<H3i2f", 130, 1, 1, 5, 0, 0)),
    "binary of 2 billion points.cli": lambda: binary(LAYER + struct.pack("<H3i2f", 130, 1, 1, 2**31 - 1, 0, 0)),
    "binary of -1 points.cli": lambda: binary(LAYER + struct.pack("<H3i2f", 130, 1, 1, -1, 0, 0)),
    "binary of NaN.cli": lambda: binary(LAYER + struct.pack("<H3i2f", 130, 1, 1, 1, float("nan"), 0)),
    "binary with another command.cli": lambda: binary(LAYER + b"\x63\x00" * 9),
    "binary and aligned.cli": lambda: binary(LAYER, "$$ALIGN\n"),
    "no ZIP.sl1": lambda: b"PK\3\4",
    "cut short.sl1": lambda: sl1()[:-30],
    "no settings.sl1": lambda: sl1(config=""),
    "a layer of nothing.sl1": lambda: sl1(config="layerHeight = 0\n"),
    "a layer of letters.sl1": lambda: sl1(config="layerHeight = -.e\n"),
    "a million lines.sl1": lambda: sl1(config="\n" * 250_000),
    "broken XML.sl1": lambda: sl1("<svg"),
    "no frame.sl1": lambda: sl1_of("M 0 0 l 9 0 0 9 z", ""),
    "a frame of nothing.sl1": lambda: sl1_of("M 0 0 l 9 0 0 9 z", 'width="9mm" height="9mm" viewBox="0 0 0 0"'),
    "a frame of NaN.sl1": lambda: sl1_of("M 0 0 l 9 0 0 9 z", 'width="9mm" height="9mm" viewBox="0 0 nan 9"'),
    "letters.sl1": lambda: sl1_of("M 0 0 l a b c d z"),
    "steps without end.sl1": lambda: sl1_of("M 0 0 l 9 0 0 9"),
    "NaN.sl1": lambda: sl1_of("M 0 0 l nan 0 0 9 z"),
    "far away.sl1": lambda: sl1_of("M 0 0 l 1e300 0 0 9 z"),
    "blanks without end.sl1": lambda: sl1_of("M" + " " * 250_000),
}


def peak() -> int:
    """The most memory ever held, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


@pytest.mark.parametrize("name", CASES)
def test_a_bad_layer_file_is_refused_by_name(name: str) -> None:
    data = CASES[name]()
    began, before = time.monotonic(), peak()
    with pytest.raises(DataError, match=re.escape(name)):
        read_layered(data, name, BED)
    assert time.monotonic() - began < 5
    assert peak() - before < 2**30


@pytest.mark.parametrize(
    ("name", "data"),
    [("a.svg", svg()), ("a.svgz", gzip.compress(svg())), ("a.cli", cli(CLI_LAYER + CLI_SQUARE)), ("a.sl1", sl1())],
)
def test_the_same_files_without_their_fault_are_read(name: str, data: bytes) -> None:
    assert len(read_layered(data, name, BED).layers) == 1
