"""A layer image -> which pixels are bed and which are part, from its plan or from two levels in the picture itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float32, Float64, UInt8
from scipy import ndimage

Image = Float32[np.ndarray, "h w"]
Source = Literal["coverage", "plan", "split", "none"]

_FINE = 4  # times finer is the grid on which a split is drawn
_CLEAR = 4.0  # distance of two levels in standard deviations of each; a bell cut in half has 2.6, a ramp 3.5
_LEAST = 0.02  # share of pixels of the rarer level
_MARGINS = (4.0, 3.0, 2.0)  # px from an outline, the first that leaves enough pixels is taken
_ENOUGH = 150  # px of a region for a texture


@dataclass(frozen=True, eq=False)
class Regions:
    """Where the part is, and what lies well inside bed and part."""

    coverage: Image  # share of each pixel that is part
    bed: Bool[np.ndarray, "h w"]  # away from outlines
    part: Bool[np.ndarray, "h w"]  # the same; all False where the part is too thin or there is none
    source: Source

    @property
    def has_part(self) -> bool:
        """There is an outline to look at."""
        return self.source != "none" and 0 < float(self.coverage.mean()) < 1


def regions_of(
    picture: Image, plan: UInt8[np.ndarray, "h w"] | None = None, coverage: UInt8[np.ndarray, "h w"] | None = None
) -> Regions:
    """Bed and part of one image.

    Args:
        picture: the frame, in any unit.
        plan: part instance of each pixel, 0 is bed, if known.
        coverage: 255 times the share of each pixel inside the outline, if known.

    Returns:
        The regions; where nothing tells bed from part, all is bed and the source is "none".
    """
    if coverage is not None:
        return _inside_of(np.asarray(coverage / np.float32(255), np.float32), "coverage")
    if plan is not None:
        return _inside_of(np.asarray(plan > 0, np.float32), "plan")
    split = split_levels(picture)
    if split is None:
        return _inside_of(np.zeros_like(picture), "none")
    found = _inside_of(split, "split")
    return found if found.bed.any() else _inside_of(np.zeros_like(picture), "none")  # specks are no part


def split_levels(picture: Image) -> Image | None:
    """Share of each pixel that belongs to the part, found from the picture alone; None without two clear levels.

    The picture is cut at the middle of two levels (Otsu 1979), on a finer grid so that outlines lie between pixels.
    The level that prevails along the border is the bed.
    """
    smooth = ndimage.gaussian_filter(picture, 0.7)
    threshold = _otsu(np.asarray(smooth, np.float64).ravel())
    above = smooth > threshold
    share = float(above.mean())
    if not _LEAST < share < 1 - _LEAST:
        return None
    levels = [float(np.median(picture[side])) for side in (~above, above)]
    apart = float(np.median(smooth[above]) - np.median(smooth[~above]))
    within = float(np.sqrt(np.mean([smooth[side].var() for side in (~above, above)])))
    if apart < _CLEAR * within or levels[1] <= levels[0]:
        return None
    fine = ndimage.zoom(picture, _FINE, order=3, mode="nearest", grid_mode=True) > sum(levels) / 2
    h, w = picture.shape
    hot = fine.reshape(h, _FINE, w, _FINE).mean((1, 3))
    border = np.concatenate([hot[0], hot[-1], hot[:, 0], hot[:, -1]])
    return np.asarray(hot if border.mean() < 0.5 else 1 - hot, np.float32)


def _inside_of(coverage: Image, source: Source) -> Regions:
    """Bed and part away from their outlines."""
    bed = _away(coverage < 0.5, coverage > 0)
    part = _away(coverage > 0.5, coverage < 1) if source != "none" else np.zeros(coverage.shape, bool)
    return Regions(coverage, bed, part, source)


def _away(region: Bool[np.ndarray, "h w"], other: Bool[np.ndarray, "h w"]) -> Bool[np.ndarray, "h w"]:
    """The pixels of a region at least so far from all others that a blurred outline does not reach them."""
    if not other.any():
        return region
    distance = ndimage.distance_transform_edt(~other)
    for margin in _MARGINS:
        inside = region & (distance > margin)
        if inside.sum() >= _ENOUGH:
            return np.asarray(inside)
    return np.zeros_like(region)


def _otsu(values: Float64[np.ndarray, " n"]) -> float:
    """The threshold that parts the values into the two classes with the least variance in themselves."""
    low, high = np.percentile(values, [0.2, 99.8])
    counts, edges = np.histogram(values, 256, (low, max(high, low + 1e-12)))
    middles = (edges[1:] + edges[:-1]) / 2
    n, s = np.cumsum(counts), np.cumsum(counts * middles)
    with np.errstate(divide="ignore", invalid="ignore"):
        between = (s[-1] * n / n[-1] - s) ** 2 / (n * (n[-1] - n))
    between[~np.isfinite(between)] = -1
    best = np.flatnonzero(between >= between.max() * (1 - 1e-9))  # all thresholds of an empty gap are as good
    return float(middles[best].mean())
