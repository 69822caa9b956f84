"""A mesh in mm -> its layers: closed contours with holes at each height, all planes cut at once.

Each triangle meets a run of planes (binary search); all pairs of triangle and plane are cut in one vectorised step;
segments are linked to rings through the mesh edge that they share. A corner that lies on a plane counts as above it, so
no plane ever touches a corner. Cost O(n log k + k + m) for n triangles, k planes, m crossings (Minetto et al. 2017).
A layer is cut at its middle and labelled with its top, the convention of Slic3r.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from layerwatch.part.mesh import Mesh
from layerwatch.part.nesting import islands_of
from layerwatch.part.repair import corner_ids
from layerwatch.records import DataError, Layer, Progress, silent

_CHUNK = 128  # planes cut at once: bounds the memory
_MOST_LAYERS = 200_000


def layer_count(mesh: Mesh, layer_height: float) -> int:
    """How many layers of that height (mm) the part has: those whose middle it reaches.

    Raises:
        DataError: the height is not positive, the part is thinner than one layer, or has more than 200,000 of them.
    """
    if not layer_height > 0:
        raise DataError(f"layer height {layer_height:g} mm; it must be above 0")
    height = float(mesh.bounds[1, 2])
    if height < layer_height:
        raise DataError(
            f"the part is {height:.4g} mm high, less than one layer of {layer_height:g} mm; "
            "give a smaller --layer-height, or the right --unit"
        )
    count = int(np.floor(height / layer_height + 0.5 + 1e-9))
    if count > _MOST_LAYERS:
        raise DataError(f"{count:,} layers of {layer_height:g} mm are more than {_MOST_LAYERS:,}; give a larger height")
    return count


def slice_mesh(
    mesh: Mesh, layer_height: float, *, first: int = 0, count: int | None = None, progress: Progress = silent
) -> tuple[Layer, ...]:
    """Layers ``first`` to ``first + count - 1`` of a part that stands on z = 0.

    Args:
        mesh: triangles in mm, outward normals by the right-hand rule.
        layer_height: mm.
        first: index of the lowest layer wanted.
        count: how many; None: up to the top.
        progress: told after each chunk of planes.

    Raises:
        DataError: the part is thinner than one layer.
    """
    total = layer_count(mesh, layer_height)
    wanted = np.arange(first, total if count is None else min(first + count, total))
    soup = _Soup.of(mesh)
    layers: list[Layer] = []
    for start in range(0, len(wanted), _CHUNK):
        indices = wanted[start : start + _CHUNK]
        layers += _cut(soup, indices, layer_height)
        progress("slice", len(layers), len(wanted))
    return tuple(layers)


@dataclass(frozen=True, eq=False)
class _Soup:
    """Triangles sorted for cutting: corners, corner numbers, height range."""

    triangles: Float64[np.ndarray, "n 3 3"]
    ids: Int64[np.ndarray, "n 3"]
    low: Float64[np.ndarray, " n"]
    high: Float64[np.ndarray, " n"]

    @classmethod
    def of(cls, mesh: Mesh) -> _Soup:
        z = mesh.triangles[:, :, 2]
        return cls(mesh.triangles, corner_ids(mesh.triangles), z.min(1), z.max(1))


@dataclass(frozen=True, eq=False)
class _Segments:
    """Directed pieces of contour, the solid on their left; each begins and ends on a mesh edge."""

    plane: Int64[np.ndarray, " m"]
    start: Float64[np.ndarray, "m 2"]
    start_edge: Int64[np.ndarray, " m"]
    end_edge: Int64[np.ndarray, " m"]


def _cut(soup: _Soup, indices: Int64[np.ndarray, " k"], height: float) -> list[Layer]:
    planes = (indices + 0.5) * height
    segments = _segments(soup, planes)
    rings, leaks = _rings(segments, len(planes))
    layers = []
    for row, index in enumerate(indices):
        islands, area = islands_of(rings[row])
        top = round(float((index + 1) * height), 9)
        layers.append(Layer(int(index), top, float(planes[row]), height, islands, area, int(leaks[row])))
    return layers


def _segments(soup: _Soup, planes: Float64[np.ndarray, " k"]) -> _Segments:
    """Cut every triangle with every plane that it meets: z_min < plane <= z_max."""
    begin = np.searchsorted(planes, soup.low, side="right")
    end = np.searchsorted(planes, soup.high, side="right")
    triangle = np.repeat(np.arange(len(begin)), end - begin)
    run_start = np.repeat(np.cumsum(end - begin) - (end - begin), end - begin)
    plane = np.repeat(begin, end - begin) + np.arange(len(triangle)) - run_start
    corners, ids, z = soup.triangles[triangle], soup.ids[triangle], planes[plane]

    # Of three corners one stands alone on its side of the plane; both crossings lie on that corner's edges.
    above = corners[:, :, 2] >= z[:, None]
    lone_above = above.sum(1) == 1
    lone = np.where(lone_above, above.argmax(1), (~above).argmax(1))
    rows = np.arange(len(triangle))
    following, preceding = (lone + 1) % 3, (lone + 2) % 3
    out_edge = _crossing(corners, ids, rows, lone, following, z)
    in_edge = _crossing(corners, ids, rows, lone, preceding, z)

    # With the lone corner above, the solid lies left of the way from its outgoing to its incoming edge.
    start = np.where(lone_above[:, None], out_edge[0], in_edge[0])
    number = _edge_numbers(np.stack([out_edge[1], in_edge[1]], 1))
    start_edge = np.where(lone_above, number[:, 0], number[:, 1])
    end_edge = np.where(lone_above, number[:, 1], number[:, 0])
    return _Segments(plane, start, start_edge, end_edge)


def _crossing(
    corners: Float64[np.ndarray, "m 3 3"],
    ids: Int64[np.ndarray, "m 3"],
    rows: Int64[np.ndarray, " m"],
    a: Int64[np.ndarray, " m"],
    b: Int64[np.ndarray, " m"],
    z: Float64[np.ndarray, " m"],
) -> tuple[Float64[np.ndarray, "m 2"], Int64[np.ndarray, " m"]]:
    """Where the edge from corner a to b meets the plane, and its key; the same to the bit from both triangles."""
    ia, ib = ids[rows, a], ids[rows, b]
    swap = ia > ib
    p = np.where(swap[:, None], corners[rows, b], corners[rows, a])
    q = np.where(swap[:, None], corners[rows, a], corners[rows, b])
    share = (z - p[:, 2]) / (q[:, 2] - p[:, 2])
    point = p[:, :2] + share[:, None] * (q[:, :2] - p[:, :2])
    return point, np.minimum(ia, ib) * (ids.max(initial=0) + 1) + np.maximum(ia, ib)


def _edge_numbers(pair: Int64[np.ndarray, "m 2"]) -> Int64[np.ndarray, "m 2"]:
    return np.unique(pair, return_inverse=True)[1].reshape(pair.shape)


def _rings(segments: _Segments, planes: int) -> tuple[list[list[Float64[np.ndarray, "_ 2"]]], Int64[np.ndarray, " k"]]:
    """Link segments to rings through the edges they share; what does not close is counted as leaks of its plane."""
    following = _following(segments)
    ring, closed = _label(following)
    order = _walk(following, ring)
    keep = closed[ring[order]]
    leaks = np.bincount(segments.plane[~closed[ring]], minlength=planes)
    order = order[keep]
    rings: list[list[Float64[np.ndarray, "_ 2"]]] = [[] for _ in range(planes)]
    if len(order):
        cuts = np.flatnonzero(np.diff(ring[order])) + 1
        for piece in np.split(order, cuts):
            rings[segments.plane[piece[0]]].append(segments.start[piece])
    return rings, leaks


def _following(segments: _Segments) -> Int64[np.ndarray, " m"]:
    """For each segment the one that starts where it ends, on the same plane and mesh edge; -1 for none.

    Where an edge is shared by more than two triangles, the i-th end goes to the i-th start.
    """
    edges = int(max(segments.start_edge.max(initial=0), segments.end_edge.max(initial=0))) + 1
    starts, ends = segments.plane * edges + segments.start_edge, segments.plane * edges + segments.end_edge
    by_start, by_end = np.argsort(starts, kind="stable"), np.argsort(ends, kind="stable")
    start_keys, end_keys = starts[by_start], ends[by_end]
    rank = np.arange(len(ends)) - np.searchsorted(end_keys, end_keys)
    place = np.searchsorted(start_keys, end_keys) + rank
    found = place < np.searchsorted(start_keys, end_keys, side="right")
    following = np.full(len(ends), -1)
    following[by_end[found]] = by_start[place[found]]
    return following


def _label(following: Int64[np.ndarray, " m"]) -> tuple[Int64[np.ndarray, " m"], np.ndarray]:
    """The number of each segment's chain, and of each chain whether it closes."""
    m = len(following)
    linked = np.flatnonzero(following >= 0)
    graph = coo_array((np.ones(len(linked), bool), (linked, following[linked])), shape=(m, m))
    count, label = connected_components(graph, directed=False) if m else (0, np.empty(0, np.int32))
    open_ends = np.bincount(label[following < 0], minlength=count)
    return label.astype(np.int64), open_ends == 0


def _walk(following: Int64[np.ndarray, " m"], ring: Int64[np.ndarray, " m"]) -> Int64[np.ndarray, " m"]:
    """All segments, chain after chain, each in walking order: list ranking by pointer jumping.

    Every chain is cut open before its first segment; then the distance to its end doubles in each round.
    """
    m = len(following)
    if m == 0:
        return following
    first = np.full(int(ring.max()) + 1, m)
    np.minimum.at(first, ring, np.arange(m))
    is_last = (following < 0) | (following == first[ring])
    jump = np.where(is_last, np.arange(m), following)
    distance = np.where(is_last, 0, 1)
    while True:
        further = distance[jump]
        if not further.any():
            break
        distance, jump = distance + further, jump[jump]
    return np.lexsort((-distance, ring))
