"""A frame and a plan laid on it -> a better place, what tells it, and how sure it is. Sizes in px.

Around the outlines the frame is modelled cell by cell: a level, a gradient, and a contrast times the softened share of
the part. What moves the outlines (Lucas and Kanade 1981) is fitted to the rest of all cells at once, together with how
far they are bloated and blurred, and with weights that take cells and pixels out which behave unlike the others (Huber
1964). How sure that is comes from the cells' own scores, or, where cells are few, from how the rest is correlated from
pixel to pixel.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int64
from scipy import ndimage

from layerwatch.images.placement import Similarity
from layerwatch.images.score_covariance import correlated, two_way
from layerwatch.images.soft_plan import Band, Image, Mask, SoftPlan, band_of

Columns = Float64[np.ndarray, "k n"]
Vector = Float64[np.ndarray, " n"]
Cells = Float64[np.ndarray, " g"]
Square = Float64[np.ndarray, "k k"]
Free = Bool[np.ndarray, " 4"]
Four = Float64[np.ndarray, " 4"]
Six = Float64[np.ndarray, " 6"]  # shift x, shift y, rotation, scale, bloat (px), blur (px squared)

_CELL = 16.0  # px, side of a cell at the finest softness
_FEWEST = 16  # pixels of a cell that is used
_MOST = 30_000  # pixels that are looked at; cells are left out evenly beyond
MANY = 24  # cells, from which their own scores tell the covariance
_BLOATED = 0.05  # px, by which heat and optics may push all outlines out or in; it must not pass for scale
_BLURRED = 1.0  # px squared, by which the frame may be softer or sharper than the plan
_HUBER = 2.5  # spreads of the rest, from which a pixel counts less
_CLEAR = 10.0  # standard errors, from which no second opinion is asked
_WARY = 0.5  # of the second opinion: a search over all places finds texture that looks like a small part
_LOUD = 3.0  # times the usual answer of a cell
_ODD = 6.0  # squared spreads of a cell's own displacement, where it counts half

# Places of the columns that are told apart: level and gradient, share, the frame, what moves.
_LEVEL, _SHARE, _SEEN, _MOVES = slice(0, 3), 3, 4, slice(5, 11)


@dataclass(frozen=True, eq=False)
class Told:
    """What one frame tells of the place of its plan, at one softness."""

    place: Similarity
    covariance: Square  # px, rad: of the four numbers, 0 for those that were held
    contrast: float  # part less bed, in the frame's unit
    significance: float  # the contrast over its standard error
    softer: float  # px squared, by which the frame's outlines are softer than the plan's
    across: Four  # px along the normals, root mean square, that the outlines move by a px of each number
    cells: int


@dataclass(frozen=True, eq=False)
class Scene:
    """One frame, one plan as soft as it, and the pixels that may be looked at."""

    frame: Image
    plan: SoftPlan
    usable: Mask

    @property
    def side(self) -> float:
        """Px, of a cell, a whole number."""
        return float(max(_CELL, np.ceil(6 * self.plan.sigma)))


def fit_place(
    scene: Scene,
    start: Similarity,
    free: Free,
    prior: Float64[np.ndarray, " 4"],
    *,
    steps: int = 8,
    tolerance: float = 0.005,
) -> Told | None:
    """Gauss-Newton from a place nearby.

    Args:
        scene: what is fitted to what.
        start: where to begin.
        free: which of shift x, shift y, rotation and scale are fitted.
        prior: standard deviations of the four numbers around the start, in px and rad, infinite for none.
        steps: at most.
        tolerance: px, that the outlines move in the last step.

    Returns:
        What the frame tells; None where no outline lies in it.
    """
    cells = CellFit.of(scene, start)
    if cells is None:
        return None
    away, everything = np.zeros(6), np.append(free, [True, True])
    spreads = np.append(prior, [_BLOATED, _BLURRED])
    for _ in range(steps):
        step = cells.step(everything, spreads, away)
        away = away + np.append(step[:4], [0.0, 0.0])
        cells = cells.at(cells.place.moved(step[:4]))
        if max(np.hypot(step[0], step[1]), cells.radius * abs(step[2]), cells.radius * abs(step[3])) < tolerance:
            break
    return cells.told(everything, spreads)


@dataclass(frozen=True, eq=False)
class Grouped:
    """The pixels near the outlines in order of the cells that they lie in."""

    band: Band
    starts: Int64[np.ndarray, " g"]
    of: Int64[np.ndarray, " n"]  # cell of each pixel
    row: Int64[np.ndarray, " g"]  # of each cell
    column: Int64[np.ndarray, " g"]
    level: Columns  # 1, and the place in the cell along x and y
    values: Vector  # of the frame

    @classmethod
    def of_scene(cls, scene: Scene, place: Similarity) -> Grouped | None:
        """Group the pixels near the outlines; None where there are none."""
        band = band_of(scene.plan, place, scene.usable)
        if not len(band.rows):
            return None
        corner = _corner(scene, place, band)
        at = np.floor((band.points - corner) / scene.side).astype(np.int64)
        key = (at[:, 1] + 4096) * 8192 + at[:, 0] + 4096
        order = np.argsort(key, kind="stable")
        keys, counts = np.unique(key[order], return_counts=True)
        every = max(1, -(-len(order) // _MOST))
        kept = (counts >= _FEWEST) & ((keys // 8192 + keys % 8192) % every == 0)
        if not kept.any():
            return None
        order, keys, counts = order[np.repeat(kept, counts)], keys[kept], counts[kept]
        of = np.repeat(np.arange(len(counts)), counts)
        band = Band(band.rows[order], band.columns[order])
        inside = (band.points - corner) / scene.side
        inside = inside - np.floor(inside) - 0.5
        level = np.stack([np.ones(len(of)), *inside.T])
        values = scene.frame[band.rows, band.columns].astype(np.float64)
        return cls(band, np.append(0, np.cumsum(counts)[:-1]), of, keys // 8192, keys % 8192, level, values)

    def products(self, columns: Columns, weights: Vector) -> Float64[np.ndarray, "g k k"]:
        """Sums of products of all columns over each cell."""
        count = len(columns)
        found = np.empty((len(self.starts), count, count))
        for i in range(count):
            weighed = columns[i] * weights
            for j in range(i, count):
                found[:, i, j] = found[:, j, i] = np.add.reduceat(weighed * columns[j], self.starts)
        return found


def _corner(scene: Scene, place: Similarity, band: Band) -> Float64[np.ndarray, " 2"]:
    """Where the cells begin, so that few outlines lie along their borders, where neither side would see a step."""
    points, side = band.points, round(scene.side)
    slopes = scene.plan.changes(place.planned(points))[:2] ** 2
    reach = 2 * round(max(2.0, 2 * scene.plan.sigma)) + 1
    found = []
    for axis in (0, 1):
        edges = np.bincount(points[:, axis].astype(np.int64) % side, slopes[axis], side)
        found.append(int(ndimage.uniform_filter1d(edges, min(reach, side), mode="wrap").argmin()))
    return np.array(found, np.float64)


def _without(
    products: Float64[np.ndarray, "g k k"], first: int
) -> tuple[Float64[np.ndarray, "g m m"], Float64[np.ndarray, "g f m"]]:
    """Products of what the first columns leave of the others, and the shares of the first in those."""
    own, cross = products[:, :first, :first], products[:, :first, first:]
    small = 1e-9 * np.maximum(np.trace(own, axis1=1, axis2=2), 1e-12)
    shares = np.linalg.solve(own + small[:, None, None] * np.eye(first), cross)
    return products[:, first:, first:] - np.swapaxes(cross, 1, 2) @ shares, shares


@dataclass(frozen=True, eq=False)
class CellFit:
    """The pixels near the outlines, taken apart cell by cell, with the plan at one place."""

    scene: Scene
    place: Similarity
    grouped: Grouped
    columns: Columns
    energy: Cells  # of the share, less level and gradient
    along: Cells  # share times frame, the same
    contrasts: Cells  # drawn towards 0 where a cell hardly tells
    normal: Float64[np.ndarray, "g 6 6"]  # each cell's share of the normal equations
    scores: Float64[np.ndarray, "g 6"]
    rest: Vector
    spread: float  # of the rest
    weights: Vector  # of pixels
    trust: Cells
    radius: float  # px, of the outlines around their middle

    @classmethod
    def of(cls, scene: Scene, place: Similarity) -> CellFit | None:
        """Take the frame apart; None where no outline lies in it."""
        grouped = Grouped.of_scene(scene, place)
        if grouped is None:
            return None
        return cls._apart(scene, place, grouped, np.ones(len(grouped.of)), np.ones(len(grouped.starts)))

    def at(self, place: Similarity) -> CellFit:
        """The same pixels with the plan at another place, weighed by what they told here."""
        return self._apart(self.scene, place, self.grouped, *self._robust())

    @classmethod
    def _apart(cls, scene: Scene, place: Similarity, grouped: Grouped, weights: Vector, trust: Cells) -> CellFit:
        points, level = grouped.band.points, grouped.level
        on_plan = place.planned(points)
        changes = scene.plan.changes(on_plan)
        x, y = place.turned(changes[:2].T).T / place.scale
        rx, ry = (points - np.array(place.pivot) - np.array(place.shift)).T
        moves = (-x, -y, x * ry - y * rx, -x * rx - y * ry, np.hypot(x, y), changes[2])
        columns = np.stack([*level, scene.plan.shares(on_plan), grouped.values - grouped.values.mean(), *moves])

        # What level and gradient leave, then what the share leaves of that, in every cell.
        products = grouped.products(columns, weights)
        detrended, _ = _without(products, 3)
        energy, along = detrended[:, 0, 0], detrended[:, 0, 1]
        left, shares = _without(products, 4)
        rest = columns[_SEEN] - np.einsum("kn,kn->n", shares[grouped.of, :, 0].T, columns[:4])
        spread = float(1.4826 * np.median(np.abs(rest))) + 1e-12
        contrasts = along / np.maximum(energy, 1e-12)
        told = contrasts**2 * energy / spread**2  # squared signal over noise
        contrasts = contrasts * told / (told + 1)
        contrasts = np.where(contrasts * along.sum() > 0, contrasts, 0.0)  # a part is the darker or the lighter one
        return cls(
            scene,
            place,
            grouped,
            columns,
            energy,
            along,
            contrasts,
            left[:, 1:, 1:] * contrasts[:, None, None] ** 2,
            left[:, 1:, 0] * contrasts[:, None],
            rest,
            spread,
            weights,
            trust,
            float(np.sqrt(points.var(0).sum())),
        )

    def step(self, free: Bool[np.ndarray, " 6"], prior: Six, away: Six) -> Six:
        """The change of the numbers that explains the rest best; bloat and blur are not carried on."""
        hold = self.spread**2 / np.maximum(prior, 1e-9) ** 2
        whole = np.tensordot(self.trust, self.normal, 1) + np.diag(hold)
        right = self.trust @ self.scores - hold * away
        step = np.zeros(6)
        step[free] = np.linalg.lstsq(whole[np.ix_(free, free)], right[free], rcond=1e-12)[0]
        size = max(np.hypot(step[0], step[1]), self.radius * abs(step[2]), self.radius * abs(step[3]))
        shorter = min(1.0, 2 * self.scene.plan.sigma / max(size, 1e-12))  # as far as slopes tell
        return np.append(step[:4] * shorter, step[4:])

    def _robust(self) -> tuple[Vector, Cells]:
        """Weights of pixels by their rest, and of cells by how far they want to be elsewhere."""
        pixels = np.minimum(1.0, _HUBER * self.spread / np.maximum(np.abs(self.rest), 1e-12))
        A, b = self.normal[:, :2, :2], self.scores[:, :2]
        A = A + 1e-9 * np.eye(2) * max(float(np.trace(A.sum(0))), 1e-12)
        want = np.einsum("gi,gi->g", b, np.linalg.solve(A, b[..., None])[..., 0])
        usual = max(float(np.median(want)) / 1.386, self.spread**2)
        return pixels, 1 / (1 + (want / usual / _ODD) ** 2)

    def told(self, free: Bool[np.ndarray, " 6"], prior: Six) -> Told:
        """Sum up."""
        hold = np.diag(np.append(np.zeros(4), (self.spread / prior[4:]) ** 2))
        information = np.tensordot(self.trust, self.normal, 1) + hold
        bread = np.zeros((6, 6))
        bread[np.ix_(free, free)] = np.linalg.pinv(information[np.ix_(free, free)], rcond=1e-10)
        covariance = bread @ (self._meat() + hold * self.spread**2) @ bread
        return Told(
            self.place,
            covariance[:4, :4],
            float(self.along.sum() / max(self.energy.sum(), 1e-12)),
            agreed if abs(agreed := self._agreement()) > _CLEAR else max(agreed, _WARY * self._pooled(), key=abs),
            float((bread @ (self.trust @ self.scores))[5]),
            self._across(),
            len(self.energy),
        )

    def _across(self) -> Four:
        """How much of what each number moves is seen; the least of all directions stands for both shifts."""
        A = np.tensordot(self.trust, self.normal, 1)
        most = max(float(A[4, 4]), 1e-30)
        least = max(float(np.linalg.eigvalsh(A[:2, :2])[0]), 0.0)
        told = np.array([least, least, A[2, 2] / self.radius**2, A[3, 3] / self.radius**2])
        return np.asarray(np.sqrt(np.maximum(told, 0) / most))

    def _agreement(self) -> float:
        """The cells' answers against their own spread; cells that shout are brought down to the others."""
        if len(self.energy) < MANY:
            return 0.0
        each = self.along / np.sqrt(np.maximum(self.energy, 1e-12))
        loudest = _LOUD * float(np.median(np.abs(each)))
        each = np.clip(each, -loudest, loudest)
        return float(each.mean() * np.sqrt(len(each)) / max(each.std(), 1e-12))

    def _pooled(self) -> float:
        """One contrast for all pixels against what it leaves, which is correlated from pixel to pixel."""
        g = self.grouped
        _, shares = _without(g.products(self.columns[:5], self.weights), 3)
        share, seen = self.columns[_SHARE : _SEEN + 1] - np.einsum("nkm,kn->mn", shares[g.of], self.columns[:3])
        energy = max(float(self.energy.sum()), 1e-12)
        left = seen - float(self.along.sum()) / energy * share
        doubt = correlated((share * self.weights)[None], left, self.weights, g.band) / self._known
        return float(self.along.sum()) / max(float(np.sqrt(doubt[0, 0])), 1e-12)

    @property
    def _known(self) -> float:
        """Share of the pixels' freedom that the cells' own levels leave."""
        return 1 - min(0.8, 8.0 * len(self.grouped.starts) / len(self.rest))

    def _meat(self) -> Square:
        """Covariance of the scores' sum."""
        g = self.grouped
        if len(g.starts) >= MANY:
            return two_way(self.scores.T * self.trust, g.row, g.column)
        _, shares = _without(g.products(self.columns, self.weights), 4)
        moves = self.columns[_MOVES] - np.einsum("nkm,kn->mn", shares[g.of, :, 1:], self.columns[:4])
        moves = moves * (self.contrasts * self.trust)[g.of] * self.weights
        return correlated(moves, self.rest, self.weights, g.band) / self._known
