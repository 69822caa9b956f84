"""Two looks at the same job, now and before -> what has changed: level, place, contrast, texture, lines, borders."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
from jaxtyping import Bool, Float32, Float64
from scipy import ndimage

from layerwatch.images.looks import Image, Look, cells, middle, quantile

_INNER = (0.2, 0.85)  # of rows and of columns, off the borders that a bumped camera shows
_BORDER = 0.2  # of the frame, within which a border's step is looked for
_HALF = -0.7  # logarithm
_NEARLY = 0.5 - 1e-3  # grey from the span's middle, above which a cell lies at its end
_NOTHING = 1e-18  # grey to the fourth power
_SPECKS = 0.005  # of the frame; smaller places are not looked at
_LINE = 2.0  # usual changes of grey, above which a whole line has changed
_HIDES = 0.1  # of a place's texture, below which it is hidden
_BELOW, _LEAST_BELOW = 0.15, 0.01  # of what the frame before spans, and of the whole span, by which a thing is colder
_THICK = 2  # px of the grid, twice which a thing is wide at least; a recoater's streak is thinner
_WARMER = 4.0  # usual changes of grey, above which a place may be another thing
_REACHES = (0.2, 0.35, 0.5)  # of the frame, in which a draught falls to a 1 / e
_TOLD = 0.3  # of a place's cells, that must tell something
_OUTLINE = 3.0  # times the energy of a quiet cell, above which a cell holds an outline and no mere texture


@dataclass(frozen=True)
class Draught:
    """A cold wave that dies out exponentially along rows or columns, as cold air does that falls in through a door."""

    side: float  # grey that is lost at the side where it comes from
    everywhere: float  # grey that is lost besides, the same all over
    told: float  # share of the change that it explains


@dataclass(frozen=True)
class Dulled:
    """Where a frame has lost texture, in places of 3 x 3 cells."""

    depth: float  # logarithm of what is left in the dullest place, without its sign
    share: float  # of the places that have lost half of it
    heat: float  # grey by which the heat has changed where the texture was lost


@dataclass(frozen=True)
class Veil:
    """The place of 3 x 3 cells whose heat changed the most, beside the rest of the frame."""

    heat: float  # grey by which it changed
    lost: float  # logarithm by which the fine picture, outlines and texture alike, lost energy there
    faded: float  # share by which the fine picture of the frame before is seen less there


@dataclass(frozen=True)
class Spot:
    """What around the place of a veil changed at least half as much."""

    share: float  # of the frame
    alone: float  # of all that changed so much
    long: float  # how many times longer than wide it is


@dataclass(frozen=True)
class Hidden:
    """A smooth thing over the bed."""

    share: float  # of the frame
    rim: float  # logarithm by which there is more outline around it than there was
    across: bool = False  # it reaches from one border to the one opposite


_NONE = Hidden(0.0, 0.0)


@dataclass(frozen=True, eq=False)
class Change:
    """What differs between a frame and the last sound one; both have the same size."""

    now: Look
    before: Look

    @cached_property
    def heat(self) -> Image:
        """Grey that was gained at each pixel of the grid."""
        return np.asarray(self.now.grid - self.before.grid)

    @cached_property
    def level(self) -> float:
        """Median of it."""
        return middle(self.cells)

    @cached_property
    def apart(self) -> float:
        """Mean size of it."""
        return float(np.abs(self.heat).mean())

    @cached_property
    def cells(self) -> Image:
        """Grey that each cell gained."""
        return np.asarray(self.now.coarse - self.before.coarse)

    @cached_property
    def usual(self) -> float:
        """Median size of the gain, level taken away."""
        return middle(np.abs(self.heat[::2, ::2] - np.float32(self.level)))

    @cached_property
    def alike(self) -> float:
        """Correlation of the shapes."""
        return float((self.now.shapes * self.before.shapes).sum())

    @cached_property
    def mirrored(self) -> float:
        """The best correlation of the shapes once the frame is flipped."""
        return max(flips(self.now.shapes, self.before.shapes))

    @cached_property
    def both(self) -> Image:
        """Product of the fine pictures in places of 3 x 3 cells."""
        return np.asarray(ndimage.uniform_filter(cells(self.now.fine * self.before.fine), 3, mode="nearest"))

    @cached_property
    def kept(self) -> float:
        """Correlation of the fine picture in all but the most alike sixth of places of 3 x 3 cells."""
        return quantile(self.both / np.sqrt(self.now.power * self.before.power + _NOTHING), 0.85)

    @cached_property
    def veil(self) -> Veil:
        """What became of the fine picture where the heat changed the most: a drift leaves it, a smudge veils it."""
        gained = self._off
        k = np.unravel_index(int(gained.argmax()), gained.shape)
        now, before = self.now.power + np.float32(_NOTHING), self.before.power + np.float32(_NOTHING)
        lost = np.log(before[k] / now[k]) - np.log(before.sum() / now.sum())
        faded = self.both.sum() / before.sum() - self.both[k] / before[k]
        return Veil(float(gained[k]), float(lost), float(faded))

    @cached_property
    def spot(self) -> Spot:
        """How large and how round the place is whose heat changed the most."""
        changed = self._off >= 0.5 * self._off.max()
        labels, _ = ndimage.label(changed)
        place = labels == labels.ravel()[int(self._off.argmax())]
        return Spot(float(place.mean()), float(place.sum() / changed.sum()), _longness(place))

    @cached_property
    def _off(self) -> Image:
        """How far each cell's gain lies from the level, neighbours averaged."""
        return np.asarray(np.abs(ndimage.gaussian_filter(self.cells - np.float32(self.level), 1.0)))

    @cached_property
    def same_noise(self) -> float:
        """Correlation of what is left when all smooth things cancel: noise, and the sensor's fixed pattern."""
        a, b = self.now.kinks.ravel(), self.before.kinks.ravel()
        return float(a @ b / (np.sqrt(float(a @ a) * float(b @ b)) + 1e-9))

    @cached_property
    def louder(self) -> float:
        """Logarithm of the noise's ratio."""
        return float(np.log(self.now.noise / self.before.noise))

    @cached_property
    def stretched(self) -> float:
        """Logarithm of the contrast's ratio."""
        return float(np.log(self.now.contrast / self.before.contrast))

    @cached_property
    def sharper(self) -> Float32[np.ndarray, "2 a b"]:
        """Logarithm of the ratio of texture in places of 3 x 3 cells, and what share of each could be told.

        Cells that hold an outline, or lie at an end of the span, tell nothing.
        """
        now, before = self.now.quiet, self.before.quiet
        there = (before < _OUTLINE * np.float32(quantile(before, 0.2))) & (np.abs(self.now.coarse - 0.5) < _NEARLY)
        told = np.where(there, np.clip(np.log(now / before), -4, 2), 0).astype(np.float32)
        weight = ndimage.uniform_filter(there.astype(np.float32), 3, mode="constant")
        local = ndimage.uniform_filter(told, 3, mode="constant") / np.maximum(weight, _TOLD)
        return np.stack([local, weight])

    @cached_property
    def blur(self) -> float:
        """How much of the frame before's curvature was added: half the square of a blur's width in px of the grid.

        By least squares beside contrast, which may grow or shrink; a shift of outlines adds slope, not curvature.
        """
        bent = self.before.bent
        gained = (self.now.soft - self.before.soft)[1:-1, 1:-1].ravel()
        told = (bent @ gained).astype(np.float64).tolist()
        (a, b), (_, c) = ((bent @ bent.T).astype(np.float64) + 1e-12 * np.eye(2)).tolist()
        return float((c * told[0] - b * told[1]) / (a * c - b * b))

    @cached_property
    def softened(self) -> float:
        """What curvature added, contrast lost and texture lost over the bed agree on: the least of the three.

        Walls that end take contrast, drifting heat bends the picture, wet sand has less texture: only a blur does all.
        """
        local, weight = self.sharper
        known = local[weight > _TOLD]
        return min(self.blur, -self.stretched, -middle(known)) if known.size else 0.0

    @cached_property
    def dulled(self) -> Dulled:
        """Where texture was lost, beyond what the noise lost, and whether the heat changed at the same places."""
        local, weight = self.sharper
        known = weight > _TOLD
        if not known.any():
            return Dulled(0.0, 0.0, 0.0)
        lost = np.minimum(local[known] - 2 * min(self.louder, 0.0), 0)
        heat = ndimage.uniform_filter(self.cells, 3, mode="nearest")[known]
        both = float(((lost - lost.mean()) * (heat - heat.mean())).mean()) / (float(lost.std()) + 0.1)
        return Dulled(-float(lost.min(initial=0)), float((lost < _HALF).mean()), abs(both))

    @cached_property
    def draught(self) -> Draught:
        """The cold wave from one side that explains the change best."""
        y = self.cells.astype(np.float64)
        y = np.clip(y, quantile(y, 0.02), quantile(y, 0.98))
        within, best = float(y.var()) + 1e-12, Draught(0.0, 0.0, 0.0)
        for axis, n in enumerate(y.shape):
            waves, line = _waves(n), y.mean(1 - axis)
            a = waves.centred @ line / waves.power
            told = np.where(a < 0, a * a * waves.power / (n * within), 0)
            k = int(told.argmax())
            if told[k] > best.told:
                best = Draught(float(-a[k]), float(a[k] * waves.level[k] - line.mean()), float(told[k]))
        return best

    @cached_property
    def hidden(self) -> Hidden:
        """The largest place that reaches the border, has another temperature, and shows no texture any more."""
        away = np.abs(self.heat - np.float32(self.level))
        changed = away > _WARMER * 1.4826 * self.usual
        if changed.mean() < _SPECKS:
            return _NONE
        before = np.maximum(self.before.energy, np.float32(middle(self.before.quiet)))
        return self._at_border(changed & (self.now.energy < _HIDES * before), 2)

    @cached_property
    def foreign(self) -> Hidden:
        """The largest place that reaches the border, is colder than anything in the frame before, and is no line."""
        (middle_now, spread), (middle_before, spread_before) = self.now.quarters, self.before.quarters
        gain = max(spread / spread_before, 1.0)
        reach = middle_before - self.before.lowest + _BELOW * self.before.reach
        below = middle_now - gain * reach - _LEAST_BELOW
        cold = self.now.grid < np.float32(below)
        if cold.mean() < _SPECKS:
            return _NONE
        return self._at_border(ndimage.binary_opening(cold, iterations=_THICK), 1)

    def _at_border(self, place: Bool[np.ndarray, "h w"], grown: int) -> Hidden:
        """The largest part of a place that reaches a border."""
        labels, _ = ndimage.label(ndimage.binary_dilation(place, iterations=grown))
        borders = [np.unique(border) for border in (labels[:3], labels[-3:], labels[:, :3], labels[:, -3:])]
        rims = np.unique(np.concatenate(borders))
        rims = rims[rims > 0]
        if not len(rims):
            return _NONE
        sizes = np.bincount(labels.ravel())[rims]
        largest = rims[sizes.argmax()]
        top, bottom, left, right = (largest in border for border in borders)
        across = bool((top and bottom) or (left and right))
        return Hidden(float(sizes.max() / place.size), self._rim(labels == largest), across)

    def _rim(self, inside: Bool[np.ndarray, "h w"]) -> float:
        """How much more outline there is around a place than before, as a logarithm."""
        ring = ndimage.binary_dilation(inside, iterations=2) & ~ndimage.binary_erosion(inside, iterations=3)
        now, before = (ndimage.maximum_filter(np.abs(look.fine), 5)[ring] for look in (self.now, self.before))
        return 2 * float(np.log((np.median(now) + 1e-9) / (np.median(before) + 1e-9))) if now.size else 0.0

    @cached_property
    def lines(self) -> tuple[Float32[np.ndarray, " h"], Float32[np.ndarray, " w"]]:
        """Median gain of each row and each column."""
        return np.median(self.heat[:, ::2], axis=1), np.median(self.heat[::2], axis=0)

    @cached_property
    def bordered(self) -> float:
        """Step near the borders: the largest along rows or along columns, whichever is smaller.

        In units of what the frame before spans.
        """
        return min(_border_step(line) for line in self.lines) / self.before.reach

    @cached_property
    def flattened(self) -> float:
        """Logarithm by which grey varies less along three neighbouring rows or columns than it did.

        Off the borders, and where these rows or columns as a whole are warmer or colder than before.
        """
        away = _LINE * self.usual
        found = []
        for now, before, line in zip(self.now.spreads, self.before.spreads, self.lines, strict=True):
            flat = np.where(np.abs(line - self.level) > away, np.log(before / now), 0)
            inner = slice(round(_INNER[0] * len(flat)), round(_INNER[1] * len(flat)))
            found.append(float(ndimage.minimum_filter1d(flat, 3)[inner].max()))
        return max(found)


def _longness(place: Bool[np.ndarray, "h w"]) -> float:
    """How many times longer than wide a place is, by its second moments; 1 for a disc."""
    if place.sum() < 2:
        return 1.0
    spread = np.cov(np.argwhere(place).T) + np.eye(2) / 12  # a cell has an extent of its own
    narrow, wide = np.linalg.eigvalsh(spread).tolist()
    return float(np.sqrt(wide / narrow))


def flips(shapes: Image, other: Image) -> tuple[float, float, float]:
    """Correlations once rows, columns or both are flipped."""
    rows, columns, both = (float((shapes[::r, ::c] * other).sum()) for r, c in ((-1, 1), (1, -1), (-1, -1)))
    return rows, columns, both


@dataclass(frozen=True, eq=False)
class _Waves:
    """Exponentials along n cells, from the first and from the last on."""

    centred: Float64[np.ndarray, "k n"]  # their mean taken away
    level: Float64[np.ndarray, " k"]  # that mean
    power: Float64[np.ndarray, " k"]  # sum of squares of what is left


@cache
def _waves(n: int) -> _Waves:
    way = (np.arange(n) + 0.5) / n
    forth = np.exp(-way / np.array(_REACHES)[:, None])
    waves = np.concatenate([forth, forth[:, ::-1]])
    level = waves.mean(1)
    centred = waves - level[:, None]
    return _Waves(centred, level, (centred**2).sum(1))


def _border_step(line: Float32[np.ndarray, " n"]) -> float:
    steps, reach = np.abs(line[2:] - line[:-2]), max(round(_BORDER * len(line)), 3)
    return float(max(steps[:reach].max(), steps[-reach:].max()))
