"""Layer images of any size -> batches of square images in one fixed range, and maps back to the image's size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Float32

from layerwatch.records import LayerImage

Images = Float32[np.ndarray, "n _ _"]


@dataclass(frozen=True)
class Window:
    """The range of grey that healthy images fill; fixed after training, so temperature keeps its meaning."""

    low: float
    high: float

    @classmethod
    def of(cls, images: Sequence[LayerImage]) -> Window:
        """From the 0.1st to the 99.9th percentile of healthy pixels, widened by a twentieth on both sides."""
        low, high = np.percentile(np.stack([image.pixels for image in images]), [0.1, 99.9])
        margin = max(0.05 * float(high - low), 1e-3)
        return cls(float(low) - margin, float(high) + margin)


def hold_out(images: Sequence[LayerImage]) -> tuple[list[LayerImage], list[LayerImage]]:
    """Images to train with, and a few of other jobs that are only looked at: a twentieth, 64 at most.

    With a single job every twentieth image is looked at.
    """
    wanted = min(max(len(images) // 20, 2), 64)
    jobs = list(dict.fromkeys(image.job for image in images))
    chosen: set[str] = set()
    while len(jobs) - len(chosen) > 1 and sum(image.job in chosen for image in images) < wanted:
        chosen.add(jobs[-1 - len(chosen)])
    if chosen:
        held = [image for image in images if image.job in chosen]
        return [image for image in images if image.job not in chosen], held[:64]
    held = list(images[:: max(len(images) // wanted, 1)])[:64]
    names = {id(image) for image in held}
    return [image for image in images if id(image) not in names], held


def stretched(images: Sequence[LayerImage], size: int, window: Window) -> Float32[np.ndarray, "n 1 s s"]:
    """Resize (area-true when shrinking) and stretch the window to [0, 1]; what lies outside is clipped."""
    small = resized(np.stack([image.pixels for image in images]), (size, size))
    grey = (small - np.float32(window.low)) / np.float32(window.high - window.low)
    return np.asarray(np.clip(grey, 0, 1)[:, None])


def heat_of(rest: Float32[np.ndarray, "n s s"], shape: tuple[int, ...], window: Window) -> Images:
    """Differences of stretched images as grey differences in the images' own size."""
    return resized(rest, (shape[0], shape[1])) * np.float32(window.high - window.low)


def resized(images: Images, shape: tuple[int, int]) -> Images:
    """Each axis by means over the old pixels that a new one touches, or between the old ones' middles when growing."""
    rows, columns = (_resizing(old, new) for old, new in zip(images.shape[1:], shape, strict=True))
    out = images if rows is None else rows @ images
    return np.asarray(out if columns is None else out @ columns.T, np.float32)


@lru_cache(maxsize=32)
def _resizing(old: int, new: int) -> Float32[np.ndarray, "b a"] | None:
    """The matrix that resizes one axis; None where nothing is to do."""
    if old == new:
        return None
    matrix = np.zeros((new, old), np.float32)
    if new < old:
        for i in range(new):
            first, last = i * old // new, -(-(i + 1) * old // new)
            matrix[i, first:last] = 1 / (last - first)
        return matrix
    at = np.clip((np.arange(new) + 0.5) * old / new - 0.5, 0, old - 1)
    below = np.minimum(at.astype(int), old - 2) if old > 1 else np.zeros(new, int)
    share = (at - below).astype(np.float32)
    matrix[np.arange(new), below] += 1 - share
    if old > 1:
        matrix[np.arange(new), below + 1] += share
    return matrix
