"""Layers in mm -> anti-aliased coverage masks, each pixel the exact share of its area that is inside.

Every edge is split where it meets a pixel's border. A piece that falls by dy in its pixel adds dy times the part of the
pixel to its right there, and the rest to the next pixel; the running sum along each row is the winding coverage.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float32, Float64, Int, Int64

from layerwatch.records import Layer

_BLOCK = 1 << 18  # pixels summed up at once: small enough to stay in the processor's cache


def coverage(
    layer: Layer, width: int, height: int, mm_per_px: float, offset: tuple[float, float] = (0.0, 0.0)
) -> Float32[np.ndarray, "h w"]:
    """Share of each pixel that the layer covers, moved by ``offset`` mm; what lies outside the frame is cut off."""
    return np.asarray(coverages([layer], width, height, mm_per_px, offset)[0])


def coverages(
    layers: Sequence[Layer],
    width: int,
    height: int,
    mm_per_px: float,
    offset: tuple[float, float] | Float64[np.ndarray, "k 2"] = (0.0, 0.0),
) -> Float32[np.ndarray, "k h w"]:
    """``coverage`` of many layers in one pass, each with an offset of its own if wanted."""
    offsets = np.broadcast_to(np.asarray(offset, np.float64), (len(layers), 2))
    out = np.empty((len(layers), height, width), np.float32)
    block = max(1, _BLOCK // (height * (width + 2)))
    for first in range(0, len(layers), block):
        some = slice(first, first + block)
        start, end, number = _edges(layers[some], offsets[some])
        winding = winding_of(start / mm_per_px, end / mm_per_px, number, len(layers[some]), width, height)
        np.clip(winding, 0, 1, out=out[some], casting="same_kind")
    return out


def _edges(
    layers: Sequence[Layer], offset: Float64[np.ndarray, "k 2"]
) -> tuple[Float64[np.ndarray, "m 2"], Float64[np.ndarray, "m 2"], Int64[np.ndarray, " m"]]:
    """Both ends of every edge in mm, and the place of its layer in the list."""
    rings = [(k, r) for k, layer in enumerate(layers) for i in layer.islands for r in (i.outer, *i.holes)]
    if not rings:
        return np.empty((0, 2)), np.empty((0, 2)), np.empty(0, np.int64)
    lengths = np.array([len(ring) for _, ring in rings])
    number = np.repeat([k for k, _ in rings], lengths)
    start = np.concatenate([ring for _, ring in rings]) + offset[number]
    ends = np.cumsum(lengths)
    following = np.arange(1, len(start) + 1)
    following[ends - 1] = ends - lengths
    return start, start.take(following, 0), number


def winding_of(
    start: Float64[np.ndarray, "m 2"],
    end: Float64[np.ndarray, "m 2"],
    number: Int[np.ndarray, " m"],
    masks: int,
    width: int,
    height: int,
) -> Float64[np.ndarray, "k h w"]:
    """Mean winding number of each pixel, from directed edges that have the inside on their left.

    Args:
        start: of each edge, in pixels.
        end: of each edge, in pixels.
        number: the mask of each edge. The masks' rows are laid one below the other.
        masks: how many there are.
        width: of a mask, px.
        height: of a mask, px.
    """
    x0, y0, x1, y1 = start[:, 0], start[:, 1], end[:, 0], end[:, 1]
    # Edges within one pixel of the frame, most of them where triangles are small, need no clipping and no splitting.
    row, column = np.floor(y0), np.floor(x0)
    inside = (row == np.floor(y1)) & (column == np.floor(x1))
    inside &= (row >= 0) & (row < height) & (column >= 0) & (column < width)
    place = ((number * height + row) * (width + 2) + column)[inside].astype(np.int64)
    fall, middle = (y0 - y1)[inside], ((x0 + x1) / 2 - column)[inside]
    places, weights = _spread(place, fall, 1 - middle)

    rest = ~inside
    pieces, lift = _clip_rows(x0[rest], y0[rest], x1[rest], y1[rest], number[rest], height)
    (x0, y0, x1, y1), lift = pieces, (lift * height).astype(np.float64)
    xa, ya, xb, yb = _split(x0, y0 + lift, x1, y1 + lift)
    more = _deposits(_split_columns(xa, ya, xb, yb, width), width, masks * height - 1)
    places, weights = np.concatenate([places, more[0]]), np.concatenate([weights, more[1]])
    total = np.bincount(places, weights, masks * height * (width + 2)).astype(np.float64, copy=False)
    total = total.reshape(masks, height, width + 2)
    np.cumsum(total, axis=2, out=total)
    return total[:, :, :width]


def _clip_rows(
    x0: Float64[np.ndarray, " m"],
    y0: Float64[np.ndarray, " m"],
    x1: Float64[np.ndarray, " m"],
    y1: Float64[np.ndarray, " m"],
    number: Int[np.ndarray, " m"],
    height: int,
) -> tuple[tuple[np.ndarray, ...], np.ndarray]:
    """Cut edges off above and below the frame; level edges carry no area and go."""
    keep = (y0 != y1) & (np.maximum(y0, y1) > 0) & (np.minimum(y0, y1) < height)
    x0, y0, x1, y1 = (v[keep] for v in (x0, y0, x1, y1))
    slope = (x1 - x0) / (y1 - y0)
    top, bottom = np.clip(y0, 0, height), np.clip(y1, 0, height)
    return (x0 + (top - y0) * slope, top, x1 + (bottom - y1) * slope, bottom), number[keep]


def _split(
    u0: Float64[np.ndarray, " m"],
    v0: Float64[np.ndarray, " m"],
    u1: Float64[np.ndarray, " m"],
    v1: Float64[np.ndarray, " m"],
) -> tuple[np.ndarray, ...]:
    """Split edges wherever v passes a whole number; u goes along in a straight line."""
    low, high = np.minimum(v0, v1), np.maximum(v0, v1)
    points = np.maximum(np.ceil(high) - np.floor(low), 1).astype(np.int64) + 1  # both ends, and the cuts between them
    last = np.cumsum(points) - 1
    first = last - points + 1
    is_rising = v1 > v0
    begin, way = np.where(is_rising, np.floor(v0), np.ceil(v0)), np.where(is_rising, 1.0, -1.0)
    slope = (u1 - u0) / np.where(v1 == v0, np.inf, v1 - v0)
    step = np.arange(points.sum()) - np.repeat(first, points)
    v = np.repeat(begin, points) + np.repeat(way, points) * step
    u = np.repeat(u0 + (begin - v0) * slope, points) + np.repeat(way * slope, points) * step
    u[first], v[first], u[last], v[last] = u0, v0, u1, v1
    a = np.delete(np.arange(len(step)), last)
    return u[a], v[a], u[a + 1], v[a + 1]


def _split_columns(
    x0: Float64[np.ndarray, " p"],
    y0: Float64[np.ndarray, " p"],
    x1: Float64[np.ndarray, " p"],
    y1: Float64[np.ndarray, " p"],
    width: int,
) -> tuple[np.ndarray, ...]:
    """Split at columns too. Beyond the frame's sides only the climb counts, so x is held there."""
    outside = (np.maximum(x0, x1) <= 0) | (np.minimum(x0, x1) >= width)
    x0, x1 = np.where(outside, np.clip(x0, 0, width), x0), np.where(outside, np.clip(x1, 0, width), x1)
    ya, xa, yb, xb = _split(y0, x0, y1, x1)
    return np.clip(xa, 0, width), ya, np.clip(xb, 0, width), yb


def _deposits(
    pieces: tuple[np.ndarray, ...], width: int, last: int
) -> tuple[Int64[np.ndarray, " q"], Float64[np.ndarray, " q"]]:
    """What pieces of edges, each within one pixel or beside the frame, add to which places."""
    xa, ya, xb, yb = pieces
    row = np.minimum(np.floor((ya + yb) / 2).astype(np.int64), last)  # rounding may leave a piece on the lower border
    middle = (xa + xb) / 2
    column = np.minimum(np.floor(middle).astype(np.int64), width)
    return _spread(row * (width + 2) + column, ya - yb, column + 1 - middle)


def _spread(
    place: Int64[np.ndarray, " p"], fall: Float64[np.ndarray, " p"], share: Float64[np.ndarray, " p"]
) -> tuple[Int64[np.ndarray, " q"], Float64[np.ndarray, " q"]]:
    """The share of each fall at its place, the rest at the next."""
    here = fall * share
    return np.concatenate([place, place + 1]), np.concatenate([here, fall - here])
