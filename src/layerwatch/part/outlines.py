"""Rings of many layers in mm -> the same on a grid of whole numbers, where every test of sides and crossings is exact.

The grid is the longest side of all rings divided by 2^29, 1 nm on half a metre: products of differences fit in 64 bits.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float64, Int, Int64

_CELLS = 2.0**29  # so that twice a coordinate is below 2^30, and a difference of products of differences below 2^63


@dataclass(frozen=True, eq=False)
class Outlines:
    """Closed rings on the grid, each with its first point repeated at its end; consecutive points differ."""

    points: Int64[np.ndarray, "q 2"]
    begins: Int64[np.ndarray, " r"]  # first point of each ring
    ends: Int64[np.ndarray, " r"]  # its repetition at the ring's end
    layer: Int64[np.ndarray, " r"]  # of each ring
    name: Int64[np.ndarray, " r"]  # the ring's number in what was given
    origin: Float64[np.ndarray, " 2"]  # mm
    cell: float  # mm

    @classmethod
    def of(
        cls, points: Float64[np.ndarray, "p 2"], starts: Int[np.ndarray, " r"], layer: Int[np.ndarray, " r"]
    ) -> Outlines:
        """Snap rings to the grid; those that are level or of fewer than three points there are left out."""
        low, high = (np.array([reduce(points[:, i]) for i in (0, 1)]) for reduce in (np.min, np.max))
        cell = max(float((high - low).max()) / _CELLS, 1e-300)
        snapped = np.rint((points - low) / cell).astype(np.int64)
        ring = np.repeat(np.arange(len(starts)), np.diff(np.append(starts, len(points))))
        differs = np.ones(len(points), bool)
        differs[1:] = (snapped[1:] != snapped[:-1]).any(1) | (ring[1:] != ring[:-1])
        last = np.append(starts[1:], len(points)) - 1
        differs[starts] = (snapped[starts] != snapped[last]).any(1)
        counts = np.bincount(ring[differs], minlength=len(starts))
        y = snapped[:, 1]
        solid = (counts >= 3) & (np.maximum.reduceat(y, starts) > np.minimum.reduceat(y, starts))
        keep = differs & solid[ring]
        return cls._closed(snapped[keep], counts[solid], layer[solid], np.flatnonzero(solid), low, cell)

    @classmethod
    def _closed(
        cls,
        points: Int64[np.ndarray, "p 2"],
        counts: Int64[np.ndarray, " r"],
        layer: Int[np.ndarray, " r"],
        name: Int64[np.ndarray, " r"],
        origin: Float64[np.ndarray, " 2"],
        cell: float,
    ) -> Outlines:
        stops = np.cumsum(counts)
        starts = stops - counts
        begins = starts + np.arange(len(counts))
        source = np.arange(len(points) + len(counts)) - np.repeat(np.arange(len(counts)), counts + 1)
        source[begins + counts] = starts
        return cls(points[source], begins, begins + counts, layer.astype(np.int64), name, origin, cell)

    def with_rings(
        self, points: Int64[np.ndarray, "p 2"], counts: Int64[np.ndarray, " r"], layer: Int64[np.ndarray, " r"]
    ) -> Outlines:
        """Other rings on the same grid."""
        return self._closed(points, counts, layer, np.arange(len(counts)), self.origin, self.cell)

    def of_layers(self, wanted: Bool[np.ndarray, " k"]) -> Outlines:
        """Only the rings of these layers."""
        keep = wanted[self.layer]
        points = self.points[np.repeat(keep, self.ends - self.begins + 1)]
        sizes = (self.ends - self.begins + 1)[keep]
        begins = np.cumsum(sizes) - sizes
        return Outlines(points, begins, begins + sizes - 1, self.layer[keep], self.name[keep], self.origin, self.cell)

    @cached_property
    def edges(self) -> Int64[np.ndarray, " e"]:
        """The first point of each edge; the next point is its other end."""
        is_edge = np.ones(len(self.points), bool)
        is_edge[self.ends] = False
        return np.flatnonzero(is_edge)

    @cached_property
    def ring(self) -> Int64[np.ndarray, " q"]:
        """The ring of each point."""
        return np.repeat(np.arange(len(self.begins)), self.ends - self.begins + 1)

    @cached_property
    def areas(self) -> Float64[np.ndarray, " r"]:
        """Signed area of each ring in mm2, counter-clockwise positive, as it is on the grid."""
        base = self.points[self.begins][self.ring]
        x, y = (self.points - base).T.astype(np.float64)
        twice = np.zeros(len(x))
        twice[:-1] = x[:-1] * y[1:] - x[1:] * y[:-1]
        return np.asarray(np.add.reduceat(twice, self.begins) * (self.cell**2 / 2))

    def in_mm(self, ring: int | np.integer) -> Float64[np.ndarray, "_ 2"]:
        """The points of a ring in mm, the first not repeated."""
        return np.asarray(self.points[self.begins[ring] : self.ends[ring]] * self.cell + self.origin)


def side(
    a: Int64[np.ndarray, "n 2"], b: Int64[np.ndarray, "n 2"], p: Int64[np.ndarray, "n 2"]
) -> Int64[np.ndarray, " n"]:
    """Above 0 where p lies left of the way from a to b, 0 on it."""
    u, v = b - a, p - a
    return np.asarray(u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0])
