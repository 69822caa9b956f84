"""A mesh as it came -> a mesh fit to slice, with every action said."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64, Int64

from layerwatch.part.mesh import Mesh
from layerwatch.records import DataError


def repair(mesh: Mesh) -> tuple[Mesh, tuple[str, ...]]:
    """Drop degenerate and duplicate triangles.

    Raises:
        DataError: nothing is left.
    """
    triangles, actions = mesh.triangles + 0.0, []  # -0.0 becomes 0.0: equal corners are equal to the bit
    for drop, what in ((_degenerate, "without area"), (_repeated, "that stand twice")):
        bad = drop(triangles)
        if bad.any():
            actions.append(f"dropped {bad.sum()} triangles {what}")
            triangles = triangles[~bad]
    if len(triangles) == 0:
        raise DataError("no triangle with an area is left in the mesh; export the part again")
    return Mesh(triangles, mesh.unit), tuple(actions)


def corner_ids(triangles: Float64[np.ndarray, "n 3 3"]) -> Int64[np.ndarray, "n 3"]:
    """One number for each distinct corner; equal corners get the same."""
    corners = np.ascontiguousarray(triangles.reshape(-1, 3))
    order = np.lexsort(corners.T)
    ordered = corners[order]
    is_new = np.concatenate([[False], (ordered[1:] != ordered[:-1]).any(1)])
    ids = np.empty(len(corners), np.int64)
    ids[order] = np.cumsum(is_new)
    return ids.reshape(-1, 3)


def _degenerate(triangles: Float64[np.ndarray, "n 3 3"]) -> np.ndarray:
    ids = corner_ids(triangles)
    return np.asarray((ids[:, 0] == ids[:, 1]) | (ids[:, 1] == ids[:, 2]) | (ids[:, 2] == ids[:, 0]))


def _repeated(triangles: Float64[np.ndarray, "n 3 3"]) -> np.ndarray:
    """True for each further triangle of the same corners in the same turning sense."""
    ids = corner_ids(triangles)
    first = ids.argmin(1)[:, None]
    turned = np.take_along_axis(ids, (first + np.arange(3)) % 3, 1)
    _, index = np.unique(turned, axis=0, return_index=True)
    repeated = np.ones(len(ids), bool)
    repeated[index] = False
    return repeated
