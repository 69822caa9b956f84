"""What a file claims about itself -> a refusal before anything is decoded, if that would fill the memory."""

from __future__ import annotations

import os
from pathlib import Path

from layerwatch.records import DataError

MAX_PIXELS = 8192 * 8192  # of all pictures that are decoded at once
MAX_BYTES = 2**29  # of a file that is read as a whole
MAX_PAGES = 20_000  # layers of a high job
_FREE = 2**25  # bytes: as much may be decoded from any number of bytes, since an empty plan compresses without end
_MAX_RATIO = 200  # of decoded to stored bytes beyond that; photographs and heat stay below 20


def check_size(height: int, width: int, name: str) -> None:
    """Refuse before decoding what would fill the memory."""
    if height * width > MAX_PIXELS:
        raise DataError(
            f"{name}: {width} x {height} pixels are more than the {MAX_PIXELS:,} allowed; shrink or tile it"
        )
    if height < 8 or width < 8:
        raise DataError(f"{name}: {width} x {height} pixels are too few to judge; at least 8 x 8 are needed")


def check_ratio(decoded: int, stored: int, name: str) -> None:
    """Refuse a compression that no picture has; both in bytes."""
    if decoded > _FREE and decoded > _MAX_RATIO * stored:
        raise DataError(
            f"{name}: {stored:,} bytes that unfold to {decoded:,}, as in a decompression bomb; "
            f"save it with less compression"
        )


def check_total(pixels: int, pages: int, name: str) -> None:
    """Refuse to decode many pictures at once; one by one they may be read."""
    if pixels > MAX_PIXELS:
        raise DataError(
            f"{name}: {pages} pictures of {pixels:,} pixels together, more than the {MAX_PIXELS:,} allowed at once; "
            f"read them one by one"
        )


def check_pages(pages: int, name: str) -> None:
    """Refuse an endless file."""
    if pages > MAX_PAGES:
        raise DataError(f"{name}: more than {MAX_PAGES:,} pictures; split it")


def read_limited(path: Path, name: str) -> bytes:
    """The bytes of a plain file that is not too large.

    Raises:
        DataError: it is missing, no plain file, or too large.
    """
    try:
        if path.exists() and not path.is_file():
            raise DataError(f"{name}: no plain file; give an image file")
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            data = b"" if size > MAX_BYTES else file.read(size)  # room is made for as much as is asked for
    except OSError as error:
        raise DataError(
            f"{name}: cannot be read ({error.strerror}); look whether it is there, and at its permissions"
        ) from None
    if size > MAX_BYTES:
        raise DataError(f"{name}: {size:,} bytes are more than the {MAX_BYTES:,} bytes allowed; shrink or split it")
    return data
