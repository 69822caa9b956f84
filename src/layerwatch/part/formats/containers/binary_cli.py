"""The bytes behind the header of a binary CLI file -> the points of each layer's polylines, in the file's unit."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from layerwatch.part.formats.containers.points import Points, believable

_LAYER, _POLYLINE, _HATCHES = "layer", "polyline", "hatches"
_COMMANDS = {  # number -> what, its whole numbers and its reals
    127: (_LAYER, "i", "<f4"),
    128: (_LAYER, "H", "<u2"),
    129: (_POLYLINE, "H", "<u2"),
    130: (_POLYLINE, "i", "<f4"),
    131: (_HATCHES, "H", "<u2"),
    132: (_HATCHES, "i", "<f4"),
}


@dataclass(frozen=True, eq=False)
class Drawn:
    """One command: a new layer if it has no points."""

    z: float = 0.0
    direction: int = 0
    points: Points | None = None


def commands(data: bytes) -> Iterator[Drawn]:
    """Layers and polylines in the order of the file; hatches are passed over.

    Raises:
        ValueError: an unknown command, or the data ends within one.
    """
    at = len(data) - len(data.lstrip(b"\r\n"))
    while at < len(data):
        number = int.from_bytes(data[at : at + 2], "little")
        if number not in _COMMANDS:
            raise ValueError(f"command {number} at byte {at} of its geometry")
        what, whole, real = _COMMANDS[number]
        at += 2
        if what == _LAYER:
            z, at = _reals(data, at, 1, real)
            yield Drawn(z=float(z[0]))
            continue
        head = struct.Struct(f"<{3 if what == _POLYLINE else 2}{whole}")
        if at + head.size > len(data):
            raise ValueError("it ends within a command")
        numbers, at = head.unpack_from(data, at), at + head.size
        values, at = _reals(data, at, numbers[-1] * (2 if what == _POLYLINE else 4), real)
        if what == _POLYLINE:
            yield Drawn(direction=numbers[1], points=believable(values.reshape(-1, 2)))


def _reals(data: bytes, at: int, count: int, kind: str) -> tuple[np.ndarray, int]:
    """Numbers from a place on, and the place behind them."""
    end = at + count * int(kind[-1])
    if count < 0 or end > len(data):
        raise ValueError("it ends within a command")
    return np.frombuffer(data, kind, count, at).astype(np.float64), end
