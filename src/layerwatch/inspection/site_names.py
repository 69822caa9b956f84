"""The names that a site file gives -> a refusal of those that cannot name folders, or cannot be told apart."""

from __future__ import annotations

import re
from collections.abc import Sequence
from unicodedata import normalize

from layerwatch.inspection.settings import Place

_NAME = re.compile(r"[^./\\\s\x00-\x1f][^/\\\x00-\x1f]{0,99}")


def is_name(text: str) -> bool:
    """Whether it can name a folder."""
    return _NAME.fullmatch(text) is not None


def check_folder_name(name: str, place: Place) -> None:
    """Refuse what cannot name a folder.

    Raises:
        UsageError: it cannot.
    """
    if not is_name(name):
        text = "letters, digits, spaces, - and _ will do, not / or \\, and no . or space in front"
        raise place.wrong(f"name = {name!r} cannot name a folder; {text}")


def check_names_differ(names: Sequence[str], what: str, place: Place) -> None:
    """Refuse the same name twice.

    Raises:
        UsageError: a name comes twice.
    """
    for number, name in enumerate(names, 1):
        if name in names[: number - 1]:
            first = names.index(name) + 1
            raise place.wrong(f"{what} {number}: name = {name!r} is that of {what} {first}; give each its own name")


def check_folders_differ(names: Sequence[str], place: Place) -> None:
    """Refuse names of printers that some disks (Windows, macOS, network drives) take for one.

    Raises:
        UsageError: two names differ in nothing but upper and lower case.
    """
    known = [normalize("NFC", name).casefold() for name in names]
    for number, name in enumerate(known, 1):
        if name in known[: number - 1]:
            first, told = known.index(name), f"name = {names[number - 1]!r} differs from that of printer"
            text = "only in upper and lower case; give another one, for some disks keep both in one folder"
            raise place.wrong(f"printer {number}: {told} {first + 1}, {names[first]!r}, {text}")
