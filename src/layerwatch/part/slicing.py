"""A mesh in mm -> its layers: closed contours with holes at each height, all planes cut at once.

Each triangle meets a run of planes; all pairs of triangle and plane are cut in one vectorised step; a segment is
followed by the one in the triangle across the edge on which it ends. Cost O(n log k + k + m) for n triangles, k planes,
m crossings (Minetto et al. 2017). A layer is cut at its middle and labelled with its top, the convention of Slic3r.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Int64

from layerwatch.part.linking import link
from layerwatch.part.mesh import Mesh
from layerwatch.part.nesting import nested
from layerwatch.part.segments import Cutter
from layerwatch.records import DataError, Layer, Progress, silent

_MOST_LAYERS = 200_000
_GAP = 0.1  # mm; and no more than
_GAP_SHARE = 1e-4  # of the part's longest side: ends of outlines so near one another are joined


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
            "give the right --unit, or thinner layers (slice: --layer-height, else process.layer_height of a --machine)"
        )
    count = int(np.floor(height / layer_height + 0.5 + 1e-9))
    if count > _MOST_LAYERS:
        raise DataError(f"{count:,} layers of {layer_height:g} mm are more than {_MOST_LAYERS:,}; give a larger height")
    return count


@dataclass(frozen=True, eq=False)
class Slices:
    """Layers, and what had to be mended in their outlines."""

    layers: tuple[Layer, ...]
    joined: Int64[np.ndarray, " k"]  # gaps closed in each layer

    @property
    def said(self) -> tuple[str, ...]:
        """What a user should know of gaps and leaks."""
        said = []
        if self.joined.any():
            said.append(f"closed {self.joined.sum()} gaps in the outlines of {np.count_nonzero(self.joined)} layers")
        leaking = [layer for layer in self.layers if layer.leaks]
        if leaking:
            said.append(
                f"{sum(layer.leaks for layer in leaking)} outlines stay open in {len(leaking)} of {len(self.layers)} "
                f"layers, the lowest at z = {leaking[0].z:g} mm; repair the part in its CAD program"
            )
        return tuple(said)


def slice_mesh(
    mesh: Mesh, layer_height: float, *, first: int = 0, count: int | None = None, progress: Progress = silent
) -> tuple[Layer, ...]:
    """Layers ``first`` to ``first + count - 1`` of a part that stands on z = 0; see ``slices_of``."""
    return slices_of(mesh, layer_height, first=first, count=count, progress=progress).layers


def slices_of(
    mesh: Mesh, layer_height: float, *, first: int = 0, count: int | None = None, progress: Progress = silent
) -> Slices:
    """Layers ``first`` to ``first + count - 1`` of a part that stands on z = 0, and what was mended.

    Ends of outlines that nearly meet are joined (up to 0.1 mm, and 1e-4 of the longest side). An outline whose opening
    is less than a tenth of its length is closed straight, and counts as a leak; other open ones are left out and count.

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
    wanted = (total if count is None else min(first + count, total)) - first
    layers: list[Layer] = []
    joined = []
    cutter = Cutter.of(mesh, layer_height, first, max(wanted, 0))
    for planes in cutter.chunks():
        more, mended = layers_of(cutter, planes)
        layers += more
        joined.append(mended)
        progress("slice", len(layers), wanted)
    return Slices(tuple(layers), np.concatenate(joined) if joined else np.zeros(0, np.int64))


def layers_of(cutter: Cutter, planes: range) -> tuple[list[Layer], Int64[np.ndarray, " k"]]:
    """The layers of a run of planes, and the gaps closed in each."""
    rule, height = cutter.mesh.rule, cutter.height
    reach = min(_GAP, _GAP_SHARE * float(cutter.mesh.extent.max()))
    linked = link(cutter.cut(planes), len(planes), reach, both_ways=rule == "even-odd")
    layers = []
    for row, (islands, area) in enumerate(nested(linked.rings, len(planes), rule)):
        index = cutter.first + planes[row]
        top, middle = round(float((index + 1) * height), 9), float((index + 0.5) * height)
        layers.append(Layer(index, top, middle, height, islands, area, int(linked.leaks[row])))
    return layers, linked.joined
