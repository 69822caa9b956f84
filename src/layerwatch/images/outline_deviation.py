"""A frame and a plan laid on it -> how far the seen outline lies outside the planned one, point by point, in px."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, Float64
from numpy.lib.stride_tricks import sliding_window_view

from layerwatch.images.nominal import Nominal
from layerwatch.images.placement import Similarity
from layerwatch.images.soft_plan import Image, Mask, SoftPlan

Points = Float64[np.ndarray, "n 2"]
Vector = Float64[np.ndarray, " n"]

_SPACING = 2.0  # px between points of the outline
_MOST = 2000  # points
_FLAT = 0.02  # of the slope of the plan, per px, from which there is a normal
_ALONG = (-1.0, 1.0)  # px, places along the outline that are averaged into one profile
_STEP = 0.5  # px, across it
_CLEAR = 4.0  # standard errors of a contrast that is seen


@dataclass(frozen=True, eq=False)
class Traced:
    """Points along the planned outline, and where it is seen there."""

    points: Points  # px on the plan, (x, y)
    normals: Points  # unit vectors out of the part
    deviation: Vector  # px along the normal, positive outside the plan; nan where no outline is seen
    sigma: Vector  # px, standard error of each
    seen: Bool[np.ndarray, " n"]


def outline_points(nominal: Nominal, plan: SoftPlan) -> tuple[Points, Points]:
    """Points on the nominal outline, to a part of a pixel, and the normals there, out of the part.

    Args:
        nominal: whose outline it is.
        plan: the same, softened: what the normals come from.
    """
    found = nominal.crossings
    h, w = nominal.coverage.shape
    found = found[(found > 1).all(1) & (found[:, 0] < w - 1) & (found[:, 1] < h - 1)]
    found = found[_spaced(found)]
    slopes = plan.looked_up(*found.T.astype(np.float32))[1:3].T.astype(np.float64)
    steep = np.hypot(slopes[:, 0], slopes[:, 1])
    keep = steep > _FLAT
    return found[keep], -slopes[keep] / steep[keep, None]


def _spaced(points: Points) -> np.ndarray:
    """Places of points of which no two lie in the same square."""
    spacing = _SPACING
    while True:
        cell = np.floor(points / spacing).astype(np.int64)
        _, first = np.unique(cell[:, 1] * (1 << 20) + cell[:, 0], return_index=True)
        if len(first) <= _MOST:
            return np.sort(first)
        spacing *= 1.3


def trace(
    frame: Image, nominal: Nominal, plan: SoftPlan, usable: Mask, place: Similarity, sign: float, reach: float
) -> Traced:
    """Look for the outline along the normals.

    Args:
        frame: as soft as the softened plan.
        nominal: the plan.
        plan: softened.
        usable: pixels that may be looked at.
        place: where the plan lies on the frame.
        sign: of the contrast, part less bed; 0 for either.
        reach: px, how far from the placed outline it is looked for.
    """
    points, normals = outline_points(nominal, plan)
    half, lags = int(np.ceil((reach + 2.5 * plan.sigma + 1) / _STEP)), round(reach / _STEP)
    across = _STEP * np.arange(-half, half + 1)
    profile, known = _profiles(frame, place.seen(points), place.turned(normals), across, usable)
    ideal, _ = _profiles(plan.share, points, normals, across, None)
    width = len(across) - 2 * lags
    costs, gains = _step_fits(profile[:, lags : lags + width], ideal, 2 * lags + 1)
    if sign:
        costs = np.where(gains * sign > 0, costs, np.inf)
    best = np.clip(costs.argmin(1), 1, 2 * lags - 1)
    return _summed(points, normals, costs, gains, best, lags, known, width)


def _profiles(
    image: Image, points: Points, normals: Points, across: Float64[np.ndarray, " m"], usable: Mask | None
) -> tuple[Float32[np.ndarray, "n m"], Bool[np.ndarray, " n"]]:
    """The image along each normal, a little averaged along the outline, and whether all of that is usable."""
    h, w = image.shape
    places, ways, steps = (one.T.astype(np.float32)[..., None] for one in (points - 0.5, normals, across))
    flat, total, known = image.ravel(), np.zeros((len(points), len(across)), np.float32), np.ones(len(points), bool)
    for along in _ALONG:
        aside = np.float32(along) * ways[::-1] * np.array([[[-1]], [[1]]], np.float32)
        x, y = places + aside + ways * steps.T
        left, top = np.clip(x, 0, w - 2).astype(np.int32), np.clip(y, 0, h - 2).astype(np.int32)
        dx, dy, first = np.clip(x - left, 0, 1), np.clip(y - top, 0, 1), top * np.int32(w) + left
        upper, lower = ((1 - dx) * flat.take(at) + dx * flat.take(at + 1) for at in (first, first + w))
        total += (1 - dy) * upper + dy * lower
        if usable is not None:
            inside = (x >= 0) & (x <= w - 1) & (y >= 0) & (y <= h - 1)
            known &= (inside & usable.ravel().take(first)).all(1)
    return total / len(_ALONG), known


def _step_fits(
    seen: Float32[np.ndarray, "n m"], ideal: Float32[np.ndarray, "n w"], count: int
) -> tuple[Float64[np.ndarray, "n k"], Float64[np.ndarray, "n k"]]:
    """What level, gradient and contrast leave of each profile (sum of squares), and the contrast.

    An outline d outside its plan looks like the plan d farther in, so the lag k is laid on the ideal from its end.
    """
    width = seen.shape[1]
    level = np.stack([np.full(width, width**-0.5), _unit(np.linspace(-1, 1, width))], 1)
    a = seen - seen.mean(1, keepdims=True, dtype=np.float64)
    a = a - (a @ level) @ level.T
    lines = np.stack([a, *np.broadcast_to(level.T[:, None], (2, *a.shape))], 2).astype(np.float32)
    windows, squares = (sliding_window_view(one, width, 1)[:, ::-1] for one in (ideal, ideal * ideal))
    products = (windows @ lines).astype(np.float64)
    ss = squares.sum(2, dtype=np.float64) - products[:, :, 1] ** 2 - products[:, :, 2] ** 2 + 1e-9
    gain = products[:, :, 0] / ss
    return (a * a).sum(1)[:, None] - gain**2 * ss, gain


def _unit(line: Vector) -> Vector:
    return np.asarray(line / np.sqrt(line @ line))


def _summed(
    points: Points,
    normals: Points,
    costs: Float64[np.ndarray, "n k"],
    gains: Float64[np.ndarray, "n k"],
    best: np.ndarray,
    lags: int,
    known: Bool[np.ndarray, " n"],
    width: int,
) -> Traced:
    """The lowest cost, to a part of a step by a parabola, with the error that its bend tells."""
    row = np.arange(len(points))
    a, b, c = (costs[row, best + k] for k in (-1, 0, 1))
    finite = np.isfinite(a) & np.isfinite(b) & np.isfinite(c)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        bend = np.where(finite, a - 2 * b + c, np.nan)
        vertex = np.where(bend > 0, 0.5 * (a - c) / bend, np.nan)
        deviation = (best - lags + np.clip(vertex, -0.5, 0.5)) * _STEP
        independent = max(width * _STEP / 2 - 3, 1.0)  # neighbours on a profile are correlated
        noise = b / independent * _STEP / 2
        sigma = np.sqrt(2 * noise / np.maximum(bend, 1e-12)) * _STEP
        clear = gains[row, best] ** 2 * bend > 0
    interior = (best > 1) & (best < 2 * lags - 1)
    seen = finite & known & interior & clear & np.isfinite(deviation) & (sigma < 1.0)
    return Traced(points, normals, np.where(seen, deviation, np.nan), np.where(seen, sigma, np.nan), seen)
