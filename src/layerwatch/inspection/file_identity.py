"""A file's path below a folder, or the levels of an address -> which frame it is, or why that is not known."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from layerwatch.images.naming import Identity as Told
from layerwatch.images.naming import Naming, Pattern
from layerwatch.inspection.deliveries import UNKNOWN, Identity
from layerwatch.records import DataError

_DIGITS = re.compile(r"(?<![0-9])(?<![0-9]T)[0-9]+")  # not the time of a date such as 20260102T030400
_LONGEST = 7  # digits of a layer's number; dates have eight
_MOST_LAYER = 10**7
_MOST_BYTES = {"job": 200, "phase": 40, "shot": 80}  # of names that may become part of a path


@dataclass(frozen=True)
class Claim:
    """Which frame a file says it is."""

    identity: Identity
    exposed: float | None = None  # s since 1970, where the source names a time with its zone
    unidentified: str = ""  # why it cannot be said; empty where it can


@dataclass(frozen=True)
class FileIdentity:
    """How the files below one folder are told apart: sidecar, then pattern, then the only number in the name."""

    printer: str
    root: Path
    pattern: str | None = None  # for images.naming
    job: str = ""  # where no file tells one; default: the first sub-folder's name, else the root's

    def claim(self, path: Path) -> Claim:
        """What the file is of; it need not exist.

        Raises:
            UsageError: the pattern cannot work.
        """
        found = Naming(None if self.pattern is None else Pattern(self.pattern), ("layer",)).identify(path)
        told, reasons = found.identity, [*found.unusable, *found.contradictions]
        layer = told.layer
        if layer is None and self.pattern is None and not reasons:
            layer = _only_number(path.stem)
        if layer is None and not reasons:
            reasons.append(f"no single number in {path.name!r}: give a pattern, or a sidecar NAME.json with its layer")
        if told.printer is not None and told.printer != self.printer:
            reasons.append(f"it is of printer {told.printer!r}, and {self.printer!r} is watched here")
        identity = Identity(self.printer, self._job(path, told), UNKNOWN if layer is None else layer, told.phase or "")
        return Claim(identity, _seconds(told.time), "; ".join(reasons))

    def _job(self, path: Path, told: Told) -> str:
        if told.job is not None or self.job:
            return told.job or self.job
        below = path.relative_to(self.root).parts
        return below[0] if len(below) > 1 else self.root.absolute().name


def natural(path: Path) -> tuple[tuple[str | int, ...], ...]:
    """Sort key of a path: layer 9 before layer 10."""
    return tuple(tuple(int(p) if p.isdecimal() else p for p in re.split(r"(\d+)", part)) for part in path.parts)


def addressed(printer: str, job: str, layer: str, phase: str = "", shot: str = "") -> Identity:
    """Which frame an address with these levels names.

    Raises:
        DataError: the layer is no number, or a name cannot be one.
    """
    for name, text in (("job", job), ("phase", phase), ("shot", shot)):
        if text or name == "job":
            _check(name, text)
    if not (layer.isascii() and layer.isdigit() and len(layer) < 12 and int(layer) <= _MOST_LAYER):
        raise DataError(f"layer is {layer[:40]!r}; give its number, 0 to {_MOST_LAYER}")
    return Identity(printer, job, int(layer), phase, shot)


def _check(name: str, text: str) -> None:
    is_odd = not text.isprintable() or set(text) & set("/\\") or text.strip(". ") == ""
    if is_odd or len(text.encode()) > _MOST_BYTES[name]:
        raise DataError(f"{name} is {text[:40]!r}; give at most {_MOST_BYTES[name]} bytes of text without slashes")


def _only_number(stem: str) -> int | None:
    found = [int(digits) for digits in _DIGITS.findall(stem) if len(digits) <= _LONGEST]
    return found[0] if len(found) == 1 else None


def _seconds(time: datetime | None) -> float | None:
    """A time without a zone may be any zone's, and is not used."""
    return None if time is None or time.tzinfo is None else time.timestamp()
