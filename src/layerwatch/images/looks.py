"""One shot -> what the gate's checks look at: a grid of about 120 px, fine texture, noise, stripes, dead pixels.

Grey is a fraction of the file's full scale. Everything is computed once a frame and only when a check asks for it; a
frame of 640 x 480 is averaged over 4 x 4 pixels first, and fine quantities are taken from every fourth row.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float32, UInt16
from scipy import ndimage

from layerwatch.records import Shot

Image = Float32[np.ndarray, "h w"]

_GRID = 120  # px of the grid along the frame's shorter side, at least
_BROAD = 31  # px of the grid, over which level and broad fields are taken
CELL = 8  # px of the grid, each way, of a cell
_KINKS = np.array([1.0, -4.0, 6.0, -4.0, 1.0], np.float32)  # blind to what is smooth
_KINK_NORM = 70.0  # spread of white noise after it, once a row and once a column
_BANDS = 8  # of rows, in which stripes are looked for
_SINGLE = 0.002  # of the grid's pixels, that may be odd ones
_DEAD = 20.0  # spreads of the noise by which a dead pixel leaves its four neighbours
_NOTHING = 1e-14  # grey squared
_TINY = np.float32(1e-7)


@dataclass(frozen=True, eq=False)
class Look:
    """One frame with all that is taken from it."""

    shot: Shot

    @property
    def layer(self) -> int:
        """That it claims."""
        return self.shot.layer

    @cached_property
    def frame(self) -> UInt16[np.ndarray, "h w"]:
        """Levels of 16 bits; those of a file of 8 are spread over them."""
        return np.asarray(self.shot.frame if self.shot.bits == 16 else self.shot.frame * np.uint16(257))

    @cached_property
    def digest(self) -> int:
        """Equal for equal pixels."""
        return zlib.crc32(np.ascontiguousarray(self.shot.frame).data)

    @cached_property
    def ends(self) -> tuple[int, int]:
        """Lowest and highest level."""
        return int(self.frame.min()), int(self.frame.max())

    @cached_property
    def block(self) -> int:
        """Pixels of the frame, each way, in a pixel of the grid."""
        h, w = self.frame.shape
        return int(max(min(h, w) // _GRID, 1))

    @cached_property
    def grid(self) -> Image:
        """Means over blocks, in grey."""
        n, (h, w) = self.block, self.frame.shape
        whole = self.frame[: h // n * n, : w // n * n].astype(np.float32)  # sums of 256 levels are still exact
        rows = whole[0::n].copy()
        for k in range(1, n):
            rows += whole[k::n]
        cells = rows[:, 0::n].copy()
        for k in range(1, n):
            cells += rows[:, k::n]
        cells *= np.float32(1 / (65535 * n * n))
        return cells

    @cached_property
    def fine(self) -> Image:
        """Texture and outlines between about 2 and 6 px of the grid, slopes taken away."""
        near = ndimage.uniform_filter(self.grid, 3, mode="nearest")
        return np.asarray(near - ndimage.uniform_filter(near, 7, mode="nearest"), np.float32)

    @cached_property
    def contrast(self) -> float:
        """Spread of the grid's shapes in grey: level and broad fields are taken away."""
        return float(self._rest.std()) + 1e-7

    @cached_property
    def shapes(self) -> Image:
        """The same, clipped at three spreads and of unit length: what can be correlated."""
        rest = np.clip(self._rest, -3 * self.contrast, 3 * self.contrast)
        return np.asarray(rest / np.float32(np.sqrt((rest * rest).sum()) + _TINY), np.float32)

    @cached_property
    def _rest(self) -> Image:
        return np.asarray(self.grid - ndimage.uniform_filter(self.grid, _BROAD, mode="nearest"), np.float32)

    @cached_property
    def kinks(self) -> Float32[np.ndarray, "a b"]:
        """What is left of five rows and five columns when all smooth things cancel, in levels."""
        rows = _kinked(self._sampled_rows(5))
        return np.ascontiguousarray(_kinked(rows.T).T)

    @cached_property
    def noise(self) -> float:
        """Spread of the sensor's noise in grey."""
        return middle(np.abs(self.kinks)) / (0.6745 * _KINK_NORM) / 65535 + 1e-7

    @cached_property
    def rich(self) -> float:
        """Logarithm of the texture's energy over the noise's."""
        return float(np.log(middle(self.quiet) / self.noise**2))

    @cached_property
    def stripes(self) -> float:
        """How much one column differs from its neighbours, in grey, in the calmest of 8 bands of rows."""
        n, h = self.block, self.frame.shape[0]
        sample = self.frame[::n].astype(np.float32)
        size = max(len(sample) // _BANDS, 1)
        bands = sample[: len(sample) // size * size].reshape(-1, size, sample.shape[1]).mean(1)
        kinks = np.median(np.abs(np.diff(bands, 2, axis=1)), 1)
        return float(np.sort(kinks)[min(1, len(kinks) - 1)]) / 65535 + 1e-7 if h else 0.0

    @cached_property
    def dead(self) -> float:
        """Share of pixels far above or below all four neighbours."""
        n = self.block
        rows = [self.frame[k::n][: (self.frame.shape[0] - 2) // n] for k in range(3)]
        up, row, down = (row[: min(map(len, rows))].copy() for row in rows)
        x, left, right, up, down = row[:, 1:-1], row[:, :-2], row[:, 2:], up[:, 1:-1], down[:, 1:-1]
        highest = np.maximum(np.maximum(up, down), np.maximum(left, right))
        lowest = np.minimum(np.minimum(up, down), np.minimum(left, right))
        far = np.uint16(min(int(_DEAD * self.noise * 65535 + 300), 65535))
        above, below = (x > highest) & (x - highest > far), (x < lowest) & (lowest - x > far)
        return float(np.count_nonzero(above | below) / x.size) if x.size else 0.0

    def share_at(self, level: int) -> float:
        """Share of pixels at a level, by every block-th row."""
        return float((self.frame[:: self.block] == level).mean())

    @cached_property
    def quiet(self) -> Image:
        """Texture in each cell of 8 x 8 px of the grid: mean square of the fine picture over its quietest third.

        Outlines, old ones that still shine through too, lie in the other two thirds.
        """
        h, w = (side // CELL for side in self.fine.shape)
        square = np.square(self.fine[: h * CELL, : w * CELL]).reshape(h, CELL, w, CELL).swapaxes(1, 2)
        third = CELL * CELL // 3
        ranked = np.partition(square.reshape(h, w, -1), third, axis=2)
        return np.asarray(ranked[..., :third].mean(2) + _NOTHING, np.float32)

    @cached_property
    def power(self) -> Image:
        """Energy of the fine picture in places of 3 x 3 cells."""
        return np.asarray(ndimage.uniform_filter(cells(self.fine * self.fine), 3, mode="nearest"))

    @cached_property
    def energy(self) -> Image:
        """The same around each pixel of the grid, over 5 x 5 px."""
        return np.asarray(ndimage.uniform_filter(self.fine * self.fine, 5, mode="nearest"))

    @cached_property
    def soft(self) -> Image:
        """Means over 3 x 3 px, from the median on: small numbers keep their digits."""
        level = np.float32(middle(self.grid[::4, ::4]))
        return np.asarray(ndimage.uniform_filter(self.grid - level, 3, mode="nearest"), np.float32)

    @cached_property
    def bent(self) -> Float32[np.ndarray, "2 n"]:
        """Curvature of the soft picture, and the picture itself, off the rim, each without its mean."""
        x = self.soft
        curved = x[:-2, 1:-1] + x[2:, 1:-1] + x[1:-1, :-2] + x[1:-1, 2:] - 4 * x[1:-1, 1:-1]
        both = np.stack([curved.ravel(), x[1:-1, 1:-1].ravel()])
        return np.asarray(both - both.mean(1, keepdims=True), np.float32)

    @cached_property
    def coarse(self) -> Image:
        """Mean grey of each cell."""
        return cells(self.grid)

    @cached_property
    def reach(self) -> float:
        """Grey between the coldest and the warmest twentieth of the cells."""
        return quantile(self.coarse, 0.95) - quantile(self.coarse, 0.05) + 1e-6

    @cached_property
    def lowest(self) -> float:
        """The coldest grey of the grid, but for single pixels."""
        return quantile(self.grid, _SINGLE)

    @cached_property
    def quarters(self) -> tuple[float, float]:
        """Median grey of the cells, and how far their middle half reaches."""
        low, half, high = (quantile(self.coarse, share) for share in (0.25, 0.5, 0.75))
        return half, high - low + 1e-6

    @cached_property
    def spreads(self) -> tuple[Float32[np.ndarray, " h"], Float32[np.ndarray, " w"]]:
        """How far grey varies along each row and each column of the grid: the width of its densest half."""
        return _densest_half(self.grid[:, ::2]), _densest_half(np.ascontiguousarray(self.grid[::2].T))

    def _sampled_rows(self, together: int) -> Float32[np.ndarray, "k n w"]:
        """Runs of neighbouring rows, some dozens of them."""
        h = self.frame.shape[0]
        starts = np.arange(0, h - together + 1, 4 * self.block if self.block > 1 else 2)
        return np.stack([self.frame[starts + k] for k in range(together)]).astype(np.float32)


def _kinked(x: Float32[np.ndarray, ...]) -> Float32[np.ndarray, ...]:
    """Fourth differences along the first axis (five long there), or sliding along it."""
    if x.ndim == 3:
        return np.tensordot(_KINKS, x, 1).astype(np.float32)
    return np.asarray(x[:-4] - 4 * x[1:-3] + 6 * x[2:-2] - 4 * x[3:-1] + x[4:], np.float32)


def _densest_half(picture: Image) -> Float32[np.ndarray, " h"]:
    ranked = np.sort(picture, axis=1)
    half = ranked.shape[1] // 2
    return np.asarray((ranked[:, half:] - ranked[:, : ranked.shape[1] - half]).min(1) + _TINY, np.float32)


def middle(x: np.ndarray) -> float:
    """The upper median, without what ``np.median`` looks after."""
    n = x.size // 2
    return float(np.partition(x, n, axis=None)[n])


def quantile(x: np.ndarray, share: float) -> float:
    """As ``np.quantile`` interpolates, without what it looks after."""
    place = share * (x.size - 1)
    n = min(int(place), max(x.size - 2, 0))
    ranked = np.partition(x, (n, min(n + 1, x.size - 1)), axis=None)
    low, high = float(ranked[n]), float(ranked[min(n + 1, x.size - 1)])
    return low + (place - n) * (high - low)


def cells(picture: Image) -> Float32[np.ndarray, "a b"]:
    """Means over cells of the grid; a rest at the right and the bottom is left out."""
    h, w = (side // CELL for side in picture.shape)
    return np.asarray(picture[: h * CELL, : w * CELL].reshape(h, CELL, w, CELL).mean((1, 3)), np.float32)
