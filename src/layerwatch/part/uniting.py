"""Rings that cross or touch -> the outlines of what they cover, exactly on the grid.

Edges are split where they meet until none do except at their ends; equal edges are added up; the winding number on both
sides of each is counted along a ray; what separates inside from outside is linked to rings again.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int64

from layerwatch.part.chains import chained
from layerwatch.part.monotone import blocks
from layerwatch.part.numbering import grouped
from layerwatch.part.outlines import Outlines, side
from layerwatch.part.segments import runs

_SHIFT = 2**31
_MOST_ROUNDS = 40  # of splitting; rounding to the grid makes new meetings, fewer each time
_NEAR = 2  # cells: a crossing so near an end is put there, or rounding would make ever new ones beside it
_COARSEN = (10, 8)  # after so many rounds without an end the grid is made so many times coarser
_MOST_PAIRS = 1 << 21

Points = Int64[np.ndarray, "m 2"]


@dataclass(frozen=True, eq=False)
class Edges:
    """Straight pieces on the grid."""

    layer: Int64[np.ndarray, " m"]
    a: Points
    b: Points
    weight: Int64[np.ndarray, " m"]  # how often it is passed from a to b, less how often from b to a


def united(outlines: Outlines, rule: str) -> Outlines:
    """Outlines of the nonzero (or even-odd) inside of all rings of each layer, solid on the left."""
    e = outlines.edges
    edges = Edges(
        outlines.layer[outlines.ring[e]], outlines.points[e], outlines.points[e + 1], np.ones(len(e), np.int64)
    )
    edges = _arranged(edges)
    border = _border(edges, rule)
    points, counts, layer = _rings(border)
    return outlines.with_rings(points, counts, layer)


def _arranged(edges: Edges) -> Edges:
    """Edges that have nothing in common but ends."""
    edges = _added_up(edges)
    for turn in range(1, _MOST_ROUNDS):
        which, cuts = _meetings(edges)
        if not len(which):
            break
        if turn % _COARSEN[0] == 0:
            cell = _COARSEN[1] ** (turn // _COARSEN[0])
            a, b = ((p + cell // 2) // cell * cell for p in (edges.a, edges.b))
            edges = _added_up(Edges(edges.layer, a, b, edges.weight))
            continue
        edges = _added_up(_split(edges, which, cuts))
    return edges


def _added_up(edges: Edges) -> Edges:
    """Equal pieces are one, each from its lesser to its greater end; those of weight 0 go."""
    turned = (edges.a[:, 0] > edges.b[:, 0]) | ((edges.a[:, 0] == edges.b[:, 0]) & (edges.a[:, 1] > edges.b[:, 1]))
    a, b = np.where(turned[:, None], edges.b, edges.a), np.where(turned[:, None], edges.a, edges.b)
    groups = grouped([edges.layer << 31 | a[:, 0], a[:, 1] << 31 | b[:, 0], np.ascontiguousarray(b[:, 1])])
    signed = np.where(turned, -edges.weight, edges.weight)
    weight = np.bincount(groups.numbers, signed, groups.count).astype(np.int64)
    one = groups.order[groups.begins]
    keep = (weight != 0) & (a[one] != b[one]).any(1)
    one = one[keep]
    by_place = np.lexsort((a[one, 1], a[one, 0], edges.layer[one]))
    one = one[by_place]
    return Edges(edges.layer[one], a[one], b[one], weight[keep][by_place])


def _meetings(edges: Edges) -> tuple[Int64[np.ndarray, " s"], Points]:
    """Edges that must be split, and where. Edges are sorted by layer and lesser x."""
    low, high = edges.layer * _SHIFT + edges.a[:, 0], edges.layer * _SHIFT + edges.b[:, 0]
    following = np.arange(1, len(low) + 1)
    later = np.maximum(np.searchsorted(low, high, side="right"), following)
    y0, y1 = np.minimum(edges.a[:, 1], edges.b[:, 1]), np.maximum(edges.a[:, 1], edges.b[:, 1])
    which, cuts = [np.empty(0, np.int64)], [np.empty((0, 2), np.int64)]
    for block in blocks(later - following, _MOST_PAIRS):
        i, j = runs(following[block], later[block])
        i += block.start
        near = (y0[i] <= y1[j]) & (y0[j] <= y1[i])
        for edge, point in _cuts(edges, i[near], j[near]):
            which.append(edge)
            cuts.append(point)
    return np.concatenate(which), np.concatenate(cuts)


def _cuts(
    edges: Edges, i: Int64[np.ndarray, " p"], j: Int64[np.ndarray, " p"]
) -> list[tuple[Int64[np.ndarray, " s"], Points]]:
    """Where the edges of each pair cut one another: at an end that lies on the other, or where they cross."""
    a, b, c, d = edges.a[i], edges.b[i], edges.a[j], edges.b[j]
    found = []
    at_c, at_d, at_a, at_b = side(a, b, c), side(a, b, d), side(c, d, a), side(c, d, b)
    for edge, begin, end, point, where in (
        (i, a, b, c, at_c),
        (i, a, b, d, at_d),
        (j, c, d, a, at_a),
        (j, c, d, b, at_b),
    ):
        on = np.flatnonzero((where == 0) & _between(begin, end, point))
        found.append((edge[on], point[on]))
    cross = np.flatnonzero((np.sign(at_c) * np.sign(at_d) < 0) & (np.sign(at_a) * np.sign(at_b) < 0))
    p, q = at_a[cross].astype(np.float64), at_b[cross].astype(np.float64)
    share = (p / (p - q))[:, None]
    point = np.rint(a[cross] + share * (b[cross] - a[cross])).astype(np.int64)
    for corner in (a[cross], b[cross], c[cross], d[cross]):
        near = (np.abs(point - corner) <= _NEAR).all(1)
        point[near] = corner[near]
    for edge, begin, end in ((i, a, b), (j, c, d)):
        inner = (point != begin[cross]).any(1) & (point != end[cross]).any(1)
        found.append((edge[cross][inner], point[inner]))
    return found


def _between(a: Points, b: Points, p: Points) -> Bool[np.ndarray, " m"]:
    """Whether p, on the line through a and b, lies between them and is neither."""
    inside = (np.minimum(a, b) <= p).all(1) & (p <= np.maximum(a, b)).all(1)
    return np.asarray(inside & (p != a).any(1) & (p != b).any(1))


def _split(edges: Edges, which: Int64[np.ndarray, " s"], cuts: Points) -> Edges:
    """Each edge as the pieces between its cuts, in their order along it."""
    m = len(edges.a)
    edge = np.concatenate([np.arange(m), which])
    point = np.concatenate([edges.a, cuts])
    way = (edges.b - edges.a)[edge].astype(np.float64)
    along = ((point - edges.a[edge]) * way).sum(1)
    order = np.lexsort((along, edge))
    edge, point = edge[order], point[order]
    end = np.empty_like(point)
    end[:-1] = point[1:]
    last = np.append(edge[1:] != edge[:-1], True)
    end[last] = edges.b[edge[last]]
    return Edges(edges.layer[edge], point, end, edges.weight[edge])


def _border(edges: Edges, rule: str) -> Edges:
    """The edges with inside on one side and outside on the other, so directed that the inside is on their left.

    A ray from each edge's middle towards lower x counts the winding there; for level edges it runs just above them.
    """
    middle = edges.a + edges.b
    height = edges.layer * _SHIFT + middle[:, 1]
    order = np.argsort(height, kind="stable")
    heights = height[order]
    up = edges.b[:, 1] >= edges.a[:, 1]
    base = edges.layer * _SHIFT
    y0, y1 = np.minimum(edges.a[:, 1], edges.b[:, 1]), np.maximum(edges.a[:, 1], edges.b[:, 1])
    begin, end = np.searchsorted(heights, base + 2 * y0), np.searchsorted(heights, base + 2 * y1)
    winding = np.zeros(len(middle), np.int64)
    for block in blocks(end - begin, _MOST_PAIRS):
        edge, place = runs(begin[block], end[block])
        edge += block.start
        ray = order[place]
        reached = 2 * edges.a[edge, 0] <= middle[ray, 0]
        edge, ray = edge[reached], ray[reached]
        turn = side(2 * edges.a[edge], 2 * edges.b[edge], middle[ray])
        passed = np.where(up[edge], turn < 0, turn > 0)
        step = np.where(up[edge], -edges.weight[edge], edges.weight[edge])
        winding += np.bincount(ray[passed], step[passed], len(middle)).astype(np.int64)

    # The ray's side is the left of an edge that rises or runs level, the right of one that falls.
    left = np.where(up, winding, winding + edges.weight)
    right = left - edges.weight
    inside, other = (left % 2 == 1, right % 2 == 1) if rule == "even-odd" else (left != 0, right != 0)
    keep, turn = inside != other, other
    a, b = np.where(turn[:, None], edges.b, edges.a)[keep], np.where(turn[:, None], edges.a, edges.b)[keep]
    return Edges(edges.layer[keep], a, b, np.ones(len(a), np.int64))


def _rings(border: Edges) -> tuple[Points, Int64[np.ndarray, " r"], Int64[np.ndarray, " r"]]:
    """Points of all rings, their numbers of points and their layers.

    Where several rings meet in a point, an edge that comes in is followed by the one that bounds the same piece of
    inside: the next one clockwise.
    """
    m = len(border.a)
    point = np.concatenate([border.a, border.b])
    away = np.concatenate([border.b - border.a, border.a - border.b])
    layer = np.concatenate([border.layer, border.layer])
    node = grouped([layer << 31 | point[:, 0], np.ascontiguousarray(point[:, 1])]).numbers.astype(np.int64)
    order = np.lexsort((np.arctan2(away[:, 1], away[:, 0]), node))
    leaves = order < m
    node = node[order]
    first = np.flatnonzero(np.append(True, node[1:] != node[:-1])) if m else np.empty(0, np.int64)
    out, into = order[leaves], order[~leaves] - m
    leaving, coming = (np.bincount(node[which], minlength=len(first)) for which in (leaves, ~leaves))
    begin = np.repeat(np.cumsum(leaving) - leaving, coming)
    rank = np.arange(m) - np.repeat(np.cumsum(coming) - coming, coming)
    shift = np.repeat(np.where(leaves[first], 0, leaving - 1), coming)
    paired = np.flatnonzero(rank < np.repeat(leaving, coming))
    following = np.full(m, -1)
    following[into[paired]] = out[(begin + (rank + shift) % np.maximum(np.repeat(leaving, coming), 1))[paired]]
    chain, starts = chained(following)
    begins = np.empty(2 * m, np.int64)
    begins[order] = node
    chain, counts = _parted(chain, np.diff(np.append(starts, len(chain))), begins[chain])
    return border.a[chain], counts, border.layer[chain[np.cumsum(counts) - counts]]


def _parted(
    chain: Int64[np.ndarray, " m"], counts: Int64[np.ndarray, " r"], node: Int64[np.ndarray, " m"]
) -> tuple[Int64[np.ndarray, " m"], Int64[np.ndarray, " s"]]:
    """Part rings that pass a point twice there, so that a hole which touches its outline is a ring of its own."""
    ring = np.repeat(np.arange(len(counts)), counts)
    passes = grouped([ring, node])
    twice = np.zeros(len(counts), bool)
    twice[ring[passes.order[~passes.begins]]] = True
    pieces: list[Int64[np.ndarray, " _"]] = []
    stops = np.cumsum(counts)
    for r in range(len(counts)):
        places = np.arange(stops[r] - counts[r], stops[r])
        pieces += _loops(places, node) if twice[r] else [places]
    sizes = np.array([len(piece) for piece in pieces], np.int64)
    return (chain[np.concatenate(pieces)] if pieces else chain), sizes


def _loops(places: Int64[np.ndarray, " p"], node: Int64[np.ndarray, " m"]) -> list[Int64[np.ndarray, " _"]]:
    """One ring as loops that pass no point twice: whenever a point comes again, what lies between is a loop."""
    loops: list[Int64[np.ndarray, " _"]] = []
    path: list[int] = []
    at: dict[int, int] = {}  # where in the path each point stands
    for place in places.tolist():
        if (point := int(node[place])) in at:
            begin = at[point]
            loops.append(np.array(path[begin:]))
            for earlier in path[begin:]:
                del at[int(node[earlier])]
            del path[begin:]
        at[point] = len(path)
        path.append(place)
    return [*loops, np.array(path)]
