"""Rings on the grid -> runs that keep to one quarter of directions, and with them crossings and stabbing rays.

A run's bounding box, and that of any part of it, is given by its two ends, so a box tree comes for free: two runs are
halved until their boxes part or single edges are left. A run meets a level line once, found by binary search.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int64

from layerwatch.part.outlines import Outlines, side
from layerwatch.part.segments import runs

_SHIFT = 2**31  # above twice any coordinate
_MOST_PAIRS = 1 << 21  # looked at together: bounds the memory


@dataclass(frozen=True, eq=False)
class Runs:
    """Pieces of rings along which neither x nor y turns back."""

    outlines: Outlines
    first: Int64[np.ndarray, " c"]  # first point
    last: Int64[np.ndarray, " c"]  # last point

    @classmethod
    def of(cls, outlines: Outlines) -> Runs:
        """Cut rings where their direction leaves its quarter."""
        step = np.diff(outlines.points, axis=0)
        quarter = (step[:, 0] < 0) + 2 * (step[:, 1] < 0).astype(np.int8)
        edges = outlines.edges
        fresh = np.ones(len(edges), bool)
        fresh[1:] = (quarter[edges[1:]] != quarter[edges[:-1]]) | (edges[1:] != edges[:-1] + 1)
        stops = fresh.copy()
        stops[:-1], stops[-1:] = fresh[1:], True
        return cls(outlines, edges[fresh], edges[stops] + 1)

    @property
    def ring(self) -> Int64[np.ndarray, " c"]:
        """The ring of each run."""
        return np.asarray(self.outlines.ring[self.first])

    @property
    def layer(self) -> Int64[np.ndarray, " c"]:
        """The layer of each run."""
        return np.asarray(self.outlines.layer[self.ring])


def crossed_layers(runs_: Runs, layers: int) -> Bool[np.ndarray, " k"]:
    """In which layers two edges meet that are not neighbours on their ring."""
    crossed = np.zeros(layers, bool)
    i, j = _near(runs_)
    points, ring, layer = runs_.outlines.points, runs_.outlines.ring, runs_.outlines.layer
    a, b, c, d = runs_.first[i], runs_.last[i], runs_.first[j], runs_.last[j]
    while len(a):
        single = (b - a == 1) & (d - c == 1)
        if single.any():
            meeting = _meet(runs_.outlines, a[single], c[single])
            crossed[layer[ring[a[single][meeting]]]] = True
        open_ = np.flatnonzero(~single & ~crossed[layer[ring[a]]])
        a, b, c, d = a[open_], b[open_], c[open_], d[open_]
        swap = (b - a) < (d - c)
        a, b, c, d = np.where(swap, c, a), np.where(swap, d, b), np.where(swap, a, c), np.where(swap, b, d)
        middle = (a + b) // 2
        a, b = np.concatenate([a, middle]), np.concatenate([middle, b])
        c, d = np.concatenate([c, c]), np.concatenate([d, d])
        near = _boxes_meet(points, a, b, c, d)
        a, b, c, d = a[near], b[near], c[near], d[near]
    return crossed


def _near(runs_: Runs) -> tuple[Int64[np.ndarray, " p"], Int64[np.ndarray, " p"]]:
    """Pairs of runs of one layer whose boxes meet, by sorting along x."""
    points = runs_.outlines.points
    x = np.stack([points[runs_.first, 0], points[runs_.last, 0]])
    key = runs_.layer * _SHIFT
    low, high = key + x.min(0), key + x.max(0)
    order = np.argsort(low, kind="stable")
    following = np.arange(1, len(order) + 1)
    later = np.maximum(np.searchsorted(low[order], high[order], side="right"), following)
    pairs = [(following[:0], following[:0])]
    for block in blocks(later - following, _MOST_PAIRS):
        i, j = runs(following[block], later[block])
        i, j = order[i + block.start], order[j]
        near = _boxes_meet(points, runs_.first[i], runs_.last[i], runs_.first[j], runs_.last[j])
        pairs.append((i[near], j[near]))
    return np.concatenate([i for i, _ in pairs]), np.concatenate([j for _, j in pairs])


def blocks(counts: Int64[np.ndarray, " n"], most: int) -> Iterator[slice]:
    """Slices of rows whose counts sum up to no more than ``most``, or of one row."""
    sums = np.cumsum(counts)
    start = 0
    while start < len(sums):
        before = sums[start] - counts[start]
        stop = max(int(np.searchsorted(sums, before + most, side="right")), start + 1)
        yield slice(start, stop)
        start = stop


def _boxes_meet(
    points: Int64[np.ndarray, "q 2"],
    a: Int64[np.ndarray, " p"],
    b: Int64[np.ndarray, " p"],
    c: Int64[np.ndarray, " p"],
    d: Int64[np.ndarray, " p"],
) -> Bool[np.ndarray, " p"]:
    """Whether the box of points a and b meets that of c and d."""
    meet = np.ones(len(a), bool)
    for axis in (1, 0):
        v = points[:, axis]
        va, vb, vc, vd = v[a], v[b], v[c], v[d]
        meet &= (np.minimum(va, vb) <= np.maximum(vc, vd)) & (np.minimum(vc, vd) <= np.maximum(va, vb))
    return meet


def _meet(outlines: Outlines, i: Int64[np.ndarray, " p"], j: Int64[np.ndarray, " p"]) -> Bool[np.ndarray, " p"]:
    """Whether the edges from point i and from point j have a point in common; not asked of neighbours on a ring."""
    points, ring = outlines.points, outlines.ring
    a, b, c, d = points[i], points[i + 1], points[j], points[j + 1]
    first, last = outlines.begins[ring[i]], outlines.ends[ring[i]] - 1
    lesser, greater = np.minimum(i, j), np.maximum(i, j)
    neighbours = (ring[i] == ring[j]) & ((greater - lesser == 1) | ((lesser == first) & (greater == last)))
    cuts = (np.sign(side(a, b, c)) * np.sign(side(a, b, d)) <= 0) & (
        np.sign(side(c, d, a)) * np.sign(side(c, d, b)) <= 0
    )
    return np.asarray(cuts & _boxes_meet(points, i, i + 1, j, j + 1) & ~neighbours)


@dataclass(frozen=True, eq=False)
class Stabs:
    """Where rays that run towards lower x meet edges: ray, ring and which way the edge goes."""

    ray: Int64[np.ndarray, " s"]
    ring: Int64[np.ndarray, " s"]
    rises: Bool[np.ndarray, " s"]


def stab(runs_: Runs, middle: Int64[np.ndarray, "n 2"], layer: Int64[np.ndarray, " n"]) -> Stabs:
    """Follow rays from points given in half cells; an edge that holds the point itself is not met."""
    points = runs_.outlines.points
    order = np.argsort(layer * _SHIFT + middle[:, 1], kind="stable")
    heights = (layer * _SHIFT + middle[:, 1])[order]
    y0, y1 = 2 * points[runs_.first, 1], 2 * points[runs_.last, 1]
    base = runs_.layer * _SHIFT
    run, place = runs(
        np.searchsorted(heights, base + np.minimum(y0, y1)), np.searchsorted(heights, base + np.maximum(y0, y1))
    )
    ray = order[place]
    nearest = 2 * np.minimum(points[runs_.first[run], 0], points[runs_.last[run], 0])
    reached = nearest <= middle[ray, 0]
    run, ray = run[reached], ray[reached]
    rises = points[runs_.last[run], 1] > points[runs_.first[run], 1]

    # The edge of the run that passes the ray's height: from at or below to above it, or the other way round.
    low, high = runs_.first[run].copy(), runs_.last[run].copy()
    while True:
        undecided = high - low > 1
        if not undecided.any():
            break
        half = (low + high) // 2
        before = (2 * points[half, 1] <= middle[ray, 1]) == rises
        low, high = np.where(undecided & before, half, low), np.where(undecided & ~before, half, high)
    turn = side(2 * points[low], 2 * points[high], middle[ray])
    left = np.where(rises, turn < 0, turn > 0)
    return Stabs(ray[left], runs_.ring[run[left]], rises[left])
