"""A TOML table -> the fields of a dataclass, each of the right type; what is wrong is named with its place."""

from __future__ import annotations

import math
import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from difflib import get_close_matches
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from layerwatch.records import DataError, UsageError

T = TypeVar("T")

_WORDS: dict[Any, str] = {
    str: 'a text in quotes, or {env = "NAME"}, or {file = "path"}',
    Path: "a path in quotes",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    Any: "anything",
}
_LISTS = {tuple, list, Sequence, Collection, Iterable, frozenset, set}
_TABLES = {dict, Mapping}
_SECRET = ("password", "secret", "token", "key", "auth", "url", "database")  # values that no message repeats


class _UnfitError(ValueError):
    """A value is not of the wanted type."""


@dataclass(frozen=True)
class Place:
    """Where in which file a table stands, for messages and for relative paths."""

    file: Path
    name: str = ""  # such as "printer 2, camera"

    def inside(self, name: str) -> Place:
        """A table inside this one."""
        return Place(self.file, f"{self.name}, {name}" if self.name else name)

    def wrong(self, text: str) -> UsageError:
        """The error that says so."""
        return UsageError(": ".join(filter(None, (str(self.file), self.name, text))))

    def path(self, text: str) -> Path:
        """A path as written in the file; a relative one starts at the file's folder."""
        return self.file.absolute().parent / Path(text).expanduser()


def filled(kind: type[T], table: Mapping[str, Any], place: Place, /, **given: Any) -> T:
    """The dataclass with what the table says; ``given`` are fields that the table must not set.

    Raises:
        UsageError: an unknown, missing or impossible key, with its place and what would do.
    """
    settings = _settings(kind, table, place, given)
    try:
        return kind(**given, **settings)
    except (UsageError, DataError, ValueError) as error:
        raise place.wrong(str(error)) from None


def check_name(given: object, names: Iterable[str], what: str, place: Place) -> str:
    """The name, if it is one of these.

    Raises:
        UsageError: it is not; the message lists them, and the nearest first.
    """
    known = tuple(names)
    if isinstance(given, str) and given in known:
        return given
    near = get_close_matches(str(given), known, 1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    raise place.wrong(f"no {what} {given!r}; {hint}there are: {', '.join(known) or 'none'}")


def text_or_secret(value: object, place: Place) -> str:
    """A text as written, or the one that an environment variable or a file holds.

    Raises:
        UsageError: neither, or the variable or file is not there.
    """
    if isinstance(value, str):
        return value
    if not isinstance(value, Mapping) or len(value) != 1 or not all(isinstance(v, str) for v in value.values()):
        raise _UnfitError
    ((way, where),) = value.items()
    if way == "env":
        return _from_environment(where, place)
    if way == "file":
        return _from_file(place.path(where), place)
    raise _UnfitError


def _from_environment(name: str, place: Place) -> str:
    if name not in os.environ:
        raise place.wrong(f"the environment variable {name} is not set; set it for the service, or give a file")
    return os.environ[name]


def _from_file(path: Path, place: Place) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "no text in UTF-8"
        raise place.wrong(f"cannot read {path}: {reason}; give a file that the service may read") from None


def _settings(kind: type, table: Mapping[str, Any], place: Place, given: Collection[str]) -> dict[str, Any]:
    hints = get_type_hints(kind)
    known = {f.name: f for f in fields(kind) if f.init and not f.name.startswith("_") and f.name not in given}
    settable = [name for name in known if _can_stand_in_a_file(hints[name])]
    for key in table:
        check_name(key, settable, "key", place)
    for name in settable:
        if name not in table and _is_required(known[name]):
            raise place.wrong(f"{name} is missing; give {_words(hints[name])}")
    return {key: _checked(key, value, hints[key], place) for key, value in table.items()}


def _is_required(field: Field[Any]) -> bool:
    return field.default is MISSING and field.default_factory is MISSING


def _checked(key: str, value: object, kind: Any, place: Place) -> Any:
    try:
        return _fitted(value, kind, place.inside(key))
    except _UnfitError:
        shown = "..." if any(word in key.lower() for word in _SECRET) else repr(value)
        raise place.wrong(f"{key} = {shown}; it must be {_words(kind)}") from None


def _fitted(value: Any, kind: Any, place: Place) -> Any:
    """The value as the type wants it."""
    origin, args = get_origin(kind), get_args(kind)
    if origin in {Union, UnionType}:
        return _first_that_fits(value, [arg for arg in args if arg is not NoneType], place)
    if origin is Literal:
        return _need(value, any(value == arg and type(value) is type(arg) for arg in args))
    if (origin or kind) in _LISTS:
        return _fitted_list(value, origin or kind, args, place)
    if (origin or kind) in _TABLES:
        _need(value, isinstance(value, dict))
        return {key: _fitted(one, args[1] if args else Any, place.inside(key)) for key, one in value.items()}
    if is_dataclass(kind) and isinstance(kind, type):
        return filled(kind, _need(value, isinstance(value, dict)), place)
    return value if kind is Any else _fitted_plain(value, kind, place)


def _fitted_plain(value: Any, kind: Any, place: Place) -> Any:
    if kind is str:
        return text_or_secret(value, place)
    if kind is Path:
        return place.path(_need(value, isinstance(value, str) and bool(value)))
    if kind is float:
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        return float(_need(value, number and math.isfinite(value)))
    return _need(value, isinstance(value, kind) and isinstance(value, bool) == (kind is bool))


def _first_that_fits(value: Any, kinds: Iterable[Any], place: Place) -> Any:
    for kind in filter(_can_stand_in_a_file, kinds):
        try:
            return _fitted(value, kind, place)
        except _UnfitError:
            continue
    raise _UnfitError


def _fitted_list(value: Any, kind: Any, args: tuple[Any, ...], place: Place) -> Any:
    _need(value, isinstance(value, list))
    is_fixed = kind is tuple and args and args[-1] is not Ellipsis
    kinds = list(args) if is_fixed else [args[0] if args else Any] * len(value)
    _need(value, len(kinds) == len(value))
    found = [_fitted(one, of, place) for one, of in zip(value, kinds, strict=True)]
    return kind(found) if kind in {list, set, frozenset} else tuple(found)


def _need(value: T, is_right: bool) -> T:
    if not is_right:
        raise _UnfitError
    return value


def _can_stand_in_a_file(kind: Any) -> bool:
    origin, args = get_origin(kind), [arg for arg in get_args(kind) if arg not in {NoneType, Ellipsis}]
    if origin in {Union, UnionType}:
        return any(map(_can_stand_in_a_file, args))
    if (origin or kind) in _LISTS | _TABLES:
        return all(map(_can_stand_in_a_file, args))
    return origin is Literal or kind in _WORDS or (is_dataclass(kind) and isinstance(kind, type))


def _words(kind: Any) -> str:
    """The type, in words for people."""
    origin, args = get_origin(kind), [arg for arg in get_args(kind) if arg is not NoneType]
    if origin in {Union, UnionType}:
        return ", or ".join(_words(arg) for arg in args if _can_stand_in_a_file(arg))
    if origin is Literal:
        return "one of " + ", ".join(repr(arg) for arg in args)
    if (origin or kind) in _LISTS:
        return _list_words(origin, args)
    return _WORDS.get(kind, "a table")


def _list_words(origin: Any, args: Sequence[Any]) -> str:
    if origin is tuple and Ellipsis not in args:
        return "a list of " + " and ".join(map(_words, args))
    return f"a list, each {_words(args[0]) if args else 'anything'}"
