"""Words ``name=value`` of a user -> settings of a detector, each of the type that its default has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from layerwatch.detectors.base import Detector
from layerwatch.records import UsageError


def changed_settings(detector: Detector, words: Sequence[str]) -> dict[str, Any]:
    """The settings that the words name.

    Raises:
        UsageError: no such setting, or a value of another type.
    """
    known = {f.name: getattr(detector, f.name) for f in fields(detector) if not f.name.endswith("_")}  # type: ignore[arg-type] # things are dataclasses
    found = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or name not in known:
            there = ", ".join(f"{key}={_told(known[key])}" for key in sorted(known))
            raise UsageError(f"--set {word}: no such setting; give NAME=VALUE instead of one of: {there}")
        found[name] = _as(known[name], name, value)
    return found


def _as(default: object, name: str, value: str) -> object:
    """The value in the type of the default; several numbers are separated by commas."""
    try:
        match default:
            case bool():
                return {"true": True, "false": False, "1": True, "0": False}[value.lower()]
            case int() | float():
                return type(default)(value)
            case tuple():
                parts = value.strip("()[] ").split(",")
                return tuple(type(one)(part) for one, part in zip(default, parts, strict=True))
            case _:
                return value
    except (KeyError, ValueError):
        raise UsageError(f"--set {name}={value}: give a value like {_told(default)}") from None


def _told(value: object) -> str:
    """A value as a user would give it."""
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else str(value)
