"""A frame's file name, sidecar and tags -> printer, job, layer, phase and time, or what is missing; never a guess.

Three sources are asked, and the first that tells wins: the sidecar (``NAME.json`` or ``NAME.tiff.json`` beside the
file, written by the machine for this frame), the file's path by a pattern, and the tags inside the file. Where two of
them tell different things, that is said. What no source tells is missing, and the frame is unidentified.

A pattern is the end of a path without the file's suffix, such as ``{job}/L{layer}_{phase}`` or
``{printer}_{job}_L{layer}_{phase}_{time:%Y%m%dT%H%M%S}``. A path that a pattern fits in more than one way tells
nothing: with ``{printer}_{job}``, ``a_b_c`` may be of printer a or of printer a_b.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property, partial
from pathlib import Path

from layerwatch.records import DataError, Fault, Picture, UsageError, plainly

NEEDED = ("printer", "job", "layer", "phase", "time")
UNKNOWN_LAYER = -1
_MAX_NAME, _MAX_SIDECAR, _MAX_LAYER = 1024, 2**16, 10**7
_MAX_FOLDER = {"job": 200, "phase": 40}  # bytes of names that become a folder
_FIELD = re.compile(r"\{(\w+)(?::([^{}]*))?\}")
_DIGITS = {"Y": 4, "m": 2, "d": 2, "H": 2, "M": 2, "S": 2, "y": 2, "j": 3}
_ZONE = r"(?:Z|[+-]\d{2}:?\d{2})"


@dataclass(frozen=True)
class Identity:
    """What a frame is of; None: not known."""

    printer: str | None = None
    job: str | None = None
    layer: int | None = None
    phase: str | None = None  # such as recoated or printed
    time: datetime | None = None  # of the exposure; without a zone where the source names none

    @property
    def known(self) -> tuple[str, ...]:
        """Names of the fields that are known."""
        return tuple(f.name for f in fields(self) if getattr(self, f.name) is not None)


@dataclass(frozen=True)
class Identified:
    """An identity, and what is wrong with it."""

    identity: Identity
    fault: Fault | None  # of kind "unidentified"; None: all that is needed is known
    contradictions: tuple[str, ...] = ()  # between sources, in words
    unusable: tuple[str, ...] = ()  # sources that are there and cannot be used, and why


@dataclass(frozen=True)
class Pattern:
    """How paths tell what a frame is of."""

    text: str

    def check(self) -> None:
        """Refuse a pattern that cannot work.

        Raises:
            UsageError: an unknown field, one twice, none at all, or a time in a form that is not read.
        """
        names = [match[1] for match in _FIELD.finditer(self.text)]
        if not names or len(set(names)) < len(names) or not set(names) <= set(NEEDED):
            raise UsageError(
                f"pattern {self.text!r}: give some of {', '.join(f'{{{name}}}' for name in NEEDED)}, each once at most"
            )
        if re.search(r"[{}]", _FIELD.sub("", self.text)):
            raise UsageError(f"pattern {self.text!r}: a brace without its partner; fields look like {{layer}}")
        _ = self._expressions

    def identity(self, path: Path) -> Identity:
        """What the path tells.

        Raises:
            UsageError: the pattern itself cannot work.
            DataError: the pattern does not fit, fits in more than one way, or what it finds is no number or time.
        """
        self.check()
        depth = self.text.count("/") + 1
        told = "/".join([*path.absolute().parts[-depth:-1], path.stem])[-_MAX_NAME:]
        lazy, greedy = (expression.fullmatch(told) for expression in self._expressions)
        if lazy is None or greedy is None:
            raise DataError(f"{told!r} does not fit the pattern {self.text!r}")
        if lazy.groupdict() != greedy.groupdict():
            raise DataError(f"{told!r} fits the pattern {self.text!r} in more than one way")
        return self._parsed(lazy.groupdict())

    @cached_property
    def _expressions(self) -> tuple[re.Pattern[str], re.Pattern[str]]:
        """The first gives every field as little as it can, the second as much; one way only, and they agree."""
        lazy, greedy, place = "", "", 0
        for match in _FIELD.finditer(self.text):
            literal = re.escape(self.text[place : match.start()])
            few, many = _expression(match[1], match[2])
            lazy += f"{literal}(?P<{match[1]}>{few})"
            greedy += f"{literal}(?P<{match[1]}>{many})"
            place = match.end()
        rest = re.escape(self.text[place:])
        return re.compile(lazy + rest), re.compile(greedy + rest)

    def _parsed(self, told: Mapping[str, str]) -> Identity:
        form = next((match[2] for match in _FIELD.finditer(self.text) if match[1] == "time"), None)
        return Identity(
            printer=told.get("printer"),
            job=None if "job" not in told else _text("job", told["job"]),
            layer=_layer(told["layer"]) if "layer" in told else None,
            phase=None if "phase" not in told else _text("phase", told["phase"]),
            time=_moment(told["time"], form) if "time" in told else None,
        )


@dataclass(frozen=True)
class Naming:
    """Asks all sources of a frame."""

    pattern: Pattern | None = None
    needed: tuple[str, ...] = NEEDED
    tolerance: float = 2.0  # s by which two sources may differ in the time

    def identify(self, path: Path, picture: Picture | None = None) -> Identified:
        """What the frame is of.

        Args:
            path: of its file; it need not exist.
            picture: what was read from it, for its tags and time; None: it could not be read.

        Raises:
            UsageError: the pattern cannot work.
        """
        told: dict[str, Identity] = {}
        troubles: list[str] = []
        for source, ask in (
            ("sidecar", partial(_of_sidecar, path)),
            ("name", partial(_of_path, path, self.pattern)),
            ("tags", partial(_of_tags, picture)),
        ):
            try:
                told[source] = ask()
            except DataError as error:
                troubles.append(f"{source}: {error}")
        best = Identity()
        for identity in told.values():
            best = replace(best, **{n: getattr(identity, n) for n in identity.known if n not in best.known})
        missing = [name for name in self.needed if name not in best.known]
        fault = _unidentified(best, missing, troubles) if missing or _is_sidecar_broken(told) else None
        return Identified(best, fault, tuple(self._contradictions(told)), tuple(troubles))

    def _contradictions(self, told: Mapping[str, Identity]) -> list[str]:
        found = []
        for name in NEEDED:
            said = {source: getattr(one, name) for source, one in told.items() if name in one.known}
            first = next(iter(said), "")
            found += [
                f"{name}: {first} says {said[first]}, {other} says {value}"
                for other, value in said.items()
                if self._differ(said[first], value)
            ]
        return found

    def _differ(self, a: object, b: object) -> bool:
        """Times are compared only where both have a zone, or neither has."""
        if isinstance(a, datetime) and isinstance(b, datetime):
            is_alike = (a.tzinfo is None) == (b.tzinfo is None)
            return is_alike and abs(a - b) > timedelta(seconds=self.tolerance)
        return a != b


def _is_sidecar_broken(told: Mapping[str, Identity]) -> bool:
    """The source that would win is there and cannot be read: what the others tell may be wrong."""
    return "sidecar" not in told


def _unidentified(known: Identity, missing: list[str], troubles: list[str]) -> Fault:
    what = f"not known: {', '.join(missing)}" if missing else "all is known, but not from the sidecar"
    return Fault(
        job=known.job or "",
        layer=UNKNOWN_LAYER if known.layer is None else known.layer,
        kind="unidentified",
        evidence="; ".join([what, *troubles]),
        advice="give a pattern for the names, a sidecar NAME.json with these fields, or tags in the file",
    )


def _of_sidecar(path: Path) -> Identity:
    """What the file beside it tells; nothing where there is none."""
    if not path.name:
        return Identity()  # the working folder, which no frame is
    beside = [path.with_suffix(".json"), path.with_name(f"{path.name}.json")]
    found = [one for one in beside if one.is_file() and one != path]
    if not found:
        return Identity()
    try:
        with found[0].open("rb") as file:
            data = file.read(_MAX_SIDECAR + 1)
        if len(data) > _MAX_SIDECAR:
            raise DataError(f"{found[0].name} has more than {_MAX_SIDECAR:,} bytes")
        content = json.loads(data)
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"{found[0].name} cannot be used ({plainly(error)})") from None
    if not isinstance(content, dict):
        raise DataError(f"{found[0].name} holds no object with fields")
    return _of_fields(content)


def _of_path(path: Path, pattern: Pattern | None) -> Identity:
    return Identity() if pattern is None else pattern.identity(path)


def _of_tags(picture: Picture | None) -> Identity:
    """The reader's own tags, or JSON in the description; the time is that of the exposure."""
    if picture is None:
        return Identity()
    told: dict[str, object] = {name: picture.tags[name] for name in NEEDED if name in picture.tags}
    for key in ("ImageDescription", "UserComment", "Description", "Comment"):
        try:
            content = json.loads(picture.tags.get(key, ""))
        except (ValueError, RecursionError):
            continue
        if isinstance(content, dict):
            told = {name: content[name] for name in NEEDED if name in content} | told
    identity = _of_fields(told)
    return identity if identity.time is not None else replace(identity, time=picture.time)


def _of_fields(told: Mapping[str, object]) -> Identity:
    """Fields by name, of the right kinds."""
    texts = {name: _text(name, told[name]) for name in ("printer", "job", "phase") if told.get(name) is not None}
    layer, time = told.get("layer"), told.get("time")
    return Identity(
        **texts,
        layer=None if layer is None else _layer(layer),
        time=None if time is None else _moment(time, None),
    )


def _text(name: str, value: object) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= _MAX_NAME or not value.isprintable():
        raise DataError(f"{name} is {str(value)[:40]!r}, no name")
    most = _MAX_FOLDER.get(name)
    if most and (set(value) & set("/\\") or value.strip(". ") == "" or len(value.encode()) > most):
        raise DataError(f"{name} is {value[:40]!r}, no name of a folder")
    return value


def _layer(value: object) -> int:
    is_number = isinstance(value, int) and not isinstance(value, bool)
    is_digits = isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 12
    if not (is_number or is_digits) or not 0 <= int(str(value)) <= _MAX_LAYER:
        raise DataError(f"layer is {str(value)[:40]!r}, no number of a layer")
    return int(str(value))


def _moment(value: object, form: str | None) -> datetime:
    """Of a text by its form, in ISO 8601 without one, or of seconds since 1970 as a number."""
    try:
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return datetime.fromtimestamp(value, UTC)
        if not isinstance(value, str):
            raise TypeError
        return datetime.strptime(value, form) if form else datetime.fromisoformat(value)
    except (ValueError, TypeError, OverflowError, OSError):
        raise DataError(f"time is {str(value)[:40]!r}, no date and time") from None


def _expression(name: str, form: str | None) -> tuple[str, str]:
    """Of one field, as short and as long as possible."""
    if name == "time":
        exact = _of_time(form or "%Y%m%dT%H%M%S")
        return exact, exact
    if form is not None:
        raise UsageError(f"{{{name}:{form}}}: only a time has a form, such as {{time:%Y%m%dT%H%M%S}}")
    if name == "layer":
        return r"\d+?", r"\d+"
    return r"[^/]+?", r"[^/]+"


def _of_time(form: str) -> str:
    """Digits of fixed width, so that a time begins and ends in one place only."""
    found, place = "", 0
    for match in re.finditer(r"%(.)", form):
        found += re.escape(form[place : match.start()])
        if match[1] not in {*_DIGITS, "f", "z", "%"}:
            raise UsageError(f"{{time:{form}}}: %{match[1]} is not read; there are %{', %'.join(_DIGITS)}, %f, %z")
        found += {"f": r"\d{1,6}", "z": _ZONE, "%": "%"}.get(match[1]) or rf"\d{{{_DIGITS[match[1]]}}}"
        place = match.end()
    return found + re.escape(form[place:])
