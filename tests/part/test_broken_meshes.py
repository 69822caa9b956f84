"""Broken meshes beside trimesh and manifold3d, and forty bad files: refused with a reason, or repaired and told."""

from __future__ import annotations

import struct
import time
import tracemalloc
from collections.abc import Callable, Sequence
from functools import reduce

import manifold3d
import numpy as np
import pytest
import shapely
import trimesh

from layerwatch.part.formats.stl import Stl
from layerwatch.part.masks import masks_of
from layerwatch.part.mesh import Mesh
from layerwatch.part.reading import Part, read_part
from layerwatch.part.repair import repair
from layerwatch.part.slicing import slice_mesh, slices_of
from layerwatch.records import DataError, UsageError

BED = (480.0, 480.0, 400.0)

# --- the table of broken meshes: the mean area of 60 layers ----------------------------------------------------------

TORUS = np.array(trimesh.creation.torus(2.0, 0.43, 96, 48).triangles)
BOXES = np.concatenate(
    [np.array(trimesh.creation.box((2, 2, 2)).triangles) + shift for shift in (np.zeros(3), np.array([1.0, 0.7, 0.5]))]
)


def deleted(share: float) -> np.ndarray:
    return np.asarray(TORUS[np.random.default_rng(1).random(len(TORUS)) >= share])


def flipped(share: float) -> np.ndarray:
    triangles, turn = TORUS.copy(), np.random.default_rng(2).random(len(TORUS)) < share
    triangles[turn] = triangles[turn, ::-1]
    return triangles


def heights(triangles: np.ndarray) -> tuple[float, np.ndarray]:
    height = float(np.ptp(triangles[:, :, 2])) / 60
    return height, (np.arange(60) + 0.5) * height


def ours(triangles: np.ndarray) -> tuple[float, float]:
    """Mean area of contours, and of masks."""
    mesh, _ = repair(Mesh(triangles - triangles.min((0, 1)), "mm"))
    height, _ = heights(triangles)
    pixel = float(mesh.extent.max()) / 60
    masks = masks_of(mesh, height, 64, 64, pixel, (pixel, pixel)).coverage
    by_masks = masks.sum((1, 2), dtype=np.float64).mean() * pixel**2
    return float(np.mean([layer.area for layer in slice_mesh(mesh, height)])), float(by_masks)


def trimesh_area(triangles: np.ndarray) -> float:
    """Its closed polygons by even-odd; two bodies' outlines count twice where they overlap and none holds the other."""
    corners = (triangles - triangles.min((0, 1))).reshape(-1, 3)
    mesh = trimesh.Trimesh(corners, np.arange(len(corners)).reshape(-1, 3))
    sections = mesh.section_multiplane([0, 0, 0], [0, 0, 1], heights(triangles)[1])
    polygons = [[p for p in s.polygons_closed if p is not None] if s is not None else [] for s in sections]
    odd = [reduce(shapely.symmetric_difference, some, shapely.Polygon()).area for some in polygons]
    return float(np.mean(odd))


def manifold_area(triangles: np.ndarray) -> float | str:
    corners, faces = np.unique((triangles - triangles.min((0, 1))).reshape(-1, 3), axis=0, return_inverse=True)
    solid = manifold3d.Manifold(manifold3d.Mesh64(corners, faces.reshape(-1, 3).astype(np.uint64)))
    if solid.status() != manifold3d.Error.NoError:
        return "refused"
    return float(np.mean([solid.slice(z).area() for z in heights(triangles)[1]]))


def union_of_boxes() -> float:
    """Exact: each layer's plane cuts one box or both."""
    z = heights(BOXES)[1]
    low, high = (z < 2).astype(float), (z >= 0.5).astype(float)
    return float(np.mean(4 * low + 4 * high - 1.0 * 1.3 * low * high))


TRUE = manifold_area(TORUS)


@pytest.mark.parametrize(
    ("triangles", "truth", "within"),
    [
        (deleted(0.01), TRUE, 1e-3),
        (deleted(0.05), TRUE, 1e-2),
        (flipped(0.05), TRUE, 1e-9),
        (TORUS[:, ::-1], TRUE, 1e-9),
        (BOXES, union_of_boxes(), 1e-8),
    ],
    ids=["1 % deleted", "5 % deleted", "5 % flipped", "inside out", "two overlapping boxes"],
)
def test_broken_meshes_are_as_near_the_truth_as_the_best_peer(
    triangles: np.ndarray, truth: float, within: float
) -> None:
    contours, masks = ours(triangles)
    assert contours == pytest.approx(truth, rel=within)
    assert masks == pytest.approx(truth, rel=max(within, 1e-6))
    for peer in (trimesh_area(triangles), manifold_area(triangles)):
        if not isinstance(peer, str):
            assert abs(contours - truth) <= abs(peer - truth) + 1e-6 * truth


# --- bad files --------------------------------------------------------------------------------------------------------


def stl(triangles: np.ndarray | Sequence[object]) -> bytes:
    with np.errstate(all="ignore"):
        return Stl().write_mesh(Mesh(np.asarray(triangles, np.float64)))


BOX = np.array(trimesh.creation.box((40, 30, 20)).triangles) + np.array([20, 15, 10])
GOOD = stl(BOX)
TEXT = trimesh.exchange.stl.export_stl_ascii(trimesh.creation.box((40, 30, 20))).encode()
BALL = np.array(trimesh.creation.icosphere(subdivisions=3, radius=20).triangles)
RNG = np.random.default_rng(0)


def lying(count: int) -> bytes:
    return GOOD[:80] + struct.pack("<I", count) + GOOD[84:]


def poisoned(value: float) -> bytes:
    return GOOD[:96] + struct.pack("<f", value) + GOOD[100:]


def moebius(steps: int = 60) -> np.ndarray:
    angle = np.arange(steps) * 2 * np.pi / steps
    rails = np.array(
        [
            np.stack(
                [(50 + w * np.cos(angle / 2)) * f for f in (np.cos(angle), np.sin(angle))] + [w * np.sin(angle / 2)], 1
            )
            for w in (-9, 9)
        ]
    )
    ahead = np.concatenate([rails[:, 1:], rails[::-1, :1]], 1)
    (a, b), (c, d) = rails, ahead
    return np.concatenate([np.stack([a, b, c], 1), np.stack([b, d, c], 1)])


def fan() -> np.ndarray:
    """Three walls on one edge, each a flat box: an edge of twelve triangles."""
    wall = np.array(trimesh.creation.box((30, 1, 20)).triangles) + np.array([15, 0.5, 10])
    turns = [np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]]) for a in (0, 2.1, 4.2)]
    return np.concatenate([wall @ turn.T for turn in turns])


def knot() -> np.ndarray:
    """A tube that passes through itself."""
    t = np.linspace(0, 2 * np.pi, 121)[:-1]
    middle = np.stack([30 * np.sin(t), 30 * np.sin(t) * np.cos(t), 0 * t], 1)
    ring = np.linspace(0, 2 * np.pi, 13)[:-1]
    way = np.gradient(middle, axis=0)
    side = np.cross(way / np.linalg.norm(way, axis=1, keepdims=True), [0, 0, 1])
    tube = middle[:, None] + 4 * (
        np.cos(ring)[None, :, None] * side[:, None] + np.sin(ring)[None, :, None] * [0, 0, 1.0]
    )
    a, b = tube, np.roll(tube, -1, 1)
    c, d = np.roll(tube, -1, 0), np.roll(np.roll(tube, -1, 0), -1, 1)
    return np.concatenate([np.stack(s, 2).reshape(-1, 3, 3) for s in ((a, b, c), (b, d, c))])


REFUSED = {
    "empty file": (b"", "the file is empty"),
    "header only": (GOOD[:60], "a header alone has 84"),
    "no triangles": (lying(0)[:84], "without triangles"),
    "count too high": (lying(13), "truncated STL, 13 triangles promised, 12 present"),
    "count far too high": (lying(4_000_000_000), "not an STL file"),
    "count too low": (lying(5), "lying STL header, 5 triangles promised, 12 present"),
    "count zero": (lying(0), "lying STL header"),
    "truncated": (GOOD[:-70], "truncated STL"),
    "truncated to the header": (GOOD[:90], "truncated STL|not an STL"),
    "NaN": (poisoned(np.nan), "NaN or infinite"),
    "infinite": (poisoned(-np.inf), "NaN or infinite"),
    "huge coordinates": (poisoned(3e38), "3e.38 from the origin, in no unit a part"),
    "all corners in one": (stl(np.full((5, 3, 3), 7.0)), "no triangle with an area is left"),
    "needles without area": (stl(np.array([[[0, 0, 0], [9, 9, 9], [0, 0, 0]]] * 4)), "no triangle with an area"),
    "one flat triangle": (stl([[[0, 0, 0], [9, 0, 0], [0, 9, 0]]]), "less than one layer"),
    "flat part": (stl(BOX * [1, 1, 0]), "less than one layer"),
    "part thinner than a layer": (stl(BOX * [1, 1, 0.01]), "0.2 mm high, less than one layer of 0.3 mm"),
    "units of kilometres": (stl(BOX * 1e6), "in none of mm, inch, m"),
    "part larger than the bed": (stl(BOX * [20, 1, 1]), "fits the job box of"),
    "picture": (b"\x89PNG\r\n\x1a\n" + bytes(range(200)) * 3, "not an STL file"),
    "random bytes": (RNG.bytes(5000), "not an STL file|STL header"),
    "zeros": (bytes(5000), "lying STL header"),
    "empty solid": (b"solid x\nendsolid x\n", "without triangles"),
    "text of a poem": (b"Half a league, half a league,\n" * 40, "not an STL file"),
    "ASCII garbage": (b"solid x\n" + b"lorem ipsum vertex dolor\n" * 50 + b"endsolid", "broken ASCII STL"),
    "wrong numbers": (TEXT.replace(b"vertex 2", b"vertex 2..", 1), "no number|can be read"),
    "a word for a number": (TEXT.replace(b"vertex -", b"vertex minus", 1), "broken ASCII STL"),
    "ASCII NaN": (TEXT.replace(TEXT.split(b"vertex ")[1].split()[0], b"nan"), "NaN or infinite"),
    "two corners": (b"solid x\nvertex 0 0 0\nvertex 1 1 1\nendsolid\n", "no threes"),
    "missing endsolid": (TEXT.replace(b"endsolid", b""), "ends without 'endsolid'"),
    "ASCII cut off": (TEXT[:-300], "(broken|truncated) ASCII STL"),
    "text in a binary": (GOOD[:80] + b"facet normal 0 0 1" * 40, "not an STL file|STL header|truncated"),
    "UTF-16": (TEXT.decode().encode("utf-16"), "not an STL file"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_part_is_refused_with_a_reason(case: str) -> None:
    data, reason = REFUSED[case]

    def read() -> None:
        slice_mesh(read_part(data, "part.stl", BED).mesh, 0.3)

    with pytest.raises(DataError, match=reason):
        bounded(read)


MENDED = {
    "binary that begins with solid": (b"solid of a fool".ljust(80) + GOOD[80:], 600.0, "unit guessed"),
    "ASCII with CR LF": (TEXT.replace(b"\n", b"\r\n"), 600.0, "unit guessed"),
    "one upright triangle": (stl([[[0, 0, 0], [90, 0, 0], [0, 0, 90]]]), 0.0, "3 edges stay open"),
    "two triangles": (stl([[[0, 0, 0], [90, 0, 0], [0, 0, 90]], [[0, 0, 0], [90, 9, 0], [0, 9, 90]]]), 0.0, "2 bodies"),
    "all triangles equal": (
        stl([[[0, 0, 0], [90, 0, 0], [0, 9, 90]]] * 500),
        0.0,
        "dropped 499 triangles that stand twice",
    ),
    "every triangle twice": (stl(np.repeat(BOX, 2, 0)), 600.0, "dropped 12 triangles that stand twice"),
    "triangles without area between": (stl([*BOX, *np.zeros((9, 3, 3))]), 600.0, "dropped 9 triangles without area"),
    "lid missing": (stl(BOX[BOX[:, :, 2].min(1) < 20]), 600.0, "closed 1 holes of up to 4 edges"),
    "half flipped": (stl([t[::-1] if i % 2 else t for i, t in enumerate(BOX)]), 600.0, "turned 6 triangles"),
    "inside out": (stl(BOX[:, ::-1]), 600.0, "turned the whole mesh"),
    "corners nearly meet": (stl(BALL + RNG.normal(0, 1e-6, BALL.shape)), None, "corners that lay within"),
    "Moebius strip": (stl(moebius()), None, "even-odd rule used"),
    "fan on one edge": (stl(fan()), None, "3 bodies"),
    "passes through itself": (stl(knot()), None, "unit guessed"),
    "soup": (stl(RNG.uniform(0, 100, (300, 3, 3))), None, "900 edges stay open"),
    "dense soup": (stl(RNG.uniform(0, 100, (5_000, 3, 3))), None, "15000 edges stay open"),
    "a tenth of a ball deleted": (stl(BALL[RNG.random(len(BALL)) > 0.1]), None, "closed"),
    "far from the origin": (stl(BOX + 1e5), None, "unit guessed"),
}


@pytest.mark.parametrize("case", MENDED)
def test_what_can_be_used_is_mended_and_told(case: str) -> None:
    data, area, told = MENDED[case]
    parts: list[Part] = []

    def read() -> None:
        parts.append(read_part(data, "part.stl", BED))
        slices = slices_of(parts[0].mesh, float(parts[0].mesh.extent[2]) / 40)
        assert len(slices.layers) == 40
        assert all(np.isfinite(layer.area) for layer in slices.layers)
        if area is not None:
            scale = np.prod(parts[0].mesh.extent[:2]) / 1200 if area else 1
            assert [layer.area / scale for layer in slices.layers] == pytest.approx([2 * area] * 40, rel=1e-6)
        if "stay open" in told:
            assert any("stay open in" in said for said in slices.said)
        masks_of(parts[0].mesh, float(parts[0].mesh.extent[2]) / 40, 32, 32, 5.0)

    bounded(read)
    assert any(told in said for said in parts[0].said), parts[0].said


def bounded(work: Callable[[], None]) -> None:
    """Within 5 s and 1 GB of arrays."""
    tracemalloc.start()
    begin = time.perf_counter()
    try:
        work()
    finally:
        seconds, peak = time.perf_counter() - begin, tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert seconds < 5
        assert peak < 1e9


def test_the_cap_on_bytes_can_be_set() -> None:
    with pytest.raises(DataError, match=r"box.stl: 684 bytes, more than the 600 read"):
        read_part(GOOD, "box.stl", BED, max_bytes=600)
    assert read_part(GOOD, "box.stl", BED, max_bytes=len(GOOD)).unit == "mm"


def test_an_unknown_unit_names_those_there_are() -> None:
    with pytest.raises(UsageError, match="no unit 'km'"):
        read_part(GOOD, "box.stl", BED, "km")
