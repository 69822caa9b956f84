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
_PAD = 2  # px, as far as derivatives reach
_HALF = np.float32(0.5)
_RIDGE = 0.25  # of the steepest slope, from which a pixel lies on an outline


@dataclass(frozen=True, eq=False)
class Near:
    """Pixels close to an outline."""

    points: Float64[np.ndarray, "n 2"]  # their centres, (x, y)
    steep: Float32[np.ndarray, " n"]  # squared slope, but for a factor


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
    def outlines(self) -> Near:
        """The plan's pixels close to an outline."""
        share = self.share
        steep = np.zeros_like(share)
        steep[:, 1:-1] = (share[:, 2:] - share[:, :-2]) ** 2
        steep[1:-1] += (share[2:] - share[:-2]) ** 2
        ridge = steep > max(_RIDGE**2 * float(steep.max(initial=0.0)), 1e-12)
        rows, columns = np.nonzero(_widened(_widened(ridge, self.reach).T, self.reach).T)
        return Near(np.stack([columns + 0.5, rows + 0.5], 1), steep[rows, columns])

    @cached_property
    def _padded(self) -> Float32[np.ndarray, " n"]:
        return np.asarray(np.pad(self.share, _PAD, mode="edge").ravel())

    def looked_up(self, x: Float32[np.ndarray, " n"], y: Float32[np.ndarray, " n"]) -> Float32[np.ndarray, "4 n"]:
        """At points of the plan: the share, its derivatives along x and y, what a px squared more of blur adds.

        By Taylor's series around the nearest pixel, with derivatives from five pixels in a row; beyond the border as
        on it.
        """
        h, w = self.coverage.shape
        u, v, stride = np.clip(x - _HALF, 0, w - 1), np.clip(y - _HALF, 0, h - 1), w + 2 * _PAD
        column, row = np.rint(u), np.rint(v)
        dx, dy = u - column, v - row
        first = row.astype(np.int32) * stride + column.astype(np.int32)

        def at(down: int, right: int) -> Float32[np.ndarray, " n"]:
            return np.asarray(self._padded[(_PAD + down) * stride + _PAD + right :].take(first))

        here, four = at(0, 0), (at(-1, -1), at(-1, 1), at(1, -1), at(1, 1))
        a, aa = _derivatives(at(0, -2), at(0, -1), here, at(0, 1), at(0, 2))
        b, bb = _derivatives(at(-2, 0), at(-1, 0), here, at(1, 0), at(2, 0))
        ab = (four[3] - four[2] - four[1] + four[0]) * np.float32(0.25)
        found = np.empty((4, len(x)), np.float32)
        found[1], found[2], found[3] = a + dx * aa + dy * ab, b + dx * ab + dy * bb, _HALF * (aa + bb)
        found[0] = here + _HALF * (dx * (a + found[1]) + dy * (b + found[2]))
        return found


def _derivatives(
    a: Float32[np.ndarray, " n"],
    b: Float32[np.ndarray, " n"],
    c: Float32[np.ndarray, " n"],
    d: Float32[np.ndarray, " n"],
    e: Float32[np.ndarray, " n"],
) -> tuple[Float32[np.ndarray, " n"], Float32[np.ndarray, " n"]]:
    """The first and second derivative in the middle of five pixels in a row."""
    first = (d - b) * np.float32(2 / 3) - (e - a) * np.float32(1 / 12)
    return first, (d + b) * np.float32(4 / 3) - (e + a) * np.float32(1 / 12) - c * np.float32(2.5)


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
    def points(self) -> Float32[np.ndarray, "2 n"]:
        """Their centres, x and y."""
        return np.asarray(np.stack([self.columns, self.rows]).astype(np.float32) + _HALF)


def band_of(plan: SoftPlan, place: Similarity, usable: Mask) -> Band:
    """The usable pixels of a frame that lie near an outline: those that a pixel of the plan's band falls on."""
    h, w = usable.shape
    x, y = np.floor(place.seen(plan.outlines.points)).astype(np.int64).T
    inside = (x >= 0) & (x < w) & (y >= 0) & (y < h)
    hit = np.zeros(h * w, bool)
    hit[y[inside] * w + x[inside]] = True
    rows, columns = np.divmod(np.flatnonzero(hit & usable.ravel()), w)
    return Band(rows, columns)
