"""A frame and a plan -> roughly where the plan lies on it, by correlation over all shifts within reach. Sizes in px."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32
from scipy import fft, ndimage

from layerwatch.images.placement import Similarity
from layerwatch.images.resampling import shrunk
from layerwatch.images.soft_plan import Image, Mask

_SIDE = 100  # px, of the longer side of what is correlated
_DETAIL = 5.0  # px, structure larger than this is left out: lamps, drift, shadows
_CLIP = 3.0  # spreads; a bright defect must not outshout the outlines
_APART = 3.0  # px that the outlines may move between two angles or scales that are tried


@dataclass(frozen=True)
class Reach:
    """How far a print may lie from its plan."""

    shift: float = 16.0  # px, along each axis
    rotation: float = 2.0  # degrees, either way
    scale: float = 0.02  # either way, 0.02 is 2 %


def first_place(frame: Image, coverage: Image, usable: Mask, pivot: tuple[float, float], reach: Reach) -> Similarity:
    """The angle, scale and whole-pixel shift at which outlines of frame and plan agree best, light or dark.

    Args:
        frame: of any unit.
        coverage: share of each pixel inside the nominal outline, on the frame's grid.
        usable: pixels that may be looked at.
        pivot: px, the plan's middle.
        reach: how far to look.
    """
    factor = max(1, -(-max(frame.shape) // _SIDE))
    small, plan = shrunk(frame, factor), shrunk(coverage, factor)
    known = shrunk(usable.astype(np.float32), factor) > 0.99
    middle = (pivot[0] / factor, pivot[1] / factor)
    margin = int(np.ceil(reach.shift / factor)) + 1
    size = tuple(fft.next_fast_len(side + margin, real=True) for side in small.shape)
    seen = fft.rfft2(_detail(small, known), size)
    radius = _radius(plan, middle) * factor
    best, found = -1.0, Similarity(pivot)
    for angle in _tried(float(np.radians(reach.rotation)), _APART * factor / max(radius, 1e-9)):
        for growth in _tried(reach.scale, _APART * factor / max(radius, 1e-9)):
            place = Similarity(middle, angle=angle, scale=1 + growth)
            answer = fft.irfft2(seen * fft.rfft2(_detail(_laid(plan, place), None), size).conj(), size)
            value, (x, y) = _peak(np.abs(answer), margin)
            if value > best:
                best = value
                found = Similarity(pivot, (x * factor, y * factor), angle, 1 + growth)
    return found


def _tried(reach: float, step: float) -> list[float]:
    """Values within reach, 0 among them, no farther apart than twice the step."""
    count = min(int(np.ceil(max(reach - step, 0.0) / (2 * step))), 60)
    return np.linspace(-reach, reach, 2 * count + 1).tolist() if count else [0.0]


def _radius(plan: Image, middle: tuple[float, float]) -> float:
    rows, columns = np.nonzero(plan > 0)
    if not len(rows):
        return 0.0
    return float(np.sqrt(((columns + 0.5 - middle[0]) ** 2 + (rows + 0.5 - middle[1]) ** 2).max()))


def _laid(plan: Image, place: Similarity) -> Image:
    """The plan turned and scaled about its middle."""
    if place.angle == 0 and place.scale == 1:
        return plan
    y, x = np.mgrid[: plan.shape[0], : plan.shape[1]] + 0.5
    at = place.planned(np.stack([x, y], -1)) - 0.5
    return np.asarray(ndimage.map_coordinates(plan, (at[..., 1], at[..., 0]), np.float32, 1, mode="constant"))


def _detail(image: Image, known: Mask | None) -> Float32[np.ndarray, "h w"]:
    """What is small in it, nothing of it too loud."""
    if known is None:
        return np.asarray(image - ndimage.gaussian_filter(image, _DETAIL, mode="nearest", truncate=3.0), np.float32)
    weight = ndimage.gaussian_filter(known.astype(np.float32), _DETAIL, mode="nearest", truncate=3.0)
    filled = np.where(known, image, np.float32(0))
    base = ndimage.gaussian_filter(filled, _DETAIL, mode="nearest", truncate=3.0) / np.maximum(weight, 1e-3)
    left = np.where(known, filled - base, np.float32(0)).astype(np.float32)
    spread = np.float32(1.4826 * np.median(np.abs(left[known])) if known.any() else 0.0)
    return np.clip(left, -_CLIP * spread, _CLIP * spread) if spread > 0 else left


def _peak(answer: Float32[np.ndarray, "h w"], margin: int) -> tuple[float, tuple[float, float]]:
    """The largest answer within the margin, and its shift (x, y), to a part of a pixel by a parabola."""
    lags = np.arange(-margin, margin + 1)
    window = answer[np.ix_(lags % answer.shape[0], lags % answer.shape[1])]
    row, column = np.unravel_index(int(window.argmax()), window.shape)
    y = row - margin + _vertex(window[:, column], int(row))
    x = column - margin + _vertex(window[row], int(column))
    return float(window[row, column]), (float(x), float(y))


def _vertex(line: Float32[np.ndarray, " n"], at: int) -> float:
    if not 0 < at < len(line) - 1:
        return 0.0
    a, b, c = (float(v) for v in line[at - 1 : at + 2])
    bend = a - 2 * b + c
    return float(np.clip(0.5 * (a - c) / bend, -0.5, 0.5)) if bend < 0 else 0.0
