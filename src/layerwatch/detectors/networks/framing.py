"""Frames larger than the network -> shrunk to its size, or cut into overlapping tiles; and one seamless map back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float32, Int64

from layerwatch.detectors.networks.inputs import Window, heat_of, stretched
from layerwatch.records import LayerImage

_MOST = 20_000  # tiles to train with; more of the same frames teach little


@dataclass(frozen=True)
class Framing:
    """How frames come to the network: whole, or as tiles of their own resolution.

    A tile's weight falls towards its border, and weights add up to 1 everywhere, so a map has no seams. A levelled
    frame has lost its median: the networks need not learn how warm the bed is, and cannot tell.
    """

    size: int  # px of the network
    is_tiled: bool = False
    overlap: float = 0.25  # of neighbouring tiles, at least
    is_levelled: bool = False

    def window(self, images: Sequence[LayerImage]) -> Window:
        """The range of grey that healthy images fill, as the networks are to see them."""
        return Window.of(self._level(images))

    def cut(self, images: Sequence[LayerImage], window: Window) -> Float32[np.ndarray, "m 1 s s"]:
        """Images for the network in [0, 1]: one a frame, or its tiles, row by row."""
        images, (rows, columns) = self._level(images), self._places(images[0].pixels.shape)
        if len(rows) * len(columns) == 1:
            return stretched(images, self.size, window)
        grey = (np.stack([image.pixels for image in images]) - window.low) / (window.high - window.low)
        tiles = [grey[:, y : y + self.size, x : x + self.size] for y in rows for x in columns]
        return np.clip(np.stack(tiles, 1), 0, 1).reshape(-1, 1, self.size, self.size).astype(np.float32)

    def some(self, images: Sequence[LayerImage], window: Window, seed: int) -> Float32[np.ndarray, "m 1 s s"]:
        """Images to train with: all of them, or as many tiles as teach something."""
        each = self.count(images[0].pixels.shape)
        if each * len(images) <= _MOST:
            return self.cut(images, window)
        rng = np.random.default_rng(seed)
        per_frame = max(_MOST // len(images), 1)
        picked = [self.cut([image], window)[rng.choice(each, per_frame, replace=False)] for image in images]
        return np.concatenate(picked)

    def count(self, shape: tuple[int, ...]) -> int:
        """Images for the network that one frame gives."""
        rows, columns = self._places(shape)
        return len(rows) * len(columns)

    def join(
        self, rest: Float32[np.ndarray, "m s s"], shape: tuple[int, ...], window: Window
    ) -> Float32[np.ndarray, "n h w"]:
        """Differences of the network's images as maps of whole frames, in grey."""
        rows, columns = self._places(shape)
        if len(rows) * len(columns) == 1:
            return heat_of(rest, shape, window)
        tiles = rest.reshape(-1, len(rows) * len(columns), self.size, self.size)
        out = np.zeros((len(tiles), *shape), np.float32)
        whole = np.zeros(shape, np.float32)
        weight = _weight(self.size)
        for number, (y, x) in enumerate((y, x) for y in rows for x in columns):
            there = np.s_[y : y + self.size, x : x + self.size]
            out[:, there[0], there[1]] += tiles[:, number] * weight
            whole[there] += weight
        return out / whole * np.float32(window.high - window.low)

    def _level(self, images: Sequence[LayerImage]) -> Sequence[LayerImage]:
        """Frames whose median is 0, where that is wanted."""
        if not self.is_levelled:
            return images
        return [replace(image, pixels=image.pixels - np.median(image.pixels)) for image in images]

    def _places(self, shape: tuple[int, ...]) -> tuple[Int64[np.ndarray, " r"], Int64[np.ndarray, " c"]]:
        """Upper and left borders of the tiles; a frame that is no larger than the network is taken whole."""
        if not self.is_tiled or min(shape[:2]) < self.size or max(shape[:2]) == self.size:
            return np.zeros(1, np.int64), np.zeros(1, np.int64)
        return _spread(shape[0], self.size, self.overlap), _spread(shape[1], self.size, self.overlap)


def _spread(length: int, size: int, overlap: float) -> Int64[np.ndarray, " k"]:
    """Evenly spaced places, the first at 0, the last at the end."""
    count = 1 + int(np.ceil((length - size) / (size * (1 - overlap)))) if length > size else 1
    return np.linspace(0, length - size, count).round().astype(np.int64)


def _weight(size: int) -> Float32[np.ndarray, "s s"]:
    """Largest in the middle of a tile, never 0."""
    line = np.sin(np.pi * (np.arange(size) + 0.5) / size) + 1e-3
    return np.outer(line, line).astype(np.float32)
