"""The corners of a mesh -> which triangles share which edges, what is open or shared by too many, and the bodies.

Half-edge ``3 t + i`` runs from corner i of triangle t to its next corner. In a sound mesh each edge has two, one each
way.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float64, Int, Int32
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from layerwatch.part.numbering import grouped

Triangles = Float64[np.ndarray, "n 3 3"]


def number_corners(triangles: Triangles) -> Int32[np.ndarray, "n 3"]:
    """One number for each distinct corner; equal corners get the same."""
    columns = [triangles.reshape(-1, 3)[:, i] + 0.0 for i in range(3)]  # -0.0 becomes 0.0: equal to the bit
    return grouped([column.view(np.uint64) for column in columns]).numbers.reshape(-1, 3)


@dataclass(frozen=True, eq=False)
class Topology:
    """How triangles hang together."""

    corners: Int32[np.ndarray, "n 3"]  # number of each corner
    mate: Int32[np.ndarray, "n 3"]  # for each half-edge the one across the edge, whichever way it runs; -1: none
    open_edges: int  # edges of one triangle
    crowded_edges: int  # edges of three triangles or more
    opposed_edges: int  # edges whose two triangles run the same way: their windings disagree
    regular: Bool[np.ndarray, "n 3"]  # half-edges of edges with exactly two triangles

    @classmethod
    def of(cls, corners: Int32[np.ndarray, "n 3"], *, directed: bool = True) -> Topology:
        """Pair up half-edges.

        Args:
            corners: number of each corner.
            directed: where more than two half-edges meet, pair those that run opposite ways, in file order; else as
                they come.
        """
        ahead = np.ascontiguousarray(corners[:, [1, 2, 0]]).ravel()
        start = corners.ravel()
        lesser, greater = np.minimum(start, ahead), np.maximum(start, ahead)
        edges = grouped([(lesser.astype(np.int64) << 32) | greater])
        order, begins = edges.order, edges.starts
        sizes = np.diff(np.append(begins, len(order)))
        forward = start == lesser

        mate = np.full(len(start), -1, np.int32)
        regular = np.zeros(len(start), bool)
        pairs = begins[sizes == 2]
        a, b = order[pairs], order[pairs + 1]
        mate[a], mate[b] = b, a
        regular[a] = regular[b] = True
        if (sizes > 2).any():
            way = forward if directed else _by_turns(order, begins, sizes)
            _pair_crowd(mate, order, begins[sizes > 2], sizes[sizes > 2], way)
        return cls(
            corners,
            mate.reshape(-1, 3),
            int(np.count_nonzero(sizes == 1)),
            int(np.count_nonzero(sizes > 2)),
            int(np.count_nonzero(forward[a] == forward[b])),
            regular.reshape(-1, 3),
        )

    @property
    def is_sound(self) -> bool:
        """Every edge has two triangles, which run opposite ways along it."""
        return not (self.open_edges or self.crowded_edges or self.opposed_edges)

    @cached_property
    def opposed(self) -> Bool[np.ndarray, "n 3"]:
        """Half-edges whose mate runs the same way."""
        start = self.corners.ravel()
        opposed = (self.mate >= 0).ravel()
        opposed &= start[self.mate.ravel()] == start
        return opposed.reshape(-1, 3)

    @cached_property
    def bodies(self) -> tuple[int, Int32[np.ndarray, " n"]]:
        """How many pieces hang together through edges of two triangles, and the piece of each triangle."""
        return joined(np.where(self.regular, self.mate // 3, np.arange(len(self.mate))[:, None]))

    @cached_property
    def sheets(self) -> Bool[np.ndarray, " b"]:
        """Bodies that are loose sheets: with more open edges than triangles they enclose nothing."""
        count, body = self.bodies
        open_edges = np.bincount(body, (self.mate < 0).sum(1), count)
        return np.asarray(open_edges > np.bincount(body, minlength=count))


def joined(neighbours: Int[np.ndarray, "n d"]) -> tuple[int, Int32[np.ndarray, " n"]]:
    """Connected pieces of a graph whose every node names d neighbours, itself for none."""
    n, degree = neighbours.shape
    indices = np.ascontiguousarray(neighbours, np.int32).ravel()
    rows = np.arange(0, len(indices) + 1, degree, dtype=np.int32)
    graph = csr_array((np.ones(len(indices), np.float64), indices, rows), shape=(n, n))
    count, label = connected_components(graph, directed=False) if n else (0, np.empty(0))
    return int(count), label.astype(np.int32)


def _by_turns(
    order: Int[np.ndarray, " h"], begins: Int[np.ndarray, " g"], sizes: Int[np.ndarray, " g"]
) -> Bool[np.ndarray, " h"]:
    """Every second half-edge of each edge."""
    turns = np.empty(len(order), bool)
    turns[order] = (np.arange(len(order)) - np.repeat(begins, sizes)) % 2 == 0
    return turns


def _pair_crowd(
    mate: Int32[np.ndarray, " h"],
    order: Int[np.ndarray, " h"],
    begins: Int[np.ndarray, " g"],
    sizes: Int[np.ndarray, " g"],
    forward: Bool[np.ndarray, " h"],
) -> None:
    """On edges of three triangles or more the i-th half-edge one way meets the i-th the other way."""
    group = np.repeat(np.arange(len(begins)), sizes)
    members = order[np.repeat(begins, sizes) + np.arange(len(group)) - np.repeat(np.cumsum(sizes) - sizes, sizes)]
    one_way = forward[members]
    ranks = []
    for way in (True, False):
        mine = group[one_way == way]
        ranks.append(mine * (sizes.max() + 1) + np.arange(len(mine)) - np.searchsorted(mine, mine))
    _, i, j = np.intersect1d(ranks[0], ranks[1], assume_unique=True, return_indices=True)
    a, b = members[one_way][i], members[~one_way][j]
    mate[a], mate[b] = b, a
