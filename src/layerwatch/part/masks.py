"""A mesh in mm -> the coverage masks of its layers, straight from its segments where these do not overlap."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, Int64

from layerwatch.part.mesh import Mesh
from layerwatch.part.raster import coverages, winding_of
from layerwatch.part.segments import Cutter, Segments
from layerwatch.part.slicing import layer_count, layers_of
from layerwatch.part.winding import boxes

_DUST = 1e-9  # rounding of a pixel's winding
_BLOCK = 1 << 19  # pixels summed up at once


@dataclass(frozen=True, eq=False)
class Masks:
    """The masks of a run of layers."""

    coverage: Float32[np.ndarray, "k h w"]  # share of each pixel inside; binary: ``coverage >= 0.5``
    leaks: Int64[np.ndarray, " k"]  # outlines that no ring could close, as in the layers themselves


def masks_of(
    mesh: Mesh,
    layer_height: float,
    width: int,
    height: int,
    mm_per_px: float,
    offset: tuple[float, float] = (0.0, 0.0),
    *,
    first: int = 0,
    count: int | None = None,
) -> Masks:
    """The same as ``coverages`` of ``slice_mesh``, without the work of linking contours.

    Contours are linked where they matter: in meshes with open edges, disagreeing windings or bodies whose boxes meet,
    and in layers where a pixel's winding number is not between 0 and 1. What could overlap unseen is a single body that
    crosses itself by less than a pixel.

    Args:
        mesh: a part that stands on z = 0, mm.
        layer_height: mm.
        width: px.
        height: px.
        mm_per_px: the side of a pixel.
        offset: mm, added to x and y.
        first: index of the lowest layer wanted.
        count: how many; None: up to the top.

    Raises:
        DataError: the part is thinner than one layer.
    """
    total = layer_count(mesh, layer_height)
    wanted = max((total if count is None else min(first + count, total)) - first, 0)
    coverage, leaks = np.empty((wanted, height, width), np.float32), np.zeros(wanted, np.int64)
    cutter = Cutter.of(mesh, layer_height, first, wanted)
    plain = mesh.rule == "nonzero" and mesh.topology.is_sound and not _may_overlap(mesh)
    for planes in cutter.chunks():
        doubtful = np.ones(len(planes), bool)
        if plain:
            segments = cutter.cut(planes, ends=True)
            doubtful = _straight(segments, coverage[planes.start : planes.stop], mm_per_px, offset)
        if doubtful.any():
            layers = layers_of(cutter, planes)[0]
            rows = np.flatnonzero(doubtful)
            coverage[planes.start + rows] = coverages([layers[r] for r in rows], width, height, mm_per_px, offset)
            leaks[planes.start + rows] = [layers[r].leaks for r in rows]
    return Masks(coverage, leaks)


def _straight(
    segments: Segments, out: Float32[np.ndarray, "k h w"], mm_per_px: float, offset: tuple[float, float]
) -> Bool[np.ndarray, " k"]:
    """Fill in the masks; True for those in which some winding number is not between 0 and 1."""
    planes, height, width = out.shape
    order = np.argsort(segments.plane.astype(np.int16), kind="stable")  # counted, not compared
    plane = segments.plane[order]
    start, end = (v.take(order, 0) / mm_per_px + np.asarray(offset) / mm_per_px for v in (segments.start, segments.end))
    doubtful = np.zeros(planes, bool)
    block = max(1, _BLOCK // (height * (width + 2)))
    for low in range(0, planes, block):
        high = min(low + block, planes)
        some = slice(*np.searchsorted(plane, [low, high]))
        winding = winding_of(start[some], end[some], plane[some] - low, high - low, width, height)
        doubtful[low:high] = (winding.min((1, 2)) < -_DUST) | (winding.max((1, 2)) > 1 + _DUST)
        np.clip(winding, 0, 1, out=out[low:high], casting="same_kind")
    return doubtful


def _may_overlap(mesh: Mesh) -> bool:
    """Whether the boxes of two bodies meet."""
    if mesh.topology.bodies[0] == 1:
        return False
    low, high = boxes(mesh)
    order = np.argsort(low[:, 0], kind="stable")
    low, high = low[order], high[order]
    for i in range(len(low) - 1):
        near = slice(i + 1, int(np.searchsorted(low[:, 0], high[i, 0], side="right")))
        if ((low[near] <= high[i]) & (high[near] >= low[i])).all(1).any():
            return True
    return False
