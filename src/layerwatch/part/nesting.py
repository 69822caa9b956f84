"""Rings of many layers, solid on their left -> islands with holes and areas, by the nonzero or the even-odd rule.

Rings that cross or touch are united first. Then each ring's surroundings are known from one ray: the winding number
where it starts, and the rings that hold it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float64, Int, Int64

from layerwatch.part.linking import Rings
from layerwatch.part.monotone import Runs, crossed_layers, stab
from layerwatch.part.outlines import Outlines
from layerwatch.part.uniting import united
from layerwatch.records import Island

Ring = Float64[np.ndarray, "_ 2"]
_DUST = 1e-6  # mm2; smaller pieces come from rounding where outlines nearly touch


def ring_area(ring: Ring) -> float:
    """Signed area in mm2, positive when counter-clockwise."""
    return float(_areas(ring, np.zeros(1, np.int64))[0])


def islands_of(rings: Sequence[Ring], rule: str = "nonzero") -> tuple[tuple[Island, ...], float]:
    """Islands of one layer and their area in mm2; see ``nested``."""
    rings = [ring for ring in rings if len(ring) > 2]
    if not rings:
        return (), 0.0
    lengths = np.array([len(ring) for ring in rings])
    layer = np.zeros(len(rings), np.int64)
    return nested(Rings(np.concatenate(rings), np.cumsum(lengths) - lengths, layer), 1, rule)[0]


def nested(rings: Rings, layers: int, rule: str = "nonzero") -> list[tuple[tuple[Island, ...], float]]:
    """For each layer its islands and their area in mm2.

    A ring counts where the winding number changes between 0 and not 0 (``even-odd``: between even and odd), so bodies
    inside one another are one, and so are bodies that partly overlap. Rings that cross or touch none come back with
    their points unchanged; layers in which some do are united on a grid of about 1 nm, and specks below 1e-6 mm2 go.
    """
    found: list[list[Island]] = [[] for _ in range(layers)]
    area = np.zeros(layers)
    if len(rings.starts):
        areas = _areas(rings.points, rings.starts)
        outlines = Outlines.of(rings.points, rings.starts, rings.plane)
        runs = Runs.of(outlines)
        crossed = crossed_layers(runs, layers)
        stops = np.append(rings.starts[1:], len(rings.points))
        plain = outlines.of_layers(~crossed) if crossed.any() else outlines
        for outer, holes in _families(plain, areas[plain.name], rule):
            pieces = [
                _turned(rings.points[rings.starts[n] : stops[n]], areas[n], sign)
                for n, sign in [(plain.name[outer], 1), *((plain.name[h], -1) for h in holes)]
            ]
            found[plain.layer[outer]].append(Island(pieces[0], tuple(pieces[1:])))
            area[plain.layer[outer]] += abs(areas[plain.name[outer]]) - np.abs(areas[plain.name[holes]]).sum()
        if crossed.any():
            whole = united(outlines.of_layers(crossed), rule)
            for outer, inner in _families(whole, whole.areas, "nonzero"):
                if whole.areas[outer] < _DUST:
                    continue
                holes = inner[whole.areas[inner] < -_DUST]
                found[whole.layer[outer]].append(Island(whole.in_mm(outer), tuple(whole.in_mm(h) for h in holes)))
                area[whole.layer[outer]] += whole.areas[outer] + whole.areas[holes].sum()
    return [(tuple(islands), float(a)) for islands, a in zip(found, area, strict=True)]


def _areas(points: Float64[np.ndarray, "p 2"], starts: Int[np.ndarray, " r"]) -> Float64[np.ndarray, " r"]:
    """Signed area of each ring in mm2, taken about its first point."""
    lengths = np.diff(np.append(starts, len(points)))
    x, y = (points - np.repeat(points[starts], lengths, 0)).T
    following = np.arange(1, len(points) + 1)
    following[starts + lengths - 1] = starts
    return np.asarray(np.add.reduceat(x * y[following] - x[following] * y, starts) / 2)


def _turned(ring: Ring, area: float, sign: int) -> Ring:
    return ring if area * sign > 0 else np.ascontiguousarray(ring[::-1])


def _families(
    outlines: Outlines, areas: Float64[np.ndarray, " r"], rule: str
) -> list[tuple[int, Int64[np.ndarray, " h"]]]:
    """Outer rings with the holes directly in them, of outlines that do not cross."""
    rings = len(outlines.begins)
    crowd = np.bincount(outlines.layer) if rings else np.empty(0, np.int64)
    alone = crowd[outlines.layer] == 1
    around, holder = np.zeros(rings, np.int64), np.full(rings, -1)
    if not alone.all():
        around, pairs = _surroundings(outlines, areas)
    odd = rule == "even-odd"
    is_outer = around % 2 == 0 if odd else around == 0
    is_hole = ~is_outer if odd else ~is_outer & (around + np.sign(areas).astype(np.int64) == 0)
    if not alone.all():
        holder = _smallest_holder(*pairs, is_outer, is_hole, np.abs(areas))
    outers = np.flatnonzero(is_outer)
    order = np.argsort(holder, kind="stable")
    bounds = np.searchsorted(holder[order], [outers, outers + 1])
    return [(int(o), order[b:e]) for o, b, e in zip(outers, *bounds, strict=True)]


def _surroundings(
    outlines: Outlines, areas: Float64[np.ndarray, " r"]
) -> tuple[Int64[np.ndarray, " r"], tuple[Int64[np.ndarray, " p"], Int64[np.ndarray, " p"]]]:
    """The winding number just outside each ring, and all pairs of a ring and one that holds it.

    The ray starts in the middle of an edge of the ring that is not level.
    """
    edges = outlines.edges
    steep = edges[outlines.points[edges, 1] != outlines.points[edges + 1, 1]]
    _, first = np.unique(outlines.ring[steep], return_index=True)
    edge = steep[first]
    middle = outlines.points[edge] + outlines.points[edge + 1]
    stabs = stab(Runs.of(outlines), middle, outlines.layer)
    rings = len(outlines.begins)
    winding = np.bincount(stabs.ray, np.where(stabs.rises, -1, 1), rings).astype(np.int64)
    # The ray's side is the outside if the edge has it on the left of a clockwise or the right of a counter-clockwise
    # ring; else one step across the edge is.
    rises = outlines.points[edge + 1, 1] > outlines.points[edge, 1]
    across = winding + np.where(rises, -1, 1)
    around = np.where(rises == (areas < 0), winding, across)

    key = stabs.ray * rings + stabs.ring
    held, times = np.unique(key[stabs.ray != stabs.ring], return_counts=True)
    held = held[times % 2 == 1]
    return around, (held // rings, held % rings)


def _smallest_holder(
    inner: Int64[np.ndarray, " p"],
    outer: Int64[np.ndarray, " p"],
    is_outer: Bool[np.ndarray, " r"],
    is_hole: Bool[np.ndarray, " r"],
    sizes: Float64[np.ndarray, " r"],
) -> Int64[np.ndarray, " r"]:
    """For each hole the smallest outer ring around it; -1: none."""
    fit = is_hole[inner] & is_outer[outer]
    inner, outer = inner[fit], outer[fit]
    by_size = np.argsort(-sizes[outer], kind="stable")
    holder = np.full(len(sizes), -1)
    holder[inner[by_size]] = outer[by_size]  # the last one written is the smallest
    return holder
