"""A file in a folder of frames -> whether it is something else that people and systems leave there."""

from __future__ import annotations

from layerwatch.images.folder import claimants
from layerwatch.inspection.first_bytes import UNKNOWN_SUFFIX, suffix_of

_ENDINGS = (
    "txt md rst log csv tsv xml html htm pdf rtf doc docx xls xlsx ppt pptx odt ods ini cfg conf toml yaml yml db "
    "lnk url zip 7z gz tar exe dll bat sh py bak swp stl 3mf gcode svg cli"
)
_OTHER = frozenset(f".{ending}" for ending in _ENDINGS.split())


def is_other(suffix: str, data: bytes, *, is_named: bool) -> bool:
    """Whether it is no frame. What looks like a picture, by name or content, is one, however broken it is.

    Args:
        suffix: of its name, such as ".txt".
        data: its content.
        is_named: its name says which layer it is of; then only what is surely no picture is something else, so that
            frames of a kind that is not read do not go unnoticed.
    """
    told = suffix.lower()
    if told in claimants() or suffix_of(data) != UNKNOWN_SUFFIX:
        return False
    return told in _OTHER or not is_named
