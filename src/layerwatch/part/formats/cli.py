"""Common Layer Interface: layers as polylines, outer ones counter-clockwise, holes clockwise; ASCII, binary read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Float64

from layerwatch.part.formats.base import Format
from layerwatch.part.formats.containers.binary_cli import Drawn, commands
from layerwatch.part.formats.containers.points import believable
from layerwatch.part.nesting import islands_of
from layerwatch.records import DataError, Layer, plainly

_HOLE, _OUTER = 0, 1
_COMMAND = re.compile(r"\$\$(LAYER|POLYLINE)/([^$]*)")
_UNITS = re.compile(r"\$\$UNITS/([^$\s]+)")
_COMMENT = re.compile(r"//.*?//", re.DOTALL)
_MAX_BYTES = 512 * 2**20
_END = b"$$HEADEREND"


@dataclass
class Cli(Format):
    """Coordinates in mm on writing; on reading, times the file's unit. A layer's z is its top."""

    summary: ClassVar[str] = "Common Layer Interface (layers; written as ASCII)"
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
        """See Format; hatches and open polylines are no contours and are left out."""
        if len(data) > _MAX_BYTES:
            raise DataError(
                f"{name}: {len(data):,} bytes, more than the {_MAX_BYTES:,} read; write fewer layers a file"
            )
        header, end, geometry = data.partition(_END)
        if b"$$HEADERSTART" not in header[:4096] or not end:
            raise DataError(f"{name}: not a CLI file; give one that goes from $$HEADERSTART to $$HEADEREND")
        try:
            told = _COMMENT.sub("", header.decode("latin-1"))
            unit = float((_UNITS.search(told) or ["", "nan"])[1])
            if not 0 < unit < 1e6:
                raise ValueError("no $$UNITS above 0")
            return tuple(_layers(_binary(told, geometry) if "$$BINARY" in told else _ascii(geometry), unit))
        except (ValueError, IndexError) as error:
            raise DataError(f"{name}: broken CLI file ({plainly(error)}); slice the part again") from None


def _binary(header: str, geometry: bytes) -> Iterator[Drawn]:
    if "$$ALIGN" in header:
        raise ValueError("binary data aligned to 32 bits, which is not read; write it as ASCII")
    return commands(geometry)


def _ascii(geometry: bytes) -> Iterator[Drawn]:
    text = _COMMENT.sub("", geometry.decode("latin-1"))
    if "$$GEOMETRYEND" not in text:
        raise ValueError("truncated, it ends without $$GEOMETRYEND")
    for command, values in _COMMAND.findall(text.partition("$$GEOMETRYSTART")[2]):
        if command == "LAYER":
            yield Drawn(z=float(values))
            continue
        numbers = np.array(values.replace("\n", "").split(","), np.float64)
        if numbers[2] * 2 != len(numbers) - 3:
            raise ValueError(f"a polyline of {numbers[2]:g} points has {(len(numbers) - 3) / 2:g}")
        yield Drawn(direction=int(numbers[1]), points=believable(numbers[3:].reshape(-1, 2)))


def _polyline(ring: Float64[np.ndarray, "n 2"], turn: int) -> str:
    closed = np.vstack([ring, ring[:1]])
    return f"$$POLYLINE/1,{turn},{len(closed)}," + ",".join(f"{x:.6f},{y:.6f}" for x, y in closed)


def _layers(drawn: Iterator[Drawn], unit: float) -> Iterator[Layer]:
    """Layers in file order; a layer is as high as its distance from the one below."""
    found: list[tuple[float, list[Float64[np.ndarray, "_ 2"]]]] = []
    for one in drawn:
        if one.points is None:
            found.append((one.z * unit, []))
        elif not found:
            raise ValueError("a polyline before the first layer")
        elif one.direction in {_HOLE, _OUTER}:
            found[-1][1].append(_ring(one.points * unit))
    tops = np.array([z for z, _ in found])
    if not (np.abs(tops) < 1e9).all() or (np.diff(tops) <= 0).any():
        raise ValueError("layers that do not rise")
    heights = np.diff(tops, prepend=2 * tops[0] - tops[1] if len(tops) > 1 else 0.0) if len(tops) else tops
    for index, ((z, rings), height) in enumerate(zip(found, heights.tolist(), strict=True)):
        islands, area = islands_of(rings)
        yield Layer(index, z, z - height / 2, height, islands, area)


def _ring(points: Float64[np.ndarray, "_ 2"]) -> Float64[np.ndarray, "_ 2"]:
    """The last point goes if it repeats the first, as it should; not all programs repeat it."""
    return points[:-1] if len(points) > 1 and np.array_equal(points[0], points[-1]) else points
