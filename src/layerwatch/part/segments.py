"""A mesh and evenly spaced planes -> directed segments, the solid on their left, and which follows which.

A corner on a plane counts as above it, so no plane touches a corner: of the three half-edges of a triangle that a plane
meets, exactly one leads down through it, where its segment starts, and one leads up, where it ends.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int, Int32

from layerwatch.part.mesh import Mesh

_FEW_SEGMENTS = 1 << 17  # cut at once, so that they stay in the processor's cache; more if there are many triangles
_MOST_PLANES = 512

# The half-edges that lead down and up, by which corners lie above: 1 for the first, 2 for the second, 4 for the third.
_DOWN = np.array([-1, 0, 1, 1, 2, 0, 2, -1], np.int32)
_UP = np.array([-1, 2, 0, 2, 1, 1, 0, -1], np.int32)


@dataclass(frozen=True, eq=False)
class Segments:
    """Pieces of outline, each in one triangle and one plane."""

    plane: Int[np.ndarray, " m"]  # counted from the first plane of the chunk
    start: Float64[np.ndarray, "m 2"]  # mm
    end: Float64[np.ndarray, "e 2"]  # mm; empty where all close, so that each ends where the following one starts
    following: Int[np.ndarray, " m"]  # the segment that starts where this one ends; -1: none


def runs(
    begin: Int[np.ndarray, " n"], end: Int[np.ndarray, " n"]
) -> tuple[Int[np.ndarray, " s"], Int[np.ndarray, " s"]]:
    """All whole numbers from begin to before end of each row, and the row of each."""
    count = end - begin
    row = np.repeat(np.arange(len(count)), count)
    return row, np.arange(len(row)) - np.repeat(np.cumsum(count) - count - begin, count)


def ahead(half_edge: Int[np.ndarray, " m"]) -> Int[np.ndarray, " m"]:
    """The next half-edge of the same triangle."""
    return np.asarray(half_edge + np.where(half_edge % 3 == 2, -2, 1).astype(half_edge.dtype))


def _planes_below(z: Float64[np.ndarray, " n"], height: float, first: int, count: int) -> Int32[np.ndarray, " n"]:
    """How many of the planes lie at or below z."""
    below = np.floor(np.clip(z / height + 0.5, first - 2, first + count + 2))
    below -= (below - 0.5) * height > z  # rounding may be one off
    below += (below + 0.5) * height <= z
    return np.asarray(np.clip(below - first, 0, count).astype(np.int32))


@dataclass(frozen=True, eq=False)
class Cutter:
    """A mesh made ready for cutting with planes at ``(first + i + 0.5) * height``, i below count."""

    mesh: Mesh
    height: float  # mm
    first: int
    count: int
    begin: Int32[np.ndarray, " n"]  # for each triangle the first plane above its lowest corner, counted from ``first``
    end: Int32[np.ndarray, " n"]  # and the first above its highest
    place: Int[np.ndarray, " n"]  # room for the place of each triangle's run of segments, used anew in each chunk

    @classmethod
    def of(cls, mesh: Mesh, height: float, first: int, count: int) -> Cutter:
        """Find the run of planes that each triangle meets: z_min < plane <= z_max."""
        a, b, c = (mesh.triangles[:, i, 2] for i in range(3))
        begin = _planes_below(np.minimum(np.minimum(a, b), c), height, first, count)
        end = _planes_below(np.maximum(np.maximum(a, b), c), height, first, count)
        return cls(mesh, height, first, count, begin, end, np.zeros(len(a), np.int64))

    def chunks(self) -> Iterator[range]:
        """Runs of planes that meet so many triangles that memory is bounded."""
        meets = np.bincount(self.begin, minlength=self.count + 1) - np.bincount(self.end, minlength=self.count + 1)
        before = np.concatenate([[0], np.cumsum(np.cumsum(meets)[: self.count])])
        most = max(_FEW_SEGMENTS, len(self.begin) // 4)
        start = 0
        while start < self.count:
            stop = int(np.searchsorted(before, before[start] + most, side="right")) - 1
            stop = min(max(stop, start + 1), start + _MOST_PLANES, self.count)
            yield range(start, stop)
            start = stop

    def cut(self, planes: range, *, ends: bool = False) -> Segments:
        """Cut every triangle with every plane of the run that it meets.

        Args:
            planes: counted from ``first``.
            ends: give the segments' ends even where they follow from the next one's start.
        """
        hit = np.flatnonzero((self.begin < planes.stop) & (self.end > planes.start) & (self.begin < self.end))
        begin, end = np.maximum(self.begin[hit], planes.start), np.minimum(self.end[hit], planes.stop)
        count = end - begin
        self.place[hit] = np.cumsum(count) - count - begin
        triangle = np.repeat(hit, count)
        plane = np.arange(len(triangle)) - np.repeat(self.place[hit], count)
        z = (self.first + plane + 0.5) * self.height

        a, b, c = (np.repeat(self.mesh.triangles[:, i, 2][hit], count) for i in range(3))
        above = (a >= z) + 2 * (b >= z).astype(np.int8) + 4 * (c >= z).astype(np.int8)
        down, up = 3 * triangle + _DOWN[above], 3 * triangle + _UP[above]
        start = self._points(down, ahead(down), z)
        if self.mesh.rule == "even-odd":
            return self._both_ways(plane, planes, start, self._points(ahead(up), up, z), down, up)
        mate = self.mesh.topology.mate.ravel().take(up)
        following = self.place.take(mate // 3) + plane
        whole = self.mesh.topology.is_sound
        if not whole:
            following[mate < 0] = -1
            linked = np.flatnonzero(mate >= 0)
            following[linked[down[following[linked]] != mate[linked]]] = -1  # windings disagree there
        if whole and ends:
            end = start.take(following, 0)
        else:
            end = np.empty((0, 2)) if whole else self._points(ahead(up), up, z)
        return Segments(plane - planes.start, start, end, following)

    def _points(
        self, upper: Int[np.ndarray, " m"], lower: Int[np.ndarray, " m"], z: Float64[np.ndarray, " m"]
    ) -> Float64[np.ndarray, "m 2"]:
        """Where edges between corners above and below meet the planes; from both triangles the same to the bit."""
        corners = self.mesh.triangles.reshape(-1, 3)
        top, bottom = corners.take(upper, 0), corners.take(lower, 0)
        share = (z - bottom[:, 2]) / (top[:, 2] - bottom[:, 2])
        return np.asarray(bottom[:, :2] + share[:, None] * (top[:, :2] - bottom[:, :2]))

    def _both_ways(
        self,
        plane: Int[np.ndarray, " m"],
        planes: range,
        start: Float64[np.ndarray, "m 2"],
        end: Float64[np.ndarray, "m 2"],
        down: Int[np.ndarray, " m"],
        up: Int[np.ndarray, " m"],
    ) -> Segments:
        """Each segment as it is and, m places further, turned: for meshes whose winding says nothing."""
        m, following = len(plane), []
        for leaving in (up, down):
            mate = self.mesh.topology.mate.ravel().take(leaving)
            across = np.where(mate < 0, 0, self.place.take(mate // 3) + plane)
            turned = down[across] != mate
            following.append(np.where(mate < 0, -1, across + m * turned))
        both = np.concatenate([plane, plane]) - planes.start
        return Segments(both, np.concatenate([start, end]), np.concatenate([end, start]), np.concatenate(following))
