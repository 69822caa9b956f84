"""PrusaSlicer's SL1 in its SVG form: a ZIP with one SVG a layer, integer coordinates, steps from point to point."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import ClassVar
from xml.etree import ElementTree

import numpy as np
from jaxtyping import Float64

from layerwatch.part.formats.base import Format
from layerwatch.part.formats.containers.points import believable, closed_pieces, points_of
from layerwatch.part.formats.containers.zipped import Zipped
from layerwatch.part.nesting import islands_of
from layerwatch.records import DataError, Layer, plainly

_SVG = "{http://www.w3.org/2000/svg}"
_SETTING = r"^[ \t]*{}[ \t]*=[ \t]*([-\d.eE+]+)"


@dataclass
class Sl1(Format):
    """The drawing's frame gives the scale; layer heights come from the settings in the ZIP; nonzero winding."""

    summary: ClassVar[str] = "PrusaSlicer SL1-SVG (layers)"
    source: ClassVar[str] = "PrusaSlicer 2.6, libslic3r/Format/SL1_SVG"
    suffixes: ClassVar[tuple[str, ...]] = (".sl1_svg", ".sl1")

    def read_layers(self, data: bytes, name: str) -> tuple[Layer, ...]:
        """See Format; files in the order of their names are the layers from the bottom."""
        zipped = Zipped(data, name, "SL1 file")
        files = sorted(file for file in zipped.files if PurePosixPath(file).suffix.lower() == ".svg")
        if not files:
            pixels = any(file.lower().endswith(".png") for file in zipped.files)
            what = "its layers are pixel images" if pixels else "there is no SVG in it"
            raise DataError(f"{name}: {what}; export the part from PrusaSlicer as SL1 with SVG layers")
        height, first = _heights(zipped)
        layers = []
        for index, file in enumerate(files):
            try:
                islands, area = islands_of(_rings(zipped.xml(file)))
            except (ValueError, TypeError, IndexError) as error:
                raise DataError(
                    f"{name}: {file} is no SVG layer of PrusaSlicer ({plainly(error)}); export it again"
                ) from None
            top, own = first + index * height, height if index else first
            layers.append(Layer(index, round(top, 9), top - own / 2, own, islands, area))
        return tuple(layers)


def _heights(zipped: Zipped) -> tuple[float, float]:
    """Layer height and that of the first layer, in mm."""
    text = "\n".join(
        zipped.read(file).decode("utf-8", "replace")
        for file in ("config.ini", "prusaslicer.ini")
        if file in zipped.files
    )
    height = _setting(text, "layerHeight") or _setting(text, "layer_height")
    if height is None or not 0 < height < 10:
        raise DataError(f"{zipped.name}: no layer height in its config.ini; export the part again")
    first = _setting(text, "initial_layer_height") or height
    return height, first if 0 < first < 10 else height


def _setting(text: str, key: str) -> float | None:
    found = re.search(_SETTING.format(key), text, re.MULTILINE)
    try:
        return float(found[1]) if found else None
    except ValueError:
        return None


def _rings(root: ElementTree.Element) -> list[Float64[np.ndarray, "_ 2"]]:
    """Closed rings in mm, y upwards from the drawing's lower edge."""
    box = np.array(root.get("viewBox", "").replace(",", " ").split(), np.float64)
    size = np.array([float(root.get(side, "nan").removesuffix("mm")) for side in ("width", "height")])
    if len(box) != 4 or not (np.isfinite(box).all() and np.isfinite(size).all() and (box[2:] > 0).all()):
        raise ValueError("no viewBox, or no width and height in mm")
    scale = size / box[2:]
    rings = []
    for path in root.iter(f"{_SVG}path"):
        for piece in closed_pieces(path.get("d", "")):
            start, _, steps = piece.partition("l")
            placed = believable((np.cumsum(points_of(f"{start} {steps}"), axis=0) - box[:2]) * scale)
            rings.append(np.stack([placed[:, 0], size[1] - placed[:, 1]], 1))
    return rings
