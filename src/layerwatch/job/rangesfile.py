"""Intervals in TOML <-> Ranges; a file may name some quantities only, the rest comes from a preset."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, replace
from typing import Any, TypeGuard

from layerwatch.job.ranges import PRESETS, Interval, Ranges
from layerwatch.records import DataError, UsageError

_EXAMPLE = "blur = [0.5, 0.9, 0.1]  # low, high, and the share within which each layer is drawn anew (may be left out)"
_COLDEST, _HOTTEST = -273.0, 3000.0  # degC
_PHYSICAL = {  # lowest and highest sensible value, with the unit
    "lamp": (_COLDEST, _HOTTEST, "degC, or K a layer"),
    "binder": (0.0, _HOTTEST, "K"),
    "sand": (0.0, _HOTTEST, "K"),
    "uneven": (0.0, 0.5, "a share of the lamp"),
    "swaths": (0.0, 0.5, "a share of the binder"),
    "bed_texture": (0.0, 1000.0, "K"),
    "part_texture": (0.0, 1000.0, "K"),
    "texture_length": (0.01, 10_000.0, "mm"),
    "anisotropy": (0.1, 10.0, "a ratio of lengths"),
    "texture_memory": (0.0, 0.99, "a correlation"),
    "decay": (0.0, 0.95, "a share of the layer before"),
    "creep": (0.0, 1000.0, "mm"),
    "chamber": (_COLDEST, _HOTTEST, "degC"),
    "pause": (0.0, 100_000.0, "layer times"),
    "emissivity": (0.05, 1.0, "a share"),
    "emissivity_step": (-0.95, 0.95, "a share"),
    "reflected": (_COLDEST, _HOTTEST, "degC"),
    "frame": (_COLDEST, _HOTTEST, "degC"),
    "blur": (0.0, 50.0, "px"),
    "vignetting": (0.0, 0.9, "a share"),
    "fixed_pattern": (0.0, 1000.0, "K"),
    "drift": (0.0, 1000.0, "K"),
    "place": (-10_000.0, 10_000.0, "mm"),
    "lamp_length": (0.1, 100_000.0, "mm"),
}
_IDLE = {  # quantities that the model of a preset does not have
    "paper": {
        "sand": "lamp is the level of the bed itself",
        "chamber": "lamp is the level of the bed itself",
        "creep": "heat is not conducted in it",
        "pause": "its jobs have no pauses",
    },
    "physical": {"decay": "heat is conducted in it; the layer time of the machine says how it fades"},
}


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
        UsageError: no such preset, or the file was learnt for another one.
        DataError: broken TOML, no quantity at all, or an unknown, idle or impossible key, which is named.
    """
    try:
        told = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise DataError(f"{name}: broken TOML ({error}); a quantity is written as {_EXAMPLE}") from None
    ranges = preset(base)
    _check_preset(told.pop("preset", base), name, base)
    if not told:
        raise DataError(f"{name}: no quantity in it, so nothing would change; write one at least, as {_EXAMPLE}")
    known = {f.name: value for f in fields(ranges) if isinstance(value := getattr(ranges, f.name), Interval)}
    _check_keys(told.keys(), tuple(known), name, base)
    changed: dict[str, Any] = {}
    if "hot_part" in told:
        changed["hot_part"] = _share(told.pop("hot_part"), f"{name}: hot_part")
    for key, value in told.items():
        changed[key] = _possible(_interval(value, known[key], f"{name}: {key}"), key, value, name)
    return replace(ranges, **changed)


def write_ranges(
    intervals: Mapping[str, Interval],
    comments: Mapping[str, str],
    *,
    preset: str | None = None,
    hot_part: float | None = None,
) -> str:
    """The TOML text of some intervals; each may carry a comment of one line.

    Args:
        intervals: by the names of quantities.
        comments: by the same names.
        preset: whose renderer they belong to; a file that names it is refused with another one.
        hot_part: share of jobs in which the part is the warmer one, if known.
    """
    lines = [] if preset is None else [f'preset = "{preset}"']
    if hot_part is not None:
        lines.append(f"hot_part = {hot_part:.4g}{_comment('hot_part', comments)}")
    for key, value in intervals.items():
        lines.append(f"{key} = [{value.low:.6g}, {value.high:.6g}, {value.layer:.4g}]{_comment(key, comments)}")
    return "\n".join([*lines, ""])


def _comment(key: str, comments: Mapping[str, str]) -> str:
    return f"  # {comments[key]}" if key in comments else ""


def _check_preset(told: object, name: str, base: str) -> None:
    if told not in PRESETS:
        raise DataError(f"{name}: preset = {told!r}; there are: {', '.join(PRESETS)}")
    if told != base:
        raise UsageError(f"{name} was learnt for the preset {told}, not {base}; give --preset {told}, or learn it anew")


def _check_keys(keys: Iterable[str], known: tuple[str, ...], name: str, base: str) -> None:
    for key in keys:
        if key not in known and key != "hot_part":
            raise DataError(f"{name}: unknown quantity {key}; there are: {', '.join(known)}, hot_part, preset")
        if key in _IDLE[base]:
            raise DataError(f"{name}: {key} has no effect in the preset {base}, {_IDLE[base][key]}; leave it out")


def _interval(value: object, base: Interval, key: str) -> Interval:
    numbers = value if isinstance(value, list) else []
    if len(numbers) not in {2, 3} or not all(map(_is_number, numbers)):
        raise DataError(f"{key} = {value!r}; it must be written as {_EXAMPLE}")
    low, high, layer = (*map(float, numbers), base.layer)[:3]
    if low > high or not 0 <= layer <= 1:
        raise DataError(f"{key} = {value!r}; low must not be above high, and the layer's share must lie in 0 to 1")
    return Interval(low, high, layer)


def _possible(own: Interval, key: str, value: object, name: str) -> Interval:
    """The interval, if nature allows it."""
    low, high, unit = _PHYSICAL[key]
    if own.low < low or own.high > high:
        raise DataError(f"{name}: {key} = {value!r}; low and high must lie in {low:g} to {high:g} ({unit})")
    return own


def _share(value: object, key: str) -> float:
    if not _is_number(value) or not 0 <= float(value) <= 1:
        raise DataError(f"{key} = {value!r}; it must be one number in 0 to 1, the share of jobs with a warmer part")
    return float(value)


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
