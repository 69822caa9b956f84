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


@dataclass(frozen=True, eq=False)
class SoftPlan:
    """The share of each pixel inside the nominal outline, blurred by sigma."""

    coverage: Image
    sigma: float  # px

    @cached_property
    def share(self) -> Image:
        """The softened share."""
        return np.asarray(ndimage.gaussian_filter(self.coverage, self.sigma, mode="nearest", truncate=3.5), np.float32)

    @cached_property
    def _changes(self) -> Float32[np.ndarray, "n 3"]:
        """Derivatives along x and y, and what more blur adds, for one px squared of variance; of every pixel."""
        rows, columns = np.gradient(self.share)
        bend = ndimage.laplace(self.share, mode="nearest") / 2
        return np.asarray(np.stack([columns, rows, bend], -1).reshape(-1, 3), np.float32)

    @cached_property
    def _spline(self) -> Float32[np.ndarray, "h w"]:
        return np.asarray(ndimage.spline_filter(self.share, 3, np.float32, mode="nearest"))

    @cached_property
    def near(self) -> Mask:
        """Pixels of the plan close to an outline."""
        edge = np.hypot(self._changes[:, 0], self._changes[:, 1]).reshape(self.coverage.shape)
        reach = int(np.ceil(max(_NEAR * self.sigma, _LEAST)))
        ridge = edge > 0.25 * edge.max(initial=0.0) if edge.any() else np.zeros(edge.shape, bool)
        return np.asarray(ndimage.uniform_filter(ridge.astype(np.float32), 2 * reach + 1, mode="constant") > 1e-4)

    def shares(self, plan: Float64[np.ndarray, "n 2"]) -> Float64[np.ndarray, " n"]:
        """The softened share at points (x, y) of the plan, by cubic splines."""
        at = (plan[:, 1] - 0.5, plan[:, 0] - 0.5)
        found = ndimage.map_coordinates(self._spline, at, np.float32, 3, mode="nearest", prefilter=False)
        return found.astype(np.float64)

    def changes(self, plan: Float64[np.ndarray, "n 2"]) -> Float64[np.ndarray, "3 n"]:
        """There, between pixels: its derivatives along x and y, and what a px squared more of blur adds."""
        h, w = self.coverage.shape
        x, y = np.clip(plan[:, 0] - 0.5, 0, w - 1), np.clip(plan[:, 1] - 0.5, 0, h - 1)
        left, top = np.minimum(x.astype(np.int64), w - 2), np.minimum(y.astype(np.int64), h - 2)
        dx, dy, first = (x - left)[:, None], (y - top)[:, None], top * w + left
        upper, lower = (
            (1 - dx) * self._changes.take(at, 0) + dx * self._changes.take(at + 1, 0) for at in (first, first + w)
        )
        return np.asarray(((1 - dy) * upper + dy * lower).T)


@dataclass(frozen=True, eq=False)
class Band:
    """Pixels of a frame near the outlines of a plan that lies on it."""

    rows: Int64[np.ndarray, " n"]
    columns: Int64[np.ndarray, " n"]

    @property
    def points(self) -> Float64[np.ndarray, "n 2"]:
        """Their centres, (x, y)."""
        return np.stack([self.columns + 0.5, self.rows + 0.5], 1)


def band_of(plan: SoftPlan, place: Similarity, usable: Mask) -> Band:
    """The usable pixels of a frame that lie near an outline."""
    h, w = usable.shape
    rows, columns = np.flatnonzero(plan.near.any(1)), np.flatnonzero(plan.near.any(0))
    if not len(rows):
        return Band(np.empty(0, np.int64), np.empty(0, np.int64))
    box = np.array([[x, y] for x in (columns[0], columns[-1] + 1) for y in (rows[0], rows[-1] + 1)], np.float64)
    corners = place.seen(box)
    left, top = np.clip(np.floor(corners.min(0)).astype(int), 0, [w, h])
    right, bottom = np.clip(np.ceil(corners.max(0)).astype(int), 0, [w, h])
    y, x = np.mgrid[top:bottom, left:right]
    at = np.floor(place.planned(np.stack([x + 0.5, y + 0.5], -1))).astype(np.int64)
    inside = (at[..., 0] >= 0) & (at[..., 0] < w) & (at[..., 1] >= 0) & (at[..., 1] < h)
    near = inside & usable[top:bottom, left:right]
    near[near] = plan.near[at[..., 1][near], at[..., 0][near]]
    return Band(y[near].astype(np.int64), x[near].astype(np.int64))
