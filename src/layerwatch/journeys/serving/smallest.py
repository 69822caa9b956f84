"""The smallest defects that a commissioned model finds: a file beside the model, read back and told in words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from layerwatch.inspection.checkup import Finding
from layerwatch.inspection.registry import Registry
from layerwatch.inspection.seals import sealed, unsealed
from layerwatch.inspection.site import PrinterSite, Site
from layerwatch.records import DataError, UsageError, counted

SMALLEST = "smallest.json"
UNKNOWN = "the smallest defect that is found is not known; layerwatch commission tells it"
_FORMAT = "layerwatch smallest 1"
_NEAR = 1e-3  # share by which two lines of alarm may differ and still be the same
_CALLED = {
    "small spot": "blobs of {}",
    "large spot": "blobs of {}",
    "line along the head's travel": "lines {} wide along the head's travel",
    "line along the recoater's travel": "lines {} wide along the recoater's travel",
    "level of one part": "the level of one part",
    "shift of the print": "shifts of the print",
}


@dataclass(frozen=True)
class Found:
    """From which amount on one kind of defect is found in nine of ten jobs."""

    defect: str
    size: float | None  # diameter or width; None where it has none
    length: str  # unit of the size: mm, or px where the size of a pixel is not known
    amount: float | None  # None: not even the largest that was tried, ``low``
    low: float | None  # ends of the two-sided 95 % interval by job; None: not known, or beyond what was tried
    high: float | None
    unit: str  # of the amounts: K, levels, mm, ...
    jobs: int  # into which it was laid


@dataclass(frozen=True)
class Smallest:
    """What commissioning has found, and by which line of alarm."""

    line: float
    found: tuple[Found, ...]


def packed(smallest: Smallest) -> bytes:
    """The file: JSON with its own SHA-256."""
    return sealed({"format": _FORMAT, "line": smallest.line, "found": [asdict(one) for one in smallest.found]})


def read_smallest(model: Path) -> Smallest | None:
    """What lies beside a model; None where nothing does.

    Raises:
        DataError: the file was changed, is of another format, or says what cannot be.
    """
    file = model / SMALLEST
    if not file.exists():
        return None
    told = unsealed(file, file)
    if told.get("format") != _FORMAT:
        raise _wrong(file, f"it is of format {told.get('format')!r}, this version reads {_FORMAT!r}")
    line, found = told.get("line"), told.get("found")
    if line is None or not _is_number(line) or not isinstance(found, list) or not found:
        raise _wrong(file, "it wants a line and a list of what was found")
    return Smallest(float(line), tuple(_found(one, file) for one in found))


def in_words(smallest: Smallest, line: float | None = None) -> str:
    """One line for a person.

    Args:
        smallest: what is known.
        line: of alarm that is in force; where it is that of commissioning, it is not told.
    """
    seen = [f"{_called(one)} from {one.amount:.3g} {one.unit}" for one in smallest.found if one.amount is not None]
    most = [
        f"{_called(one)} up to {one.low:.3g} {one.unit}"
        for one in smallest.found
        if one.amount is None and one.low is not None
    ]
    told = [f"finds in nine of ten jobs {', '.join(seen)}"] if seen else []
    told += [f"does not find {', '.join(most)}"] if most else []
    jobs = counted(min(one.jobs for one in smallest.found), "healthy job")
    told.append(f"tried in {jobs}")
    if line is None or abs(line - smallest.line) > _NEAR * abs(smallest.line):
        now = "" if line is None else f", which is {line:.4g} now: commission again to know it for that"
        told.append(f"with the alarm line at {smallest.line:.4g}{now}")
    return "; ".join(told)


def told_of(printer: str, model: Path, line: float) -> str:
    """What is said of a printer when its service starts; a file that cannot be used stops nobody.

    Args:
        printer: its name.
        model: folder of the model that judges its layers.
        line: of its alarms.
    """
    try:
        smallest = read_smallest(model)
    except DataError as error:
        return f"{printer}: the smallest defect that is found is not known: {error}"
    return f"{printer}: {UNKNOWN if smallest is None else in_words(smallest, line)}"


def findings(site: Site) -> tuple[Finding, ...]:
    """One a printer, for the doctor."""
    return tuple(_finding(printer, site.data) for printer in site.printers)


def _finding(printer: PrinterSite, data: Path) -> Finding:
    name = f"smallest defect {printer.name}"
    again = "layerwatch commission makes a model that tells it; put that one in force"
    try:
        smallest = read_smallest(_folder_of(printer, data))
    except UsageError as error:
        return Finding(name, "warn", str(error), "start the service once, or put a model in force")
    except DataError as error:
        return Finding(name, "fail", str(error), "then look again")
    if smallest is None:
        return Finding(name, "warn", "the smallest defect that is found is not known", again)
    return Finding(name, "ok", in_words(smallest))


def _folder_of(printer: PrinterSite, data: Path) -> Path:
    """Of the model that is in force."""
    return printer.model_folder or Registry(data).in_force(printer.name).path


def _called(one: Found) -> str:
    size = "" if one.size is None else f"{one.size:.3g} {one.length}"
    if one.defect in _CALLED:
        return _CALLED[one.defect].format(size)
    return f"{one.defect}, {size}" if size else one.defect


def _found(told: Any, file: Path) -> Found:
    wanted = set(Found.__dataclass_fields__)
    if not isinstance(told, dict) or told.keys() != wanted:
        raise _wrong(file, f"each defect has {', '.join(sorted(wanted))}, and nothing else")
    texts: Sequence[str] = ("defect", "length", "unit")
    for key in texts:
        if not isinstance(told[key], str) or not told[key]:
            raise _wrong(file, f"{key} = {told[key]!r} is no text")
    for key in ("size", "amount", "low", "high"):
        if told[key] is not None and not (_is_number(told[key]) and told[key] >= 0):
            raise _wrong(file, f"{key} = {told[key]!r} of {told['defect']} is no number from 0 on")
    if type(told["jobs"]) is not int or told["jobs"] < 1:
        raise _wrong(file, f"jobs = {told['jobs']!r} of {told['defect']} is no number from 1 on")
    if told["amount"] is None and told["low"] is None:
        raise _wrong(file, f"{told['defect']} has neither an amount nor the largest that was tried")
    numbers = {key: None if told[key] is None else float(told[key]) for key in ("size", "amount", "low", "high")}
    return Found(**{**told, **numbers})


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _wrong(file: Path, reason: str) -> DataError:
    return DataError(f"{file}: {reason}; restore it from a backup, or run layerwatch commission again")
