"""Rings of one layer, solid on their left -> islands with holes, by the nonzero winding rule."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float64

from layerwatch.records import Island

Ring = Float64[np.ndarray, "_ 2"]


def ring_area(ring: Ring) -> float:
    """Signed area in mm2, positive when counter-clockwise."""
    x, y = (ring - ring[0]).T
    return float(0.5 * np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y))


def islands_of(rings: Sequence[Ring]) -> tuple[tuple[Island, ...], float]:
    """Islands and their area in mm2.

    A ring counts where the winding number changes between 0 and not 0: an outline inside another solid is dropped, so
    bodies that lie wholly inside one another are one. Outlines that partly overlap are kept as they are.
    """
    areas = np.array([ring_area(ring) for ring in rings])
    rings = [ring for ring, area in zip(rings, areas, strict=True) if area != 0]
    areas = areas[areas != 0]
    if len(rings) and areas.sum() < 0:  # the mesh is inside out
        rings, areas = [ring[::-1] for ring in rings], -areas
    inside = _containment(rings, np.abs(areas))
    around = inside.T @ np.sign(areas) if len(rings) else areas
    counts = np.where(areas > 0, around == 0, around == 1)
    outers = list(np.flatnonzero(counts & (areas > 0)))
    holes: dict[int, list[Ring]] = {int(i): [] for i in outers}
    for hole in np.flatnonzero(counts & (areas < 0)):
        parents = [i for i in outers if inside[i, hole]]
        if parents:
            holes[int(min(parents, key=lambda i: areas[i]))].append(rings[hole])
    islands = tuple(Island(rings[i], tuple(holes[int(i)])) for i in outers)
    return islands, float(sum(ring_area(ring) for island in islands for ring in (island.outer, *island.holes)))


def _containment(rings: Sequence[Ring], sizes: Float64[np.ndarray, " n"]) -> Bool[np.ndarray, "n n"]:
    """Entry (i, j): ring j lies inside ring i. Boxes are compared first; rings never cross in a sound mesh."""
    n = len(rings)
    inside = np.zeros((n, n), bool)
    if n < 2:
        return inside
    low, high = np.array([r.min(0) for r in rings]), np.array([r.max(0) for r in rings])
    boxed = (low[:, None] <= low[None]).all(2) & (high[:, None] >= high[None]).all(2) & (sizes[:, None] > sizes[None])
    for i in range(n):
        inner = np.flatnonzero(boxed[i])
        if len(inner):
            points = np.array([rings[int(j)][:2].mean(0) for j in inner])
            inside[i, inner] = _holds(rings[i], points)
    return inside


def _holds(ring: Ring, points: Float64[np.ndarray, "p 2"]) -> Bool[np.ndarray, " p"]:
    """Even-odd test of many points against one ring."""
    a, b = ring, np.roll(ring, -1, 0)
    x, y = points[:, :1], points[:, 1:]
    spans = (a[:, 1] > y) != (b[:, 1] > y)
    with np.errstate(divide="ignore", invalid="ignore"):
        cut = a[:, 0] + (y - a[:, 1]) * (b[:, 0] - a[:, 0]) / (b[:, 1] - a[:, 1])
    return np.asarray((spans & (x < cut)).sum(1) % 2 == 1)
