"""A frame and a plan laid on it -> a better place, what tells it, and how sure it is. Sizes in px.

Around the outlines the frame is modelled cell by cell: a level, a gradient, and a contrast times the softened share of
the part. What moves the outlines (Lucas and Kanade 1981) is fitted to the rest of all cells at once, together with how
far they are bloated and blurred, and with weights that take cells and pixels out which behave unlike the others (Huber
1964). How sure that is comes from the cells' own scores, or, where cells are few, from how the rest is correlated from
pixel to pixel.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float64

from layerwatch.images.cell_grid import Columns, Grouped, Scene, Solved, Vector
from layerwatch.images.placement import Similarity
from layerwatch.images.score_covariance import correlated, two_way
from layerwatch.images.soft_plan import SoftPlan

Cells = Float64[np.ndarray, " g"]
Square = Float64[np.ndarray, "k k"]
Four = Float64[np.ndarray, " 4"]
Six = Float64[np.ndarray, " 6"]  # shift x, shift y, rotation, scale, bloat (px), blur (px squared)

MANY = 24  # cells, from which their own scores tell the covariance
_BLOATED = 0.05  # px, by which heat and optics may push all outlines out or in; it must not pass for scale
_BLURRED = 1.0  # px squared, by which the frame may be softer or sharper than the plan
_BLURS = (0.4, 3.0)  # px, the least and the most that is fitted
_SAME = 0.1  # of a blur, by which a better one may differ from it
_HUBER = 2.5  # spreads of the rest, from which a pixel counts less
_CLEAR = 10.0  # standard errors, from which no second opinion is asked
_WARY = 0.5  # of the second opinion: a search over all places finds texture that looks like a small part
_LOUD = 3.0  # times the usual answer of a cell
_ODD = 6.0  # squared spreads of a cell's own displacement, where it counts half

_SHARE, _SEEN, _MOVES = 3, 4, slice(5, 11)  # columns: level and gradient, share, frame, what moves


@dataclass(frozen=True, eq=False)
class Told:
    """What one frame tells of the place of its plan, at one softness."""

    place: Similarity
    covariance: Square  # px, rad: of the four numbers, 0 for those that were held
    contrast: float  # part less bed, in the frame's unit
    significance: float  # the contrast over its standard error
    across: Four  # px along the normals, root mean square, that the outlines move by a px of each number
    cells: int


@dataclass(frozen=True, eq=False)
class Freedom:
    """Which of shift x, shift y, rotation and scale are fitted, and how far they may lie from the start."""

    free: Bool[np.ndarray, " 4"]
    prior: Four  # standard deviations around the start, in px and rad, infinite for none

    @property
    def all_free(self) -> Bool[np.ndarray, " 6"]:
        """With bloat and blur."""
        return np.append(self.free, [True, True])

    @property
    def spreads(self) -> Six:
        """With bloat and blur."""
        return np.asarray(np.maximum(np.append(self.prior, [_BLOATED, _BLURRED]), 1e-9))


def fit_place(
    scene: Scene,
    start: Similarity,
    freedom: Freedom,
    *,
    steps: int = 8,
    tolerance: float = 0.01,
    softened: Callable[[float], SoftPlan] | None = None,
) -> CellFit | None:
    """Gauss-Newton from a place nearby.

    Args:
        scene: what is fitted to what.
        start: where to begin.
        freedom: what is fitted.
        steps: at most.
        tolerance: px, that the outlines move in the last step.
        softened: the plan at another blur (px), where the blur is fitted as well.

    Returns:
        The frame taken apart at the last place; None where no outline lies in it.
    """
    cells = CellFit.of(scene, start)
    return None if cells is None else refined(cells, freedom, steps=steps, tolerance=tolerance, softened=softened)


def refined(
    cells: CellFit,
    freedom: Freedom,
    *,
    steps: int = 8,
    tolerance: float = 0.01,
    softened: Callable[[float], SoftPlan] | None = None,
) -> CellFit:
    """Further steps from where a fit stands; see ``fit_place``."""
    away = np.zeros(6)
    for _ in range(steps):
        step = cells.step(freedom, away)
        away[:4] += step[:4]
        place, plan = cells.place.moved(step[:4]), cells.scene.plan
        if softened is not None:
            plan = softened(_better(plan.sigma, float(step[5])))
        if cells.size(step) < tolerance and plan is cells.scene.plan:
            return replace(cells, place=place)
        cells = cells.at(place, plan)
    return cells


def _better(sigma: float, softer: float) -> float:
    """The blur that outlines have which are softer by so many px squared; the same where it hardly differs."""
    found = float(np.clip(np.sqrt(max(sigma**2 + softer, 0.0)), max(_BLURS[0], sigma / 2), _BLURS[1]))
    return sigma if abs(found - sigma) < _SAME * sigma else found


@dataclass(frozen=True, eq=False)
class CellFit:
    """The pixels near the outlines, taken apart cell by cell, with the plan at one place."""

    scene: Scene
    place: Similarity
    grouped: Grouped
    columns: Columns
    solved: Solved
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
        return cls._apart(scene, place, grouped, np.ones(len(grouped.values), np.float32), np.ones(len(grouped.counts)))

    def at(self, place: Similarity, plan: SoftPlan) -> CellFit:
        """The plan at another place, weighed by what the pixels told here, or on more pixels if it is much softer."""
        scene = replace(self.scene, plan=plan)
        if plan.reach > self.grouped.reach:
            return self.of(scene, place) or self
        return self._apart(scene, place, self.grouped, *self._robust())

    @classmethod
    def _apart(cls, scene: Scene, place: Similarity, grouped: Grouped, weights: Vector, trust: Cells) -> CellFit:
        columns = _columns(scene, place, grouped)
        solved = Solved.of(grouped.products(columns, weights))
        shares = grouped.spread_out(solved.shares[:, :, 0])
        rest = columns[_SEEN] - np.einsum("kn,kn->n", shares, columns[:4])
        spread = 1.4826 * float(np.median(np.abs(rest))) + 1e-12
        contrasts = _contrasts(solved, spread)
        return cls(
            scene,
            place,
            grouped,
            columns,
            solved,
            contrasts,
            solved.left[:, 1:, 1:] * contrasts[:, None, None] ** 2,
            solved.left[:, 1:, 0] * contrasts[:, None],
            rest,
            spread,
            weights,
            trust,
            grouped.radius,
        )

    def size(self, step: Six) -> float:
        """Px, by which a step moves the outlines."""
        return float(max(np.hypot(step[0], step[1]), self.radius * abs(step[2]), self.radius * abs(step[3])))

    def step(self, freedom: Freedom, away: Six) -> Six:
        """The change of the numbers that explains the rest best; bloat and blur are not carried on."""
        free, hold = freedom.all_free, self.spread**2 / freedom.spreads**2
        whole = self.information + np.diag(hold)
        right = self.trust @ self.scores - hold * away
        step = np.zeros(6)
        step[free] = np.linalg.lstsq(whole[np.ix_(free, free)], right[free], rcond=1e-12)[0]
        step[:4] *= min(1.0, 2 * self.scene.plan.sigma / max(self.size(step), 1e-12))  # as far as slopes tell
        return step

    @property
    def information(self) -> Square:
        """The normal equations of all cells."""
        return np.tensordot(self.trust, self.normal, 1)

    def _robust(self) -> tuple[Vector, Cells]:
        """Weights of pixels by their rest, and of cells by how far they want to be elsewhere."""
        bound = np.float32(_HUBER * self.spread)
        pixels = bound / np.maximum(np.abs(self.rest), bound)
        a, b, c = self.normal[:, 0, 0], self.normal[:, 0, 1], self.normal[:, 1, 1]
        small = 1e-9 * max(float((a + c).sum()), 1e-12)
        x, y = self.scores[:, 0], self.scores[:, 1]
        want = ((c + small) * x**2 - 2 * b * x * y + (a + small) * y**2) / ((a + small) * (c + small) - b**2)
        usual = max(float(np.median(want)) / 1.386, self.spread**2)
        return pixels, 1 / (1 + (want / usual / _ODD) ** 2)

    def told(self, freedom: Freedom) -> Told:
        """Sum up."""
        free = freedom.all_free
        hold = np.diag(np.append(np.zeros(4), (self.spread / freedom.spreads[4:]) ** 2))
        bread = np.zeros((6, 6))
        bread[np.ix_(free, free)] = np.linalg.pinv((self.information + hold)[np.ix_(free, free)], rcond=1e-10)
        covariance = bread @ (self._meat() + hold * self.spread**2) @ bread
        agreed = self.agreement
        return Told(
            self.place,
            covariance[:4, :4],
            self.contrast,
            agreed if abs(agreed) > _CLEAR else max(agreed, _WARY * self._pooled(), key=abs),
            self._across(),
            len(self.trust),
        )

    @property
    def contrast(self) -> float:
        """Part less bed, of all cells."""
        return float(self.solved.along.sum() / max(self.solved.energy.sum(), 1e-12))

    def _across(self) -> Four:
        """How much of what each number moves is seen; the least of all directions stands for both shifts."""
        A = self.information
        most = max(float(A[4, 4]), 1e-30)
        least = max(float(np.linalg.eigvalsh(A[:2, :2])[0]), 0.0)
        told = np.array([least, least, A[2, 2] / self.radius**2, A[3, 3] / self.radius**2])
        return np.asarray(np.sqrt(np.maximum(told, 0) / most))

    @property
    def agreement(self) -> float:
        """The cells' answers against their own spread; cells that shout are brought down to the others."""
        if len(self.trust) < MANY:
            return 0.0
        each = self.solved.along / np.sqrt(np.maximum(self.solved.energy, 1e-12))
        loudest = _LOUD * float(np.median(np.abs(each)))
        each = np.clip(each, -loudest, loudest)
        return float(each.mean() * np.sqrt(len(each)) / max(each.std(), 1e-12))

    def _pooled(self) -> float:
        """One contrast for all pixels against what it leaves, which is correlated from pixel to pixel."""
        g, s = self.grouped, self.solved
        share = self.columns[_SHARE] - np.einsum("kn,kn->n", g.spread_out(s.base), self.columns[:3])
        left = self.rest + g.spread_out(s.shares[:, 3, 0] - self.contrast) * share
        doubt = correlated((share * self.weights)[None], left, self.weights, g.band) / self._known
        return float(s.along.sum()) / max(float(np.sqrt(doubt[0, 0])), 1e-12)

    @property
    def _known(self) -> float:
        """Share of the pixels' freedom that the cells' own levels leave."""
        return 1 - min(0.8, 8.0 * len(self.trust) / len(self.rest))

    def _meat(self) -> Square:
        """Covariance of the scores' sum."""
        g = self.grouped
        if len(self.trust) >= MANY:
            return two_way(self.scores.T * self.trust, g.row, g.column)
        shares = g.spread_out(self.solved.shares[:, :, 1:])
        moves = self.columns[_MOVES] - np.einsum("mkn,kn->mn", shares, self.columns[:4])
        moves *= g.spread_out(self.contrasts * self.trust) * self.weights
        return correlated(moves, self.rest, self.weights, g.band) / self._known


def _columns(scene: Scene, place: Similarity, grouped: Grouped) -> Columns:
    """Level and gradient, share, the frame, and what shift x, y, rotation, scale, bloat and blur change."""
    (px, py), (sx, sy) = place.pivot, place.shift
    rx, ry = grouped.band.points - np.array([[px + sx], [py + sy]], np.float32)
    c, s = (np.float32(f(place.angle) / place.scale) for f in (np.cos, np.sin))
    share, right, down, bend = scene.plan.looked_up(c * rx + s * ry + np.float32(px), c * ry - s * rx + np.float32(py))
    x, y = c * right - s * down, s * right + c * down
    columns = np.empty((11, len(share)), np.float32)
    columns[:3], columns[_SHARE], columns[_SEEN] = grouped.level, share, grouped.values
    columns[5], columns[6], columns[7], columns[8] = -x, -y, x * ry - y * rx, -x * rx - y * ry
    columns[9], columns[10] = np.sqrt(x * x + y * y), bend
    return columns


def _contrasts(solved: Solved, spread: float) -> Cells:
    """Of each cell; little where it hardly tells, none where it is of the other sign than most."""
    contrasts = solved.shares[:, 3, 0]
    told = contrasts**2 * np.maximum(solved.energy, 0) / spread**2  # squared signal over noise
    # A part is the darker or the lighter one.
    return np.asarray(np.where(contrasts * solved.along.sum() > 0, contrasts * told / (told + 1), 0.0))
