"""A mesh as it came -> a mesh fit to slice, with every action and what stays wrong said."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Int

from layerwatch.part.holes import close_holes, drop_loose, join_corners, without_area
from layerwatch.part.mesh import Mesh
from layerwatch.part.numbering import grouped
from layerwatch.part.topology import joined
from layerwatch.part.winding import agree, outward
from layerwatch.records import DataError


def repair(mesh: Mesh) -> tuple[Mesh, tuple[str, ...]]:
    """Drop empty triangles, join corners, drop doubles, make windings agree, drop loose ones, close holes, turn out.

    Each step says what it did; a sound mesh comes back the same with nothing said. Several bodies are counted, and open
    or crowded edges that remain are told.

    Raises:
        DataError: nothing is left.
    """
    said: list[str] = []
    empty = without_area(mesh.corners)
    if empty.any():
        said.append(f"dropped {np.count_nonzero(empty)} triangles without area")
        mesh = mesh.kept(~empty)
    if len(mesh.triangles) == 0:
        raise DataError("no triangle with an area is left in the mesh; export the part again")
    for step in (join_corners, drop_repeated, agree, drop_loose, close_holes, outward):
        mesh, actions = step(mesh)
        said += actions
    return mesh, (*said, *_remaining(mesh))


def _remaining(mesh: Mesh) -> list[str]:
    topology, said = mesh.topology, []
    count = topology.bodies[0]
    if count > 1:
        said.append(f"{count} bodies")
    if topology.open_edges:
        said.append(f"{topology.open_edges} edges stay open: layers there may leak")
    if topology.crowded_edges:
        said.append(f"{topology.crowded_edges} edges are shared by three triangles or more")
    return said


def drop_repeated(mesh: Mesh) -> tuple[Mesh, tuple[str, ...]]:
    """Drop further triangles of the same corners in the same turning sense, patch by patch, where that opens no edge.

    Two bodies that lie flush may share triangles rightly; dropping those would leave both open.
    """
    if mesh.topology.is_sound:
        return mesh, ()
    suspects = np.flatnonzero(~(mesh.topology.regular & ~mesh.topology.opposed).all(1))
    if not len(suspects):
        return mesh, ()
    corners = mesh.corners[suspects]
    first = corners.argmin(1)[:, None]
    turned = np.take_along_axis(corners, (first + np.arange(3)) % 3, 1).astype(np.int64)
    groups = grouped(list(turned.T))
    repeated = suspects[np.sort(groups.order[~groups.begins])]
    repeated = repeated[_surplus(mesh, suspects, repeated)]
    if not len(repeated):
        return mesh, ()
    keep = np.ones(len(mesh.triangles), bool)
    keep[repeated] = False
    return mesh.kept(keep), (f"dropped {len(repeated)} triangles that stand twice",)


def _surplus(mesh: Mesh, suspects: Int[np.ndarray, " s"], repeated: Int[np.ndarray, " r"]) -> Bool[np.ndarray, " r"]:
    """Which repeated triangles may go: those of patches whose edges are no less balanced without them."""
    if not len(repeated):
        return np.empty(0, bool)
    start = mesh.corners[suspects].astype(np.int64)
    end = start[:, [1, 2, 0]]
    edges = grouped([(np.minimum(start, end) << 32 | np.maximum(start, end)).ravel()])
    number = edges.numbers.reshape(-1, 3)
    sign = np.where(start < end, 1, -1)
    balance = np.bincount(number.ravel(), sign.ravel(), edges.count)
    place = np.searchsorted(suspects, repeated)
    patch = _patches(number[place])
    pair = grouped([patch.repeat(3).astype(np.int64), number[place].ravel().astype(np.int64)])
    change = np.bincount(pair.numbers, sign[place].ravel(), pair.count)
    one = pair.order[pair.begins]
    edge = number[place].ravel()[one]
    growth = np.abs(balance[edge] - change) - np.abs(balance[edge])
    return np.asarray((np.bincount(patch.repeat(3)[one], growth) <= 0)[patch])


def _patches(edges: Int[np.ndarray, "r 3"]) -> Int[np.ndarray, " r"]:
    """The patch of each triangle: those that hang together through common edges."""
    order = np.argsort(edges.ravel(), kind="stable")
    same = np.diff(edges.ravel()[order]) == 0
    neighbour = np.repeat(np.arange(len(edges)), 3)
    neighbour[order[1:][same]] = order[:-1][same] // 3
    return joined(neighbour.reshape(-1, 3))[1]
