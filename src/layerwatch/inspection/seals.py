"""Files of a folder -> a manifest of their SHA-256, and JSON that tells when any byte of it was changed."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from layerwatch.images.writing import write_file
from layerwatch.records import DataError

MANIFEST = "manifest.json"


def sealed(told: Mapping[str, Any]) -> bytes:
    """The JSON text with its own SHA-256; there is one way only to write the same."""
    digest = hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()
    return (json.dumps({**told, "sha256": digest}, indent=1, sort_keys=True) + "\n").encode()


def unsealed(file: Path, called: Path) -> dict[str, Any]:
    """The inverse of ``sealed``; ``called`` is the file's name in messages.

    Raises:
        DataError: the file is missing, or any byte of it was changed.
    """
    try:
        data = file.read_bytes()
        told: dict[str, Any] = json.loads(data)
        told.pop("sha256")
    except OSError as error:
        raise DataError(f"{called} cannot be read: {error.strerror}; restore it") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise broken_file(called) from None
    if sealed(told) != data:
        raise broken_file(called)
    return told


def digests(files: Mapping[str, bytes]) -> dict[str, str]:
    """SHA-256 of each file, by its name."""
    return {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}


def check_folder(folder: Path, called: Path) -> str:
    """Compare every file with the manifest; give back the manifest's SHA-256.

    Raises:
        DataError: a file is missing, was changed, or is not in the manifest; it is named.
    """
    wanted = unsealed(folder / MANIFEST, called / MANIFEST).get("files")
    if not isinstance(wanted, dict):
        raise broken_file(called / MANIFEST)
    there = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if not path.is_dir()}
    for name, digest in wanted.items():
        if name not in there:
            raise DataError(f"{called / name} is missing; restore it, or add the model again")
        if _digest(there[name], called / name) != digest:
            raise DataError(f"{called / name} was changed (SHA-256 differs); restore it, or add the model again")
    for name in sorted(there.keys() - wanted.keys() - {MANIFEST}):
        raise DataError(f"{called / name} does not belong to the model; take it away")
    return _digest(folder / MANIFEST, called / MANIFEST)


def write_through(file: Path, data: bytes) -> None:
    """Write beside the target, flush, rename, flush the folder.

    Raises:
        UsageError: the folder cannot be written.
    """
    write_file(file, data)
    flush(file.parent)


def flush(folder: Path) -> None:
    """Bring the names in a folder to disk."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def broken_file(file: Path) -> DataError:
    """A sealed file that does not say what it said."""
    return DataError(f"{file} was changed or is broken (SHA-256 differs); restore it from a backup")


def _digest(file: Path, called: Path) -> str:
    try:
        with file.open("rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest()
    except OSError as error:
        raise DataError(f"{called} cannot be read: {error.strerror}; restore it") from None
