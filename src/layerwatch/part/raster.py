"""Layers in mm -> anti-aliased coverage masks, each pixel the exact share of its area that is inside.

Every edge is split where it meets a pixel's border. A piece that climbs dy in its pixel adds dy times the part of the
pixel to its right there, and the rest to the next pixel; the running sum along each row is the winding coverage.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float32, Float64, Int64

from layerwatch.records import Layer


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
    """``coverage`` of many layers in one pass, each with an offset of its own if wanted.

    The layers' rows are laid one below the other.
    """
    total = np.zeros(len(layers) * height * (width + 2))
    x0, y0, x1, y1, number = _edges(layers, mm_per_px, np.broadcast_to(offset, (len(layers), 2)))
    (x0, y0, x1, y1), number = _clip_rows(x0, y0, x1, y1, number, height)
    lift = (number * height).astype(float)
    xa, ya, xb, yb = _split(x0, y0 + lift, x1, y1 + lift)
    _deposit(total, _split_columns(xa, ya, xb, yb, width), width)
    winding = np.cumsum(total.reshape(len(layers), height, width + 2), axis=2)[:, :, :width]
    return np.clip(-winding, 0, 1).astype(np.float32)


def _edges(layers: Sequence[Layer], mm_per_px: float, offset: Float64[np.ndarray, "k 2"]) -> tuple[np.ndarray, ...]:
    """Every edge in pixels, and the place of its layer in the list."""
    rings = [(k, r) for k, layer in enumerate(layers) for i in layer.islands for r in (i.outer, *i.holes)]
    if not rings:
        return (*(np.empty(0) for _ in range(4)), np.empty(0, np.int64))
    lengths = np.array([len(ring) for _, ring in rings])
    number = np.repeat([k for k, _ in rings], lengths)
    start = (np.concatenate([ring for _, ring in rings]) + offset[number]) / mm_per_px
    ends = np.cumsum(lengths)
    following = np.arange(1, len(start) + 1)
    following[ends - 1] = ends - lengths
    return start[:, 0], start[:, 1], start[following, 0], start[following, 1], number


def _clip_rows(
    x0: Float64[np.ndarray, " m"],
    y0: Float64[np.ndarray, " m"],
    x1: Float64[np.ndarray, " m"],
    y1: Float64[np.ndarray, " m"],
    number: Int64[np.ndarray, " m"],
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
    first = np.floor(low).astype(np.int64) + 1
    cuts = np.maximum(np.ceil(high).astype(np.int64) - first, 0)
    count = cuts + 1
    edge = np.repeat(np.arange(len(v0)), count)
    step = np.arange(len(edge)) - np.repeat(np.cumsum(count) - count, count)
    begin = np.where(step == 0, low[edge], first[edge] + step - 1)
    end = np.where(step == cuts[edge], high[edge], first[edge] + step)
    rising = (v1 > v0)[edge]
    a, b = np.where(rising, begin, end), np.where(rising, end, begin)
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = np.where(v1 == v0, 0.0, (u1 - u0) / (v1 - v0))[edge]
    ua = np.where(a == v0[edge], u0[edge], u0[edge] + (a - v0[edge]) * slope)
    ub = np.where(b == v1[edge], u1[edge], u0[edge] + (b - v0[edge]) * slope)
    return ua, a, ub, b


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


def _deposit(total: Float64[np.ndarray, " t"], pieces: tuple[np.ndarray, ...], width: int) -> None:
    xa, ya, xb, yb = pieces
    climb = yb - ya
    last = len(total) // (width + 2) - 1
    row = np.minimum(np.floor((ya + yb) / 2).astype(np.int64), last)  # rounding may leave a piece on the lower border
    middle = (xa + xb) / 2
    column = np.minimum(np.floor(middle).astype(np.int64), width)
    right = climb * (column + 1 - middle)
    place = row * (width + 2) + column
    total += np.bincount(place, right, len(total)) + np.bincount(place + 1, climb - right, len(total))
