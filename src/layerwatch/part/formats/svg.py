"""Layer SVG in the form of Slic3r: one file, one group a layer, one path an island."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar
from xml.etree import ElementTree
from xml.sax.saxutils import quoteattr

import numpy as np
from jaxtyping import Float64

from layerwatch.part.formats.base import Format
from layerwatch.part.nesting import islands_of, ring_area
from layerwatch.records import DataError, Island, Layer

_SVG = "http://www.w3.org/2000/svg"
_SLIC3R = "http://slic3r.org/namespaces/slic3r"
_OWN = "https://layerwatch.org/ns/1"
_MAX_BYTES = 512 * 2**20


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
        low, high = _bounds(layers)
        width, height = high - low
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
        """See Format; reads what ``write_layers`` and Slic3r write."""
        root = _parse(data, name)
        try:
            left, bottom = (float(root.get(f"{{{_OWN}}}{side}", "0")) for side in ("left", "bottom"))
            top = bottom + float(root.get("height", "nan"))
            groups = root.findall(f"{{{_SVG}}}g")
            return tuple(_layer(group, index, left, top) for index, group in enumerate(groups))
        except (TypeError, ValueError) as error:
            raise DataError(f"{name}: not a layer SVG as Slic3r writes it ({error}); slice the part again") from None


def _bounds(layers: Sequence[Layer]) -> tuple[Float64[np.ndarray, " 2"], Float64[np.ndarray, " 2"]]:
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


def _parse(data: bytes, name: str) -> ElementTree.Element:
    if len(data) > _MAX_BYTES:
        raise DataError(f"{name}: {len(data):,} bytes, more than the {_MAX_BYTES:,} read; write fewer layers a file")
    if re.search(rb"<!(DOCTYPE|ENTITY)", data, re.IGNORECASE):
        raise DataError(f"{name}: an SVG with a document type; layer files have none, so slice the part again")
    try:
        return ElementTree.fromstring(data)  # noqa: S314 # see above
    except ElementTree.ParseError as error:
        raise DataError(f"{name}: broken XML ({error}); slice the part again") from None


def _layer(group: ElementTree.Element, index: int, left: float, top: float) -> Layer:
    z, slice_z, height = (float(group.get(f"{{{_SLIC3R}}}{key}", "nan")) for key in ("z", "slice-z", "layer-height"))
    if np.isnan(z):
        raise ValueError("a layer without slic3r:z")
    number = (group.get("id") or "").removeprefix("layer")
    rings = [r for path in group.findall(f"{{{_SVG}}}path") for r in _rings(path.get("d", ""), left, top)]
    islands, area = islands_of(rings)
    return Layer(int(number) if number.isdigit() else index, z, slice_z, height, islands, area)


def _rings(d: str, left: float, top: float) -> list[Float64[np.ndarray, "_ 2"]]:
    """Absolute ``M x y x y ... z`` paths; commas and an ``L`` are allowed."""
    rings = []
    for piece in re.findall(r"M([^Mz]*)z", d):
        numbers = np.array(re.sub(r"[,L]", " ", piece).split(), dtype=np.float64).reshape(-1, 2)
        rings.append(np.stack([numbers[:, 0] + left, top - numbers[:, 1]], 1))
    return rings
