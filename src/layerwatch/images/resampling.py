"""Where each pixel of a new grid looks in a frame -> weights made once, which turn each further frame into the grid.

A pixel of the grid is the mean of the frame over its own area: whole pixels of the frame are averaged first where
several go into one, the rest is sampled on a regular pattern, each sample bilinear. Where the grid is finer than the
frame that is plain bilinear interpolation.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64, Shaped
from scipy.sparse import csr_array

Places = Callable[[Float64[np.ndarray, "*n 2"]], Float64[np.ndarray, "*n 2"]]

_BLOCK = 1 << 18  # pixels of the grid whose weights are worked out at once
_SEEN = 0.5  # share of a pixel's area that must lie in the frame


@dataclass(frozen=True, eq=False)
class Resampling:
    """Weights from the frames of one camera to one grid."""

    frame: tuple[int, int]  # px: height, width of the frames
    shape: tuple[int, int]  # px: height, width of the grid
    factor: int  # pixels of the frame that are averaged along each side first
    weights: csr_array
    seen: Float32[np.ndarray, "h w"]  # share of each pixel of the grid that lies in the frame

    def apply(self, pixels: Shaped[np.ndarray, "a b"], border: float = float("nan")) -> Float32[np.ndarray, "h w"]:
        """The frame on the grid, in the frame's own unit.

        Args:
            pixels: the frame, of the size that the weights were made for.
            border: stands where less than half of a pixel lies in the frame.
        """
        small = shrunk(pixels, self.factor)
        found = np.asarray(self.weights @ small.ravel(), np.float32).reshape(self.shape)
        found[self.seen < _SEEN] = border
        return found


def shrunk(pixels: Shaped[np.ndarray, "a b"], factor: int) -> Float32[np.ndarray, "c d"]:
    """Means of squares of ``factor`` x ``factor`` pixels; what is left at the lower and right border is dropped."""
    if factor == 1:
        return np.asarray(pixels, np.float32)
    a, b = (side // factor for side in pixels.shape)
    kind = np.uint32 if pixels.dtype.kind == "u" else np.float32
    rows = pixels[: a * factor, : b * factor].reshape(a, factor, b * factor)
    total = np.zeros((a, b * factor), kind)
    for k in range(factor):
        total += rows[:, k]
    columns = total.reshape(a, b, factor)
    whole = columns[..., 0].copy()
    for k in range(1, factor):
        whole += columns[..., k]
    return np.asarray(whole / np.float32(factor**2), np.float32)


def resampling(places: Places, frame: tuple[int, int], shape: tuple[int, int]) -> Resampling:
    """Work out the weights.

    Args:
        places: from (x, y) on the grid in its own pixels to (x, y) of the frame in px; the centre of the first pixel
            lies at (0.5, 0.5) in both.
        frame: height and width of the frames.
        shape: height and width of the grid.
    """
    least, most = _footprints(places, shape)
    factor = max(1, min(int(least + 1e-6), min(frame) // 8))
    small = (frame[0] // factor, frame[1] // factor)
    samples = int(np.clip(np.ceil(most / factor - 1e-6), 1, 16))
    offsets = (np.stack(np.meshgrid(*(np.arange(samples),) * 2, indexing="xy"), -1).reshape(-1, 2) + 0.5) / samples
    rows = max(1, _BLOCK // (shape[1] * len(offsets)))
    blocks, shares = [], []
    for top in range(0, shape[0], rows):
        rest = range(top, min(top + rows, shape[0]))
        corner = np.stack(np.meshgrid(np.arange(shape[1]), np.array(rest), indexing="xy"), -1).reshape(-1, 1, 2)
        block, share = _weights(places(corner + offsets) / factor, small)
        blocks.append(block)
        shares.append(share)
    return Resampling(frame, shape, factor, _stacked(blocks, small), np.concatenate(shares).reshape(shape))


Block = tuple[Float32[np.ndarray, "_ _"], np.ndarray]


def _footprints(places: Places, shape: tuple[int, int]) -> tuple[float, float]:
    """Sides of the area that a pixel of the grid takes in the frame, in px: the least and the most over the grid."""
    x, y = (np.linspace(0.5, side - 0.5, 17) for side in shape[::-1])
    at = np.stack(np.meshgrid(x, y), -1)
    half = 0.5
    J = np.stack([places(at + step) - places(at - step) for step in (np.array([half, 0]), np.array([0, half]))], -1)
    sides = np.linalg.svd(J, compute_uv=False)
    return float(sides.min()), float(sides.max())


def _weights(at: Float64[np.ndarray, "n s 2"], small: tuple[int, int]) -> tuple[Block, Float32[np.ndarray, " n"]]:
    """Four pixels of the frame for each of the samples, and the share of the samples that lies in the frame."""
    h, w = small
    x, y = (at[..., i].astype(np.float32) for i in (0, 1))
    inside = (x >= 0) & (x <= w) & (y >= 0) & (y <= h)
    x, y = np.clip(x - np.float32(0.5), 0, w - 1), np.clip(y - np.float32(0.5), 0, h - 1)
    left, top = np.minimum(x.astype(np.int32), w - 2), np.minimum(y.astype(np.int32), h - 2)
    dx, dy = x - left, y - top
    share = inside.mean(1, dtype=np.float32)
    each = inside / np.maximum(inside.sum(1, dtype=np.float32), 1)[:, None]
    values = np.stack([(1 - dx) * (1 - dy), dx * (1 - dy), (1 - dx) * dy, dx * dy], -1) * each[..., None]
    first = top * np.int32(w) + left
    index = first[..., None] + np.array([0, 1, w, w + 1], np.int32)
    count = values.shape[1] * 4
    return (values.reshape(-1, count).astype(np.float32), index.reshape(-1, count)), share


def _stacked(blocks: list[Block], small: tuple[int, int]) -> csr_array:
    """Every row has as many entries, so the matrix needs no sorting."""
    values, index = (np.concatenate(parts) for parts in zip(*blocks, strict=True))
    rows, count = values.shape
    starts = np.arange(rows + 1, dtype=np.int32 if rows * count < 2**31 else np.int64) * count
    return csr_array((values.ravel(), index.ravel(), starts), shape=(rows, small[0] * small[1]))
