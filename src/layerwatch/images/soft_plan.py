"""A plan's coverage -> softened as optics soften it, looked up wherever a frame's pixels lie on it. Sizes in px."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int64
from scipy import ndimage

from layerwatch.images.placement import Similarity

Image = Float32[np.ndarray, "h w"]
Mask = Bool[np.ndarray, "h w"]

_NEAR = 2.0  # sigmas from an outline that a pixel still tells of it
_LEAST = 2.0  # px, the same for the sharpest outlines
_RIDGE = 0.25  # of the steepest slope, from which a pixel lies on an outline


@dataclass(frozen=True, eq=False)
class SoftPlan:
    """The share of each pixel inside the nominal outline, blurred by sigma."""

    coverage: Image
    sigma: float  # px

    @cached_property
    def share(self) -> Image:
        """The softened share."""
        return np.asarray(ndimage.gaussian_filter(self.coverage, self.sigma, mode="nearest", truncate=3.5), np.float32)

    @property
    def reach(self) -> int:
        """Px around an outline that tell of it."""
        return int(np.ceil(max(_NEAR * self.sigma, _LEAST)))

    @cached_property
    def _planes(self) -> Float32[np.ndarray, "6 n"]:
        """The share of every pixel and its derivatives along x, y, x twice, x and y, y twice."""
        p = np.pad(self.share, 2, mode="edge")
        inner = p[2:-2, 2:-2]
        left, right, before, after = p[2:-2, 1:-3], p[2:-2, 3:-1], p[2:-2, :-4], p[2:-2, 4:]
        up, down, above, below = p[1:-3, 2:-2], p[3:-1, 2:-2], p[:-4, 2:-2], p[4:, 2:-2]
        planes = np.empty((6, *inner.shape), np.float32)
        planes[0] = inner
        planes[1] = (8 * (right - left) - (after - before)) / 12
        planes[2] = (8 * (down - up) - (below - above)) / 12
        planes[3] = (16 * (right + left) - (after + before) - 30 * inner) / 12
        planes[4] = (p[3:-1, 3:-1] - p[3:-1, 1:-3] - p[1:-3, 3:-1] + p[1:-3, 1:-3]) / 4
        planes[5] = (16 * (down + up) - (below + above) - 30 * inner) / 12
        return planes.reshape(6, -1)

    @cached_property
    def near(self) -> Float64[np.ndarray, "n 2"]:
        """Centres (x, y) of the plan's pixels close to an outline."""
        steep = (self._planes[1] ** 2 + self._planes[2] ** 2).reshape(self.coverage.shape)
        ridge = steep > max(_RIDGE**2 * float(steep.max(initial=0.0)), 1e-12)
        rows, columns = np.nonzero(_widened(_widened(ridge, self.reach).T, self.reach).T)
        return np.stack([columns + 0.5, rows + 0.5], 1)

    def looked_up(self, x: Float64[np.ndarray, " n"], y: Float64[np.ndarray, " n"]) -> Float32[np.ndarray, "4 n"]:
        """At points of the plan: the share, its derivatives along x and y, what a px squared more of blur adds.

        By Taylor's series around the nearest pixel; beyond the border as on it.
        """
        h, w = self.coverage.shape
        u, v = np.clip(x - 0.5, 0, w - 1), np.clip(y - 0.5, 0, h - 1)
        column, row = np.rint(u), np.rint(v)
        dx, dy = (u - column).astype(np.float32), (v - row).astype(np.float32)
        share, a, b, aa, ab, bb = self._planes.take((row * w + column).astype(np.int64), 1)
        found = np.empty((4, len(x)), np.float32)
        turn, half = dx * ab, np.float32(0.5)
        found[1], found[2], found[3] = a + dx * aa + dy * ab, b + turn + dy * bb, half * (aa + bb)
        found[0] = share + half * (dx * (a + found[1]) + dy * (b + found[2]))
        return found


def _widened(mask: Mask, reach: int) -> Mask:
    """Also the pixels at most so far above or below."""
    wide = mask.copy()
    for k in range(1, reach + 1):
        wide[k:] |= mask[:-k]
        wide[:-k] |= mask[k:]
    return wide


@dataclass(frozen=True, eq=False)
class Band:
    """Pixels of a frame near the outlines of a plan that lies on it."""

    rows: Int64[np.ndarray, " n"]
    columns: Int64[np.ndarray, " n"]

    @cached_property
    def points(self) -> Float64[np.ndarray, "n 2"]:
        """Their centres, (x, y)."""
        return np.stack([self.columns + 0.5, self.rows + 0.5], 1)


def band_of(plan: SoftPlan, place: Similarity, usable: Mask) -> Band:
    """The usable pixels of a frame that lie near an outline: those that a pixel of the plan's band falls on."""
    h, w = usable.shape
    x, y = np.floor(place.seen(plan.near)).astype(np.int64).T
    inside = (x >= 0) & (x < w) & (y >= 0) & (y < h)
    hit = np.zeros(h * w, bool)
    hit[y[inside] * w + x[inside]] = True
    rows, columns = np.divmod(np.flatnonzero(hit & usable.ravel()), w)
    return Band(rows, columns)
