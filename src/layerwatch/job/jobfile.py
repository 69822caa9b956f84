"""A job layout in TOML -> which part files lie where on the bed, turned and scaled, in mm and degrees."""

from __future__ import annotations

import math
import tomllib
from dataclasses import dataclass
from typing import Any

from layerwatch.records import DataError

_KEYS: dict[str, type] = {"file": str, "unit": str, "x": float, "y": float, "turn": float, "scale": float}
_NEEDED = ("file", "x", "y")
_EXAMPLE = '[[part]] file = "core.stl", x = 40.0, y = 60.0, turn = 90.0, scale = 1.0, unit = "mm"'


@dataclass(frozen=True)
class PlacedFile:
    """One copy of a part file on the bed."""

    file: str  # beside the layout file, or with a path
    x: float  # mm, of its lowest corner once turned and scaled
    y: float  # mm
    turn: float = 0.0  # degrees about z, counter-clockwise
    scale: float = 1.0
    unit: str | None = None  # of the file


def read_layout(text: str, name: str) -> tuple[PlacedFile, ...]:
    """Read the copies of a job.

    Raises:
        DataError: broken TOML, or a missing, unknown or impossible key, which is named.
    """
    try:
        told = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise DataError(f"{name}: broken TOML ({error}); each copy is written as {_EXAMPLE}") from None
    copies = told.get("part")
    if not isinstance(copies, list) or not copies or not all(isinstance(copy, dict) for copy in copies):
        raise DataError(f"{name}: no [[part]] in it; each copy is written as {_EXAMPLE}")
    for key in told.keys() - {"part"}:
        raise DataError(f"{name}: unknown key {key}; a layout holds [[part]] only, as in {_EXAMPLE}")
    return tuple(_placed(copy, f"{name}: part {number}") for number, copy in enumerate(copies, 1))


def _placed(copy: dict[str, Any], name: str) -> PlacedFile:
    for key in copy.keys() - _KEYS.keys():
        raise DataError(f"{name}: unknown key {key}; there are: {', '.join(_KEYS)}")
    for key in _NEEDED:
        if key not in copy:
            raise DataError(f"{name}: {key} is missing; a copy is written as {_EXAMPLE}")
    for key, value in copy.items():
        kind = _KEYS[key]
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
        if not (isinstance(value, str) if kind is str else is_number):
            raise DataError(f"{name}: {key} = {value!r}; it must be {'text' if kind is str else 'a finite number'}")
    if not 1e-3 <= copy.get("scale", 1.0) <= 1e3:
        raise DataError(f"{name}: scale = {copy['scale']!r}; it must lie between 0.001 and 1000")
    told: dict[str, Any] = {key: float(value) if _KEYS[key] is float else value for key, value in copy.items()}
    return PlacedFile(**told)
