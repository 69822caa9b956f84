"""Intervals in TOML <-> Ranges; a file may name some quantities only, the rest comes from a preset."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from typing import Any

from layerwatch.job.ranges import PRESETS, Interval, Ranges
from layerwatch.records import DataError, UsageError

_EXAMPLE = "blur = [0.5, 0.9, 0.1]  # low, high, and the share within which each layer is drawn anew (may be left out)"


def preset(name: str) -> Ranges:
    """The ranges of a preset.

    Raises:
        UsageError: there is none of that name.
    """
    if name not in PRESETS:
        raise UsageError(f"no preset {name!r}; there are: {', '.join(PRESETS)}")
    chosen: Callable[[], Ranges] = PRESETS[name]
    return chosen()


def read_ranges(text: str, name: str, base: str) -> Ranges:
    """Lay the intervals of a TOML file over those of the preset ``base``.

    Raises:
        UsageError: no such preset.
        DataError: broken TOML, or an unknown or impossible key, which is named.
    """
    try:
        told = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise DataError(f"{name}: broken TOML ({error}); a quantity is written as {_EXAMPLE}") from None
    ranges = preset(base)
    intervals = {f.name: getattr(ranges, f.name) for f in fields(ranges)}
    known = [key for key, value in intervals.items() if isinstance(value, Interval)]
    for key in told.keys() - set(known):
        raise DataError(f"{name}: unknown quantity {key}; there are: {', '.join(known)}")
    changed: dict[str, Any] = {key: _interval(value, intervals[key], f"{name}: {key}") for key, value in told.items()}
    return replace(ranges, **changed)


def write_ranges(intervals: Mapping[str, Interval], comments: Mapping[str, str]) -> str:
    """The TOML text of some intervals; each may carry a comment of one line."""
    lines = []
    for key, value in intervals.items():
        comment = f"  # {comments[key]}" if key in comments else ""
        lines.append(f"{key} = [{value.low:.6g}, {value.high:.6g}, {value.layer:.4g}]{comment}")
    return "\n".join([*lines, ""])


def _interval(value: object, base: Interval, key: str) -> Interval:
    numbers = value if isinstance(value, list) else []
    sound = [isinstance(n, (int, float)) and not isinstance(n, bool) and math.isfinite(n) for n in numbers]
    if len(numbers) not in {2, 3} or not all(sound):
        raise DataError(f"{key} = {value!r}; it must be written as {_EXAMPLE}")
    low, high, layer = (*map(float, numbers), base.layer)[:3]
    if low > high or not 0 <= layer <= 1:
        raise DataError(f"{key} = {value!r}; low must not be above high, and the layer's share must lie in 0 to 1")
    return Interval(low, high, layer)
