"""Layer SVG in the form of Slic3r: one file, one group a layer, one path an island."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar
from xml.etree import ElementTree
from xml.sax.saxutils import quoteattr

import numpy as np
from jaxtyping import Float64

from layerwatch.part.formats.base import Format
from layerwatch.part.formats.containers.points import closed_pieces, points_of
from layerwatch.part.formats.containers.zipped import parsed
from layerwatch.part.nesting import islands_of, ring_area
from layerwatch.records import DataError, Island, Layer, plainly

_SVG = "http://www.w3.org/2000/svg"
_SLIC3R = "http://slic3r.org/namespaces/slic3r"
_OWN = "https://layerwatch.org/ns/1"
_MAX_BYTES = 256 * 2**20

Frame = tuple[Float64[np.ndarray, " 2"], Float64[np.ndarray, " 2"]]  # lowest and highest corner, mm


@dataclass
class Svg(Format):
    """Coordinates in mm; x counts from the left edge, y downwards from the upper edge, as SVG wants.

    ``left`` and ``bottom`` keep the place of the drawing on the bed, so that reading gives the layers back.
    """

    summary: ClassVar[str] = "SVG as Slic3r writes it (layers)"
    source: ClassVar[str] = "Slic3r, libslic3r/IO and SVG export; SVG 1.1"
    suffixes: ClassVar[tuple[str, ...]] = (".svg",)

    def write_layers(self, layers: Sequence[Layer], *, name: str, provenance: dict[str, str]) -> bytes:
        """See Format; 6 decimals of a mm."""
        return self._drawn(layers, _bounds(layers), name, provenance)

    def write_each(self, layers: Sequence[Layer], *, name: str, provenance: dict[str, str]) -> Iterator[bytes]:
        """One file a layer, all drawn in the frame of the whole part, so that they lie on one another.

        Raises:
            DataError: no layer has a closed contour.
        """
        frame = _bounds(layers)
        for layer in layers:
            yield self._drawn([layer], frame, name, provenance)

    def _drawn(self, layers: Sequence[Layer], frame: Frame, name: str, provenance: dict[str, str]) -> bytes:
        (low, high), (width, height) = frame, frame[1] - frame[0]
        own = "".join(f" layerwatch:{key}={quoteattr(value)}" for key, value in sorted(provenance.items()))
        lines = [
            '<?xml version="1.0" encoding="UTF-8"?>',
            f'<svg width="{width:.6f}" height="{height:.6f}" viewBox="0 0 {width:.6f} {height:.6f}" xmlns="{_SVG}"'
            f' xmlns:svg="{_SVG}" xmlns:xlink="http://www.w3.org/1999/xlink" xmlns:slic3r="{_SLIC3R}"'
            f' xmlns:layerwatch="{_OWN}" layerwatch:part={quoteattr(name)} layerwatch:left="{low[0]:.6f}"'
            f' layerwatch:bottom="{low[1]:.6f}"{own}>',
        ]
        for layer in layers:
            lines += _group(layer, low, high)
        return "\n".join([*lines, "</svg>", ""]).encode("utf-8", "replace")

    def read_layers(self, data: bytes, name: str) -> tuple[Layer, ...]:
        """See Format; reads what ``write_layers`` and Slic3r write, also the polygons of its older form."""
        if len(data) > _MAX_BYTES:
            raise DataError(
                f"{name}: {len(data):,} bytes, more than the {_MAX_BYTES:,} read; write fewer layers a file"
            )
        root = parsed(data, name)
        try:
            if root.tag != f"{{{_SVG}}}svg":
                raise ValueError("its root is no svg element")
            if root.find(f".//{{{_SVG}}}polygon") is not None:
                return _old_layers(root)
            left, bottom = (float(root.get(f"{{{_OWN}}}{side}", "0")) for side in ("left", "bottom"))
            top = bottom + float(root.get("height", "nan").removesuffix("mm"))
            if not (abs(left) < 1e9 and abs(top) < 1e9):
                raise ValueError("no height of the drawing in mm")
            return _layers(root.findall(f"{{{_SVG}}}g"), left, top)
        except (TypeError, ValueError) as error:
            raise DataError(
                f"{name}: not a layer SVG as Slic3r writes it ({plainly(error)}); slice the part again"
            ) from None


def _bounds(layers: Sequence[Layer]) -> Frame:
    rings = [island.outer for layer in layers for island in layer.islands]
    if not rings:
        leaks = sum(layer.leaks for layer in layers)
        why = f"{leaks} open ends: the mesh is not closed" if leaks else "look at the part and its unit"
        raise DataError(f"no layer has a closed contour, so there is nothing to draw ({why}); export the part again")
    return np.min([r.min(0) for r in rings], 0), np.max([r.max(0) for r in rings], 0)


def _group(layer: Layer, low: Float64[np.ndarray, " 2"], high: Float64[np.ndarray, " 2"]) -> list[str]:
    heights = (("z", layer.z), ("slice-z", layer.slice_z), ("layer-height", layer.height))
    told = "".join(f' slic3r:{key}="{value:.4f}"' for key, value in heights)
    return [f'  <g id="layer{layer.index}"{told}>', *(_path(i, low, high) for i in layer.islands), "  </g>"]


def _path(island: Island, low: Float64[np.ndarray, " 2"], high: Float64[np.ndarray, " 2"]) -> str:
    rings = (island.outer, *island.holes)
    area = sum(ring_area(ring) for ring in rings)
    drawn = " ".join(_ring(np.stack([r[:, 0] - low[0], high[1] - r[:, 1]], 1)) for r in rings)
    return f'    <path d="{drawn}" fill="black" fill-rule="evenodd" slic3r:area="{area:.6f}"/>'


def _ring(ring: Float64[np.ndarray, "n 2"]) -> str:
    return "M " + " ".join(f"{x:.6f} {y:.6f}" for x, y in ring) + " z"


def _old_layers(root: ElementTree.Element) -> tuple[Layer, ...]:
    """The form of Slic3r's Perl code: polygons as points in mm, y upwards, z of the cut in millionths of a mm.

    Each copy of a part has a group of its own, so several may have the same z; supports have none and no polygon.
    """
    rings: dict[float, list[Float64[np.ndarray, "_ 2"]]] = {}
    for group in root.findall(f"{{{_SVG}}}g"):
        polygons = [points_of(polygon.get("points", "")) for polygon in group.iter(f"{{{_SVG}}}polygon")]
        if polygons or group.get(f"{{{_SLIC3R}}}z"):
            rings.setdefault(_told(group, "z"), []).extend(polygons)
    told = np.array(list(rings))
    if not len(told) or not np.isfinite(told).all() or (np.diff(told, prepend=0) <= 0).any():
        raise ValueError("layers without a rising slic3r:z")
    told *= 1e6 if told[-1] < 1e-3 else 1e-6 if told[-1] > 1e4 else 1.0
    layers = []
    for index, (top, height, own) in enumerate(zip(*_tops(told), rings.values(), strict=True)):
        islands, area = islands_of(own)
        layers.append(Layer(index, round(top, 9), top - height / 2, height, islands, area))
    return tuple(layers)


def _tops(told: Float64[np.ndarray, " k"]) -> tuple[list[float], list[float]]:
    """Tops and heights of layers of which the middles are told, as Slic3r does; else they are taken for tops."""
    tops: list[float] = []
    for middle in told.tolist():
        tops.append(2 * middle - (tops[-1] if tops else 0.0))
    heights = np.diff(tops, prepend=0.0)
    if (heights > 1e-6 * told[0]).all():
        return tops, heights.tolist()
    return told.tolist(), np.diff(told, prepend=0.0).tolist()


def _told(group: ElementTree.Element, key: str) -> float:
    return float(group.get(f"{{{_SLIC3R}}}{key}", "nan"))


def _layers(groups: list[ElementTree.Element], left: float, top: float) -> tuple[Layer, ...]:
    """Layers in file order; heights that are not told follow from the layer below."""
    layers: list[Layer] = []
    below = 0.0
    for index, group in enumerate(groups):
        z, slice_z, height = (_told(group, key) for key in ("z", "slice-z", "layer-height"))
        if not below <= z < 1e9:
            raise ValueError("a layer without slic3r:z" if np.isnan(z) else f"a layer at {z:g} mm above {below:g} mm")
        height = height if 0 <= height < 1e9 else z - below
        slice_z = slice_z if abs(slice_z) < 1e9 else z - height / 2
        rings = [r for path in group.findall(f"{{{_SVG}}}path") for r in _rings(path.get("d", ""), left, top)]
        number = (group.get("id") or "").removeprefix("layer")
        islands, area = islands_of(rings)
        layers.append(Layer(int(number) if number.isdecimal() else index, z, slice_z, height, islands, area))
        below = z
    return tuple(layers)


def _rings(d: str, left: float, top: float) -> list[Float64[np.ndarray, "_ 2"]]:
    """Absolute ``M x y x y ... z`` paths; commas and an ``L`` are allowed."""
    pieces = [points_of(piece.replace("L", " ")) for piece in closed_pieces(d)]
    return [np.stack([points[:, 0] + left, top - points[:, 1]], 1) for points in pieces]
