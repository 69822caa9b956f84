"""Common Layer Interface, ASCII: layers as polylines, outer ones counter-clockwise, holes clockwise."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Float64

from layerwatch.part.formats.base import Format
from layerwatch.part.nesting import islands_of
from layerwatch.records import DataError, Layer

_HOLE, _OUTER = 0, 1
_COMMAND = re.compile(r"\$\$(LAYER|POLYLINE)/([^$]*)")
_UNITS = re.compile(r"\$\$UNITS/([^$\s]+)")
_MAX_BYTES = 512 * 2**20


@dataclass
class Cli(Format):
    """Coordinates in mm on writing; on reading, times the file's unit. A layer's z is its top."""

    summary: ClassVar[str] = "Common Layer Interface, ASCII (layers)"
    source: ClassVar[str] = "Common Layer Interface 2.0, Brite-EuRam 1994"
    suffixes: ClassVar[tuple[str, ...]] = (".cli",)

    def write_layers(self, layers: Sequence[Layer], *, name: str, provenance: dict[str, str]) -> bytes:
        """See Format; 6 decimals of a mm, every polyline ends where it began."""
        told = "; ".join(f"{key} {value}" for key, value in sorted({**provenance, "part": name}.items()))
        lines = ["$$HEADERSTART", "$$ASCII", "$$UNITS/1", "$$VERSION/200", f"$$LAYERS/{len(layers)}"]
        lines += [f"// layerwatch {told.replace('$', ' ')} //", "$$HEADEREND", "$$GEOMETRYSTART"]
        for layer in layers:
            lines.append(f"$$LAYER/{layer.z:.6f}")
            for island in layer.islands:
                rings = [(island.outer, _OUTER), *((hole, _HOLE) for hole in island.holes)]
                lines += [_polyline(ring, turn) for ring, turn in rings]
        return "\n".join([*lines, "$$GEOMETRYEND", ""]).encode("utf-8", "replace")

    def read_layers(self, data: bytes, name: str) -> tuple[Layer, ...]:
        """See Format; open polylines are no contours and are left out."""
        text = _text(data, name)
        try:
            unit = float((_UNITS.search(text) or ["", "nan"])[1])
            if not unit > 0:
                raise ValueError("no $$UNITS above 0")
            return tuple(_layers(text.partition("$$GEOMETRYSTART")[2], unit))
        except ValueError as error:
            raise DataError(f"{name}: broken CLI file ({error}); slice the part again") from None


def _text(data: bytes, name: str) -> str:
    if len(data) > _MAX_BYTES:
        raise DataError(f"{name}: {len(data):,} bytes, more than the {_MAX_BYTES:,} read; write fewer layers a file")
    text = data.decode("latin-1")
    if "$$HEADERSTART" not in text[:4096]:
        raise DataError(f"{name}: not a CLI file; give one that begins with $$HEADERSTART")
    if "$$BINARY" in text.partition("$$HEADEREND")[0]:
        raise DataError(f"{name}: a binary CLI file; write it as ASCII")
    if "$$GEOMETRYEND" not in text:
        raise DataError(f"{name}: truncated CLI file, it ends without $$GEOMETRYEND; copy it again")
    return re.sub(r"//.*?//", "", text, flags=re.DOTALL)


def _polyline(ring: Float64[np.ndarray, "n 2"], turn: int) -> str:
    closed = np.vstack([ring, ring[:1]])
    return f"$$POLYLINE/1,{turn},{len(closed)}," + ",".join(f"{x:.6f},{y:.6f}" for x, y in closed)


def _layers(text: str, unit: float) -> Iterator[Layer]:
    """Layers in file order; a layer is as high as its distance from the one below."""
    found: list[tuple[float, list[Float64[np.ndarray, "_ 2"]]]] = []
    for command, values in _COMMAND.findall(text):
        if command == "LAYER":
            found.append((float(values) * unit, []))
        elif not found:
            raise ValueError("a polyline before the first layer")
        else:
            ring = _ring(values, unit)
            found[-1][1].extend([] if ring is None else [ring])
    tops = np.array([z for z, _ in found])
    heights = np.diff(tops, prepend=2 * tops[0] - tops[1] if len(tops) > 1 else 0.0) if len(tops) else tops
    for index, ((z, rings), height) in enumerate(zip(found, heights.tolist(), strict=True)):
        islands, area = islands_of(rings)
        yield Layer(index, z, z - height / 2, height, islands, area)


def _ring(values: str, unit: float) -> Float64[np.ndarray, "_ 2"] | None:
    """One closed polyline in mm, its last point dropped; None for an open one."""
    numbers = np.array(values.replace("\n", "").split(","), np.float64)
    count, points = int(numbers[2]), numbers[3:].reshape(-1, 2) * unit
    if count != len(points) or not np.isfinite(points).all():
        raise ValueError(f"a polyline of {count} points has {len(points)}")
    is_open = int(numbers[1]) not in {_HOLE, _OUTER} or count < 4 or not np.array_equal(points[0], points[-1])
    return None if is_open else points[:-1]
