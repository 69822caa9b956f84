"""A frame and a plan laid on it -> a better place, what tells it, and how sure it is. Sizes in px.

Around the outlines the frame is modelled cell by cell: a level, a gradient, and a contrast times the softened share of
the part. What moves the outlines (Lucas and Kanade 1981) is fitted to the rest of all cells at once, with weights that
take cells and pixels out which behave unlike the others (iterated least squares, Huber 1964). How sure that is comes
from the cells' own scores (the clustered sandwich, Liang and Zeger 1986), or, where cells are few, from how the rest is
correlated from pixel to pixel.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int64
from scipy import fft, stats

from layerwatch.images.placement import Similarity
from layerwatch.images.soft_plan import Band, Image, Mask, SoftPlan, band_of

Columns = Float64[np.ndarray, "k n"]
Vector = Float64[np.ndarray, " n"]
Square = Float64[np.ndarray, "k k"]
Free = Bool[np.ndarray, " 4"]

_CELL = 16  # px, side at the finest level
_FEWEST = 16  # pixels of a cell that is used
_MANY = 24  # cells, from which their own scores tell the covariance
_LAGS = 8  # px, over which the rest may be correlated
_HUBER = 2.5  # spreads of the rest, from which a pixel counts less
_ODD = 6.0  # squared spreads of a cell's own displacement, where it counts half


@dataclass(frozen=True, eq=False)
class Told:
    """What one frame tells of the place of its plan, at one softness."""

    place: Similarity
    information: Square  # of the four numbers, in units of the rest's variance
    scores: Float64[np.ndarray, "g 4"]  # of each cell
    covariance: Square  # px, rad: of the four numbers, 0 for those that were held
    contrast: float  # part less bed, in the frame's unit
    significance: float  # the contrast over its standard error
    seen: float  # share of the outlines, by what they could tell, whose cells show a contrast
    spread: float  # of the rest, in the frame's unit
    misfit: float  # mean square of the rest at the outlines
    cells: int


@dataclass(frozen=True, eq=False)
class Groups:
    """Pixels in order of their cells."""

    starts: Int64[np.ndarray, " g"]
    of: Int64[np.ndarray, " n"]  # cell of each pixel

    def sums(self, values: Float64[np.ndarray, "*k n"]) -> Float64[np.ndarray, "*k g"]:
        """Over each cell."""
        return np.add.reduceat(values, self.starts, axis=-1)

    def without(self, columns: Columns, by: Vector, weights: Vector) -> Columns:
        """Columns less what one more column explains of them in each cell."""
        weighed = by * weights
        least = 1e-9 * max(float((weighed * by).max(initial=0.0)), 1e-30)
        share = self.sums(columns * weighed) / np.maximum(self.sums(weighed * by), least)
        return np.asarray(columns - share[:, self.of] * by)


@dataclass(frozen=True, eq=False)
class _Scene:
    """One frame, one plan, one softness."""

    frame: Image
    plan: SoftPlan
    usable: Mask
    side: float  # px, of a cell


def fit_place(
    frame: Image,
    plan: SoftPlan,
    usable: Mask,
    start: Similarity,
    free: Free,
    prior: Float64[np.ndarray, " 4"],
    *,
    steps: int = 8,
    tolerance: float = 0.005,
) -> Told | None:
    """Gauss-Newton from a place nearby.

    Args:
        frame: as soft as the plan.
        plan: softened.
        usable: pixels that may be looked at.
        start: where to begin.
        free: which of shift x, shift y, rotation and scale are fitted.
        prior: standard deviations of the four numbers around the start, in px and rad, infinite for none.
        steps: at most.
        tolerance: px, that the outlines move in the last step.

    Returns:
        What the frame tells; None where no outline lies in it.
    """
    scene = _Scene(frame, plan, usable, max(_CELL, 6 * plan.sigma))
    place, cells = start, _Cells.of(scene, start)
    if cells is None:
        return None
    away = np.zeros(4)
    for _ in range(steps):
        step = cells.step(free, prior, away)
        place, away = place.moved(step), away + step
        cells = cells.at(scene, place)
        if max(np.hypot(step[0], step[1]), cells.radius * abs(step[2]), cells.radius * abs(step[3])) < tolerance:
            break
    return cells.told(place, free)


@dataclass(frozen=True, eq=False)
class _Cells:
    """The band of pixels around the outlines, taken apart cell by cell, at one place."""

    band: Band  # in order of the cells
    groups: Groups
    share: Vector  # softened, less level and gradient
    values: Vector  # of the frame, the same
    moves: Columns  # what one unit of each number adds per unit of contrast, less level, gradient and share
    rest: Vector
    contrasts: Float64[np.ndarray, " g"]
    weights: Vector  # of pixels
    trust: Float64[np.ndarray, " g"]  # of cells
    spread: float
    radius: float

    @classmethod
    def of(cls, scene: _Scene, place: Similarity) -> _Cells | None:
        band = band_of(scene.plan, place, scene.usable)
        middle = np.array(place.pivot) + np.array(place.shift) - scene.side / 2
        at = np.floor((band.points - middle) / scene.side).astype(np.int64)
        key = (at[:, 1] + 4096) * 8192 + at[:, 0] + 4096
        order = np.argsort(key, kind="stable")
        keys, starts, counts = np.unique(key[order], return_index=True, return_counts=True)
        keep = np.repeat(counts >= _FEWEST, counts)
        if not keep.any():
            return None
        order = order[keep]
        counts = counts[counts >= _FEWEST]
        groups = Groups(np.append(0, np.cumsum(counts)[:-1]), np.repeat(np.arange(len(counts)), counts))
        return cls._apart(scene, place, Band(band.rows[order], band.columns[order]), groups, None, None)

    def at(self, scene: _Scene, place: Similarity) -> _Cells:
        """The same pixels with the plan at another place, weighed by what they told."""
        weights, trust = self._robust()
        return self._apart(scene, place, self.band, self.groups, weights, trust)

    @classmethod
    def _apart(
        cls,
        scene: _Scene,
        place: Similarity,
        band: Band,
        groups: Groups,
        weights: Vector | None,
        trust: Float64[np.ndarray, " g"] | None,
    ) -> _Cells:
        points = band.points
        on_plan = place.planned(points)
        slopes = place.turned(scene.plan.slopes(on_plan)) / place.scale
        moves = -np.einsum("ni,kni->kn", slopes, place.fields(points))
        values = scene.frame[band.rows, band.columns].astype(np.float64)
        w = np.ones(len(points)) if weights is None else weights
        columns = np.stack([*moves, scene.plan.shares(on_plan), values])
        offset = (points - groups.sums(points.T).T[groups.of] / np.bincount(groups.of)[groups.of, None]) / scene.side
        level = np.stack([np.ones(len(points)), *offset.T])
        for k in range(3):
            columns = groups.without(columns, level[k], w)
            level = groups.without(level, level[k], w) if k < 2 else level
        share, seen = columns[4], columns[5]
        energy = groups.sums(w * share * share)
        contrasts = groups.sums(w * share * seen) / np.maximum(energy, 1e-12)
        left = groups.without(np.stack([*columns[:4], seen]), share, w)
        rest = left[4]
        spread = float(1.4826 * np.median(np.abs(rest))) + 1e-12
        told = contrasts**2 * energy / spread**2  # squared signal over noise
        contrasts = contrasts * told / (told + 1)
        radius = float(np.sqrt(((points - points.mean(0)) ** 2).sum(1).mean()))
        trust = np.ones(len(groups.starts)) if trust is None else trust
        return cls(band, groups, share, seen, left[:4], rest, contrasts, w, trust, spread, radius)

    @property
    def jacobian(self) -> Columns:
        """What one unit of each number adds to the frame."""
        return self.moves * self.contrasts[self.groups.of]

    def normal(self) -> tuple[Float64[np.ndarray, "g 4 4"], Float64[np.ndarray, "g 4"]]:
        """Each cell's share of the normal equations."""
        J, w = self.jacobian, self.weights
        pairs = self.groups.sums(np.stack([J[i] * J[j] * w for i in range(4) for j in range(4)]))
        return pairs.T.reshape(-1, 4, 4), self.groups.sums(J * self.rest * w).T

    def step(self, free: Free, prior: Float64[np.ndarray, " 4"], away: Float64[np.ndarray, " 4"]) -> np.ndarray:
        """The change of the four numbers that explains the rest best."""
        A, b = self.normal()
        hold = self.spread**2 / np.maximum(prior, 1e-9) ** 2
        whole = np.tensordot(self.trust, A, 1) + np.diag(hold)
        right = self.trust @ b - hold * away
        step = np.zeros(4)
        step[free] = np.linalg.lstsq(whole[np.ix_(free, free)], right[free], rcond=1e-12)[0]
        limit = 2.0 * self._softness()
        size = max(np.hypot(step[0], step[1]), self.radius * abs(step[2]), self.radius * abs(step[3]))
        return step * min(1.0, limit / max(size, 1e-12))

    def _softness(self) -> float:
        """Px over which the share changes, roughly: how far the linear model reaches."""
        steep = float(np.abs(self.moves[:2]).max(initial=1e-9))
        return float(np.clip(0.4 / steep, 0.5, 20.0))

    def _robust(self) -> tuple[Vector, Float64[np.ndarray, " g"]]:
        """Weights of pixels by their rest, and of cells by how far they want to be elsewhere."""
        pixels = np.minimum(1.0, _HUBER * self.spread / np.maximum(np.abs(self.rest), 1e-12))
        A, b = self.normal()
        A, b = A[:, :2, :2] + 1e-9 * np.eye(2) * np.trace(A.sum(0)[:2, :2]), b[:, :2]
        want = np.einsum("gi,gi->g", b, np.linalg.solve(A, b[..., None])[..., 0])
        usual = max(float(np.median(want)) / 1.386, 1e-12 + self.spread**2)
        return pixels, 1 / (1 + (want / usual / _ODD) ** 2)

    def told(self, place: Similarity, free: Free) -> Told:
        """Sum up."""
        A, b = self.normal()
        information = np.tensordot(self.trust, A, 1)
        scores = b * self.trust[:, None]
        meat = self._meat(self.jacobian, self.rest)
        bread = np.zeros((4, 4))
        bread[np.ix_(free, free)] = np.linalg.pinv(information[np.ix_(free, free)], rcond=1e-10)
        covariance = bread @ meat @ bread
        energy = float((self.weights * self.share**2).sum())
        contrast = float((self.weights * self.share * self.values).sum()) / max(energy, 1e-12)
        error = float(np.sqrt(self._meat(self.share[None], self.values - contrast * self.share)[0, 0]))
        error /= max(energy, 1e-12)
        cell = self.groups.sums(self.weights * self.share**2)
        shown = np.abs(self.contrasts) * np.sqrt(cell) > 4 * self.spread
        seen = float(cell[shown].sum() / max(cell.sum(), 1e-12))
        misfit = float((self.weights * self.rest**2).mean())
        return Told(
            place,
            information / self.spread**2,
            scores,
            covariance,
            contrast,
            contrast / max(error, 1e-12),
            seen,
            self.spread,
            misfit,
            len(cell),
        )

    def _meat(self, columns: Columns, rest: Vector) -> Square:
        """Covariance of the sums of columns times rest."""
        trust = self.trust[self.groups.of] * self.weights
        count, held = len(self.groups.starts), 4
        if count >= _MANY:
            scores = self.groups.sums(columns * rest * trust)
            known = count - held
            student = float(stats.t.ppf(0.97725, known)) / 2
            return np.asarray(scores @ scores.T * (count / known) * student**2)
        return self._correlated(columns * trust, rest)

    def _correlated(self, columns: Columns, rest: Vector) -> Square:
        """The same from the correlation of the rest between pixels, wherever they lie."""
        top, left = self.band.rows.min(), self.band.columns.min()
        shape = (int(self.band.rows.max() - top + 1), int(self.band.columns.max() - left + 1))
        padded = tuple(fft.next_fast_len(side + _LAGS, real=True) for side in shape)
        images = np.zeros((len(columns) + 2, *padded))
        at = (self.band.rows - top, self.band.columns - left)
        for image, values in zip(images, (*columns, self.weights * rest, self.weights), strict=True):
            image[at] = values
        spectra = fft.rfft2(images)
        product, pairs = (fft.irfft2(np.abs(spectra[k]) ** 2, s=padded) for k in (-2, -1))
        lag = [np.minimum(np.arange(side), side - np.arange(side)) for side in padded]
        taper = np.outer(*(np.clip(1 - one / _LAGS, 0, None) for one in lag))
        known = 1 - min(0.8, (8.0 * len(self.groups.starts)) / len(self.rest))
        correlation = product / np.maximum(pairs, 1.0) * taper / known
        power = np.maximum(fft.rfft2(correlation).real, 0)
        double = np.full(spectra.shape[-1], 2.0)
        double[0] = 1.0
        if padded[1] % 2 == 0:
            double[-1] = 1.0
        weighed = spectra[:-2] * (power * double / np.prod(padded))
        return np.asarray(np.einsum("ihw,jhw->ij", weighed, spectra[:-2].conj()).real)

