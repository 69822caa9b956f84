"""The first bytes of a file -> what kind it is, for a file whose name says another one."""

from __future__ import annotations

from pathlib import Path

from layerwatch.records import DataError

_KINDS = (
    ("PNG", (b"\x89PNG\r\n\x1a\n",), (".png",)),
    ("TIFF", (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"), (".tiff", ".tif")),
    ("JPEG", (b"\xff\xd8\xff",), (".jpg", ".jpeg")),
    ("NumPy", (b"\x93NUMPY",), (".npy",)),
    ("HDF5", (b"\x89HDF\r\n\x1a\n",), (".hdf5", ".h5")),
    ("BMP", (b"BM",), (".bmp",)),
)
_LONGEST = 8  # bytes


def check_ending(path: Path, name: str) -> None:
    """Say so where a file that cannot be read is of another kind than its name says.

    Args:
        path: of the file.
        name: for messages.

    Raises:
        DataError: it is.
    """
    try:
        if not path.is_file():
            return
        with path.open("rb") as file:
            first = file.read(_LONGEST)
    except OSError:
        return
    for kind, beginnings, suffixes in _KINDS:
        if first.startswith(beginnings) and path.suffix.lower() not in suffixes:
            raise DataError(
                f"{name}: a {kind} file by its first bytes, but its name ends in {path.suffix}; "
                f"rename it to end in {suffixes[0]}"
            ) from None
