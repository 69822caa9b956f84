"""The first bytes of a file -> its suffix, where what brought it tells none."""

from __future__ import annotations

import re

UNKNOWN_SUFFIX = ".bin"
_USUAL = re.compile(r"\.[a-z0-9]{1,8}")
_BEGINNINGS = (
    (b"\x89PNG\r\n\x1a\n", ".png"),
    (b"II*\0", ".tiff"),
    (b"MM\0*", ".tiff"),
    (b"II+\0", ".tiff"),
    (b"MM\0+", ".tiff"),
    (b"\xff\xd8\xff", ".jpg"),
    (b"\x93NUMPY", ".npy"),
    (b"BM", ".bmp"),
)


def suffix_of(data: bytes) -> str:
    """What the content looks like; ``.bin`` where it is none of the kinds known."""
    return next((suffix for beginning, suffix in _BEGINNINGS if data.startswith(beginning)), UNKNOWN_SUFFIX)


def usual_suffix(told: str, data: bytes) -> str:
    """The suffix told, in lower case, or what the content looks like where none or a strange one was told."""
    lower = told.lower()
    return lower if _USUAL.fullmatch(lower) else suffix_of(data)
