"""A mesh with open edges -> one whose near corners are joined and whose small holes are closed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from jaxtyping import Bool, Float64, Int, Int32
from scipy.spatial import cKDTree

from layerwatch.part.chains import chained
from layerwatch.part.mesh import Mesh
from layerwatch.part.topology import joined

_NEAR = 1e-6  # of the longest side: corners so near are one, if that closes edges
_SHORT = 0.1  # of the shortest open edge: never further apart than that
_NEIGHBOURS = 8  # looked at for each corner
_MOST_EDGES = 64  # of a hole that is closed although it is not flat
_FLAT = 1e-6  # of the longest side
_LOOSE = 0.01  # of all triangles: more of them are no leftovers
_FAN_TURNS = 1000  # triangles around one corner


def join_corners(mesh: Mesh) -> tuple[Mesh, tuple[str, ...]]:
    """Give corners of open edges that nearly meet one place, if fewer edges are open then."""
    topology = mesh.topology
    if not topology.open_edges:
        return mesh, ()
    ends = np.unique(mesh.corners[_border_corners(mesh)])
    place = np.empty((int(mesh.corners.max()) + 1, 3))
    place[mesh.corners.ravel()] = mesh.triangles.reshape(-1, 3)
    reach = min(_NEAR * float(mesh.extent.max()), _SHORT * _shortest(mesh))
    distance, other = cKDTree(place[ends]).query(place[ends], k=_NEIGHBOURS, distance_upper_bound=reach)
    other = np.where(np.isfinite(distance), other, np.arange(len(ends))[:, None])
    _, group = joined(other)
    first = np.unique(group, return_index=True)[1]
    merged = np.arange(len(place), dtype=np.int32)
    merged[ends] = ends[first][group]
    moved = int(np.count_nonzero(merged[ends] != ends))
    if not moved:
        return mesh, ()
    numbers = merged[mesh.corners]
    better = replace(mesh, triangles=place[numbers], numbers=numbers)
    better = better.kept(~without_area(numbers))
    if not len(better.triangles) or better.topology.open_edges >= topology.open_edges:
        return mesh, ()
    return better, (f"joined {moved} corners that lay within {reach:.2g} of another",)


def without_area(numbers: Int32[np.ndarray, "n 3"]) -> Bool[np.ndarray, " n"]:
    """Triangles that have two corners in one."""
    a, b, c = numbers.T
    return np.asarray((a == b) | (b == c) | (c == a))


def _border(mesh: Mesh) -> Bool[np.ndarray, "n 3"]:
    """Half-edges without a mate."""
    return mesh.topology.mate < 0


def _border_corners(mesh: Mesh) -> Bool[np.ndarray, "n 3"]:
    border = _border(mesh)
    return np.asarray(border | border[:, [2, 0, 1]])


def _shortest(mesh: Mesh) -> float:
    border = _border(mesh)
    step = mesh.triangles[:, [1, 2, 0]][border] - mesh.triangles[border]
    return float(np.sqrt((step**2).sum(1).min()))


def drop_loose(mesh: Mesh) -> tuple[Mesh, tuple[str, ...]]:
    """Drop triangles that hang on nothing, what deleting others left, where they are few beside solid bodies."""
    sheets = mesh.topology.sheets
    if not sheets.any() or sheets.all():
        return mesh, ()
    loose = sheets[mesh.topology.bodies[1]]
    if np.count_nonzero(loose) > _LOOSE * len(loose):
        return mesh, ()
    return mesh.kept(~loose), (f"dropped {np.count_nonzero(loose)} loose triangles",)


def close_holes(mesh: Mesh) -> tuple[Mesh, tuple[str, ...]]:
    """Close loops of open edges by fans of triangles: short ones, and flat ones of any length.

    Bodies with more open edges than triangles are loose sheets, not solids with holes, and stay.
    """
    if not mesh.topology.open_edges or mesh.rule == "even-odd":
        return mesh, ()
    border, following = _loops(mesh)
    order, starts = chained(following)
    lengths = np.diff(np.append(starts, len(order)))
    start = np.repeat(starts, lengths)
    points, numbers = mesh.triangles.reshape(-1, 3)[border[order]], mesh.corners.ravel()[border[order]]
    wanted = _closable(mesh, border[order[starts]] // 3, points, starts, lengths)
    middle = np.add.reduceat(points, starts) / lengths[:, None]
    hub_points, hub_numbers = points[starts].copy(), numbers[starts].astype(np.int64)
    wide = lengths > 3  # a corner in the middle: no new edge can meet an old one
    hub_points[wide] = middle[wide]
    hub_numbers[wide] = int(mesh.corners.max()) + 1 + np.arange(np.count_nonzero(wide))
    loop = np.repeat(np.arange(len(starts)), lengths)
    ahead = np.where(
        np.arange(1, len(order) + 1) < start + np.repeat(lengths, lengths), np.arange(1, len(order) + 1), start
    )
    fan = np.stack([hub_numbers[loop], numbers[ahead], numbers], 1).astype(np.int32)
    triangles = np.stack([hub_points[loop], points[ahead], points], 1)
    keep = wanted[loop] & ~without_area(fan)
    if not keep.any():
        return mesh, ()
    closed = replace(
        mesh,
        triangles=np.concatenate([mesh.triangles, triangles[keep]]),
        numbers=np.concatenate([mesh.corners, fan[keep]]),
    )
    most = int(lengths[wanted].max())
    return closed, (f"closed {np.count_nonzero(wanted)} holes of up to {most} edges",)


def _loops(mesh: Mesh) -> tuple[Int[np.ndarray, " b"], Int[np.ndarray, " b"]]:
    """Open half-edges, and the place of the one that goes on where each ends: the next one around their corner."""
    mate = mesh.topology.mate.ravel()
    border = np.flatnonzero(mate < 0)
    following = np.full(len(border), -1)
    turning = np.arange(len(border))
    at = border
    for _ in range(_FAN_TURNS):
        at = at - at % 3 + (at + 1) % 3
        found = mate[at] < 0
        following[turning[found]] = np.searchsorted(border, at[found])
        turning, at = turning[~found], mate[at[~found]].astype(np.int64)
        if not len(at):
            break
    return border, following


def _closable(
    mesh: Mesh,
    triangle: Int[np.ndarray, " l"],
    points: Float64[np.ndarray, "p 3"],
    starts: Int[np.ndarray, " l"],
    lengths: Int[np.ndarray, " l"],
) -> Bool[np.ndarray, " l"]:
    solid = ~mesh.topology.sheets[mesh.topology.bodies[1][triangle]]
    short = lengths <= _MOST_EDGES
    for loop in np.flatnonzero(solid & ~short):
        corners = points[starts[loop] : starts[loop] + lengths[loop]]
        thickness = np.linalg.svd(corners - corners.mean(0), compute_uv=False)[-1] / np.sqrt(lengths[loop])
        short[loop] = thickness <= _FLAT * mesh.extent.max()
    return np.asarray(solid & short & (lengths >= 3))
