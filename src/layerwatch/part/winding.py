"""A mesh whose triangles disagree about what is outside -> one where they agree, as far as that is possible."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from jaxtyping import Bool, Float64, Int32

from layerwatch.part.mesh import Mesh
from layerwatch.part.topology import joined

_MINORITY = 1 / 3  # of a body's triangles: up to there the greater part is believed, above it the volume decides


def agree(mesh: Mesh) -> tuple[Mesh, tuple[str, ...]]:
    """Make the winding of each body consistent, spreading it over edges that two triangles share.

    A body with one side only, such as a Moebius strip, has no outside: then the whole mesh is read by even-odd.
    """
    topology = mesh.topology
    if not topology.opposed_edges:
        return mesh, ()
    count, body = topology.bodies
    turn, one_sided = _colouring(mesh)
    bodies = np.bincount(body, minlength=count)
    turned = np.bincount(body[turn], minlength=count)
    unsure = np.minimum(turned, bodies - turned) > _MINORITY * bodies
    outward = np.where(turn, -1, 1) * volumes(mesh)
    negative = np.bincount(body, outward, count) < 0
    swap = np.where(unsure, negative, 2 * turned > bodies)
    turn = (turn ^ swap[body]) & ~np.isin(body, one_sided)
    said = []
    if turn.any():
        mesh = mesh.turned(turn)
        said.append(f"turned {np.count_nonzero(turn)} triangles whose winding disagreed with their neighbours'")
    if len(one_sided):
        mesh = replace(mesh, rule="even-odd")
        said.append(f"winding of {len(one_sided)} bodies cannot be made consistent (one-sided): even-odd rule used")
    return mesh, tuple(said)


def _colouring(mesh: Mesh) -> tuple[Bool[np.ndarray, " n"], Int32[np.ndarray, " b"]]:
    """Which triangles to turn so that all agree with one of their body; and the bodies for which there is no such way.

    Each triangle stands twice in a graph, as it is and turned; edges join what agrees. A body is one-sided if a
    triangle hangs together with itself turned.
    """
    topology, n = mesh.topology, len(mesh.triangles)
    own = np.arange(n)[:, None]
    neighbour = np.where(topology.regular, topology.mate // 3, own)
    other = np.where(topology.opposed & topology.regular, n, 0)
    doubled = np.concatenate([neighbour + other, (neighbour + n - other)])
    sides, label = joined(doubled)
    count, body = topology.bodies
    one_sided = np.unique(body[label[:n] == label[n:]])
    first = np.full(count, sides, np.int64)  # of the two sides of each body, the one that its lowest label names
    np.minimum.at(first, body, np.minimum(label[:n], label[n:]))
    return label[:n] != first[body], one_sided


def volumes(mesh: Mesh) -> Float64[np.ndarray, " n"]:
    """What each triangle adds to the signed volume, in the mesh's unit cubed."""
    x, y, z = (mesh.triangles[:, :, i] - mesh.bounds[:, i].mean() for i in range(3))
    twice = (x[:, 1] - x[:, 0]) * (y[:, 2] - y[:, 0]) - (x[:, 2] - x[:, 0]) * (y[:, 1] - y[:, 0])
    return np.asarray(twice * (z[:, 0] + z[:, 1] + z[:, 2]) / 6)


def outward(mesh: Mesh) -> tuple[Mesh, tuple[str, ...]]:
    """Turn the whole mesh if it is inside out, then closed bodies that are and lie in no other.

    A body that is inside out and lies within another is a cavity and stays.
    """
    if mesh.rule == "even-odd":
        return mesh, ()
    said = []
    count, body = mesh.topology.bodies
    volume = np.bincount(body, volumes(mesh), count)
    if volume[~mesh.topology.sheets].sum() < 0:
        mesh, volume = mesh.turned(np.ones(len(body), bool)), -volume
        said.append("turned the whole mesh, which was inside out")
    if count > 1 and (volume < 0).any():
        closed = np.bincount(body[~mesh.topology.regular.all(1)], minlength=count) == 0
        lonely = (volume < 0) & closed
        lonely[lonely] = ~_within(mesh, body, np.flatnonzero(lonely), count)
        if lonely.any():
            mesh = mesh.turned(lonely[body])
            said.append(f"turned {np.count_nonzero(lonely)} bodies that were inside out")
    return mesh, tuple(said)


def boxes(mesh: Mesh) -> tuple[Float64[np.ndarray, "b 3"], Float64[np.ndarray, "b 3"]]:
    """Lowest and highest corner of each body's bounding box."""
    count, body = mesh.topology.bodies
    order = np.argsort(body, kind="stable")
    starts = np.searchsorted(body[order], np.arange(count))
    return np.minimum.reduceat(mesh.triangles.min(1)[order], starts), np.maximum.reduceat(
        mesh.triangles.max(1)[order], starts
    )


def _within(mesh: Mesh, body: Int32[np.ndarray, " n"], asked: np.ndarray, count: int) -> Bool[np.ndarray, " a"]:
    """Whether the box of each body asked for lies within the box of another."""
    low, high = boxes(mesh)
    inside = np.zeros(len(asked), bool)
    for row, index in enumerate(asked):
        around = (low <= low[index]).all(1) & (high >= high[index]).all(1)
        around[index] = False
        inside[row] = around.any()
    return inside
