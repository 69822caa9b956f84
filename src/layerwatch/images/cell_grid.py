"""A frame and a plan laid on it -> the pixels near the outlines, cell by cell, and sums over each cell. Sizes in px."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int64
from scipy import ndimage

from layerwatch.images.placement import Similarity
from layerwatch.images.soft_plan import Band, Image, Mask, SoftPlan, band_of

Columns = Float32[np.ndarray, "k n"]
Vector = Float32[np.ndarray, " n"]
Products = Float64[np.ndarray, "g k k"]

_CELL = 16.0  # px, side of a cell at the finest softness
_FEWEST = 16  # pixels of a cell that is used
_MOST = 30_000  # pixels that are looked at; cells are left out evenly beyond
_RIDGE = 1e-6  # of a column's squares, where a cell hardly has it


@dataclass(frozen=True, eq=False)
class Scene:
    """One frame, one plan as soft as it, and the pixels that may be looked at."""

    frame: Image
    plan: SoftPlan
    usable: Mask

    @property
    def side(self) -> int:
        """Px, of a cell."""
        return int(max(_CELL, np.ceil(6 * self.plan.sigma)))


@dataclass(frozen=True, eq=False)
class Grouped:
    """The pixels near the outlines in order of the cells that they lie in."""

    band: Band
    reach: int  # px around the outlines
    counts: Int64[np.ndarray, " g"]  # pixels of each cell
    row: Int64[np.ndarray, " g"]  # of each cell
    column: Int64[np.ndarray, " g"]
    level: Columns  # 1, and the place in the cell along x and y
    values: Vector  # of the frame, less their mean

    @classmethod
    def of_scene(cls, scene: Scene, place: Similarity) -> Grouped | None:
        """Group the pixels near the outlines; None where there are none."""
        band, side = band_of(scene.plan, place, scene.usable), scene.side
        if not len(band.rows):
            return None
        left, top = _corner(scene, place)
        key = ((band.rows - top) // side + 2) * 8192 + (band.columns - left) // side + 2
        order = np.argsort(key, kind="stable")
        keys, counts = np.unique(key[order], return_counts=True)
        kept = _kept(keys, counts)
        if not kept.any():
            return None
        order = order[np.repeat(kept, counts)]
        band = Band(band.rows[order], band.columns[order])
        inside = [(at - start) % side for at, start in ((band.columns, left), (band.rows, top))]
        level = np.stack([np.ones(len(order)), *((at + 0.5) / side - 0.5 for at in inside)])
        values = scene.frame[band.rows, band.columns].astype(np.float64)
        return cls(
            band,
            scene.plan.reach,
            counts[kept],
            keys[kept] // 8192,
            keys[kept] % 8192,
            level.astype(np.float32),
            (values - values.mean()).astype(np.float32),
        )

    @cached_property
    def radius(self) -> float:
        """Px, of the outlines around their middle."""
        return float(np.sqrt(self.band.points.var(1, dtype=np.float64).sum()))

    def products(self, columns: Columns, weights: Vector) -> Products:
        """Sums of products of all columns over each cell."""
        weighed, ends = columns * weights, np.cumsum(self.counts).tolist()
        starts = [0, *ends[:-1]]
        sums = [columns[:, a:b] @ weighed[:, a:b].T for a, b in zip(starts, ends, strict=True)]
        return np.array(sums, np.float64)

    def spread_out(self, cells: Float64[np.ndarray, "*g"]) -> Float32[np.ndarray, "*n"]:
        """What each cell holds (first axis), at each of its pixels (last axis)."""
        return np.repeat(np.asarray(cells.T, np.float32), self.counts, -1)


def _kept(keys: Int64[np.ndarray, " g"], counts: Int64[np.ndarray, " g"]) -> Bool[np.ndarray, " g"]:
    """Cells with enough pixels; not all of them where there are very many."""
    every = max(1, -(-int(counts.sum()) // _MOST))
    return np.asarray((counts >= _FEWEST) & ((keys // 8192 + keys % 8192) % every == 0))


def _corner(scene: Scene, place: Similarity) -> tuple[int, int]:
    """Where the cells begin, so that few outlines lie along their borders, where neither side would see a step."""
    side, near = scene.side, scene.plan.outlines
    reach = min(2 * round(max(2.0, 2 * scene.plan.sigma)) + 1, side)
    first = []
    for at in np.floor(place.seen(near.points)).astype(np.int64).T:
        edges = np.bincount(at % side, near.steep, side)
        first.append(int(ndimage.uniform_filter1d(edges, reach, mode="wrap").argmin()))
    return first[0], first[1]


@dataclass(frozen=True, eq=False)
class Solved:
    """Each cell without its level and gradient, and then without its share of the part."""

    energy: Float64[np.ndarray, " g"]  # of the share, less level and gradient
    along: Float64[np.ndarray, " g"]  # share times frame, the same
    left: Float64[np.ndarray, "g m m"]  # products of the frame and what moves, less level, gradient and share
    shares: Float64[np.ndarray, "g 4 m"]  # of level, gradient and share in those
    base: Float64[np.ndarray, "g 3"]  # of level and gradient in the share

    @classmethod
    def of(cls, products: Products) -> Solved:
        """Least squares in every cell; the first four columns are level, gradient and share."""
        own, cross = products[:, :3, :3], products[:, :3, 3:]
        small = 1e-9 * np.maximum(np.trace(own, axis1=1, axis2=2), 1e-12)
        level = np.linalg.solve(own + small[:, None, None] * np.eye(3), cross)
        flat = products[:, 3:, 3:] - np.swapaxes(cross, 1, 2) @ level
        energy, along = flat[:, 0, 0], flat[:, 0, 1:]
        slope = along / (np.maximum(energy, 0) + _RIDGE * products[:, 3, 3] + 1e-12)[:, None]
        left = flat[:, 1:, 1:] - along[:, :, None] * slope[:, None, :]
        shares = np.concatenate([level[:, :, 1:] - level[:, :, :1] * slope[:, None], slope[:, None]], 1)
        return cls(energy, along[:, 0], left, shares, level[:, :, 0])
