"""A frame and a plan laid on it -> how far the seen outline lies outside the planned one, point by point, in px."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64
from scipy import ndimage

from layerwatch.images.placement import Similarity
from layerwatch.images.soft_plan import Image, Mask, SoftPlan

Points = Float64[np.ndarray, "n 2"]
Vector = Float64[np.ndarray, " n"]

_SPACING = 2.0  # px between points of the outline
_MOST = 2000  # points
_ALONG = (-1.5, -0.5, 0.5, 1.5)  # px, places along the outline that are averaged into one profile
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


def outline_points(coverage: Image, sigma: float = 0.7) -> tuple[Points, Points]:
    """Points on the nominal outline, to a part of a pixel, and the normals there, out of the part.

    Args:
        coverage: share of each pixel inside the outline.
        sigma: px, over which the normals are smoothed.
    """
    padded = np.pad(coverage.astype(np.float64), 1, mode="edge")
    found = np.concatenate([_crossings(padded), _crossings(padded.T)[:, ::-1]])
    plan = SoftPlan(coverage, sigma)
    slopes = plan.changes(found)[:2].T
    steep = np.hypot(slopes[:, 0], slopes[:, 1])
    h, w = coverage.shape
    keep = (steep > 0.02) & (found > 1).all(1) & (found[:, 0] < w - 1) & (found[:, 1] < h - 1)
    found, slopes, steep = found[keep], slopes[keep], steep[keep]
    chosen = _spaced(found)
    return found[chosen], -slopes[chosen] / steep[chosen, None]


def _crossings(padded: Float64[np.ndarray, "a b"]) -> Points:
    """Where the coverage passes one half between neighbours in a row; (x, y) of the unpadded image."""
    a, b = padded[1:-1, :-1] - 0.5, padded[1:-1, 1:] - 0.5
    rows, columns = np.nonzero((a < 0) != (b < 0))
    share = a[rows, columns] / (a[rows, columns] - b[rows, columns])
    return np.stack([columns - 0.5 + share, rows + 0.5], 1)


def _spaced(points: Points) -> np.ndarray:
    """Places of points of which no two lie in the same square."""
    spacing = _SPACING
    while True:
        cell = np.floor(points / spacing).astype(np.int64)
        _, first = np.unique(cell[:, 1] * (1 << 20) + cell[:, 0], return_index=True)
        if len(first) <= _MOST:
            return np.sort(first)
        spacing *= 1.3


def trace(frame: Image, plan: SoftPlan, usable: Mask, place: Similarity, sign: float, reach: float) -> Traced:
    """Look for the outline along the normals.

    Args:
        frame: as soft as the plan.
        plan: softened.
        usable: pixels that may be looked at.
        place: where the plan lies on the frame.
        sign: of the contrast, part less bed; 0 for either.
        reach: px, how far from the placed outline it is looked for.
    """
    points, normals = outline_points(plan.coverage)
    across = np.arange(-(reach + 2.5 * plan.sigma + 1), reach + 2.5 * plan.sigma + 1 + 1e-9, _STEP)
    lags = round(reach / _STEP)
    profile, known = _profiles(frame, usable, place, points, normals, across)
    ideal = _planned(plan, points, normals, across)
    core = slice(lags, len(across) - lags)
    seen, width = profile[:, core], len(across) - 2 * lags
    costs, gains = np.full((len(points), 2 * lags + 1), np.inf), np.zeros((len(points), 2 * lags + 1))
    for k in range(2 * lags + 1):  # an outline d outside its plan looks like the plan d farther in
        costs[:, k], gains[:, k] = _step_fit(seen, ideal[:, 2 * lags - k : 2 * lags - k + width])
    if sign:
        costs = np.where(gains * sign > 0, costs, np.inf)
    best = np.clip(costs.argmin(1), 1, 2 * lags - 1)
    return _summed(points, normals, costs, gains, best, lags, known, width)


def _profiles(
    frame: Image, usable: Mask, place: Similarity, points: Points, normals: Points, across: Float64[np.ndarray, " m"]
) -> tuple[Float64[np.ndarray, "n m"], Bool[np.ndarray, " n"]]:
    """The frame along each normal, a little averaged along the outline."""
    at, n = place.seen(points), place.turned(normals)
    along = np.stack([-n[:, 1], n[:, 0]], 1)
    places = (
        at[:, None, None]
        + n[:, None, None] * across[None, :, None, None]
        + along[:, None, None] * np.array(_ALONG)[None, None, :, None]
    )
    x, y = places[..., 0] - 0.5, places[..., 1] - 0.5
    values = ndimage.map_coordinates(frame, (y, x), np.float32, 1, mode="nearest").mean(-1)
    h, w = usable.shape
    column, row = np.rint(x).astype(int), np.rint(y).astype(int)
    inside = (column >= 0) & (column < w) & (row >= 0) & (row < h)
    known = inside & usable[np.clip(row, 0, h - 1), np.clip(column, 0, w - 1)]
    return values.astype(np.float64), known.all((1, 2))


def _planned(
    plan: SoftPlan, points: Points, normals: Points, across: Float64[np.ndarray, " m"]
) -> Float64[np.ndarray, "n m"]:
    """The plan's softened share along each normal, averaged alike."""
    along = np.stack([-normals[:, 1], normals[:, 0]], 1)
    places = (
        points[:, None, None]
        + normals[:, None, None] * across[None, :, None, None]
        + along[:, None, None] * np.array(_ALONG)[None, None, :, None]
    )
    shape = places.shape[:-1]
    return np.asarray(plan.shares(places.reshape(-1, 2)).reshape(shape).mean(-1))


def _step_fit(
    seen: Float64[np.ndarray, "n m"], ideal: Float64[np.ndarray, "n m"]
) -> tuple[Float64[np.ndarray, " n"], Float64[np.ndarray, " n"]]:
    """What level, gradient and contrast leave of each profile (sum of squares), and the contrast."""
    u = np.linspace(-1, 1, seen.shape[1])
    uu = float(u @ u)

    def flat(lines: Float64[np.ndarray, "n m"]) -> Float64[np.ndarray, "n m"]:
        lines = lines - lines.mean(1, keepdims=True)
        return np.asarray(lines - (lines @ u / uu)[:, None] * u)

    a, s = flat(seen), flat(ideal)
    ss = (s * s).sum(1) + 1e-9
    gain = (a * s).sum(1) / ss
    return (a * a).sum(1) - gain**2 * ss, gain


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
