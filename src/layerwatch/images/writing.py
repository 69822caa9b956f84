"""Bytes -> a file or folder that is there whole or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from layerwatch.records import UsageError


def write_file(path: Path, data: bytes) -> None:
    """Write beside the target, flush to disk, rename.

    Raises:
        UsageError: the folder cannot be written.
    """
    partial = path.with_name(f".{path.name}.partial")
    missing = [parent for parent in path.parents if not parent.exists()]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as error:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
            for parent in missing:
                parent.rmdir()
        raise _cannot_write(path, error) from None


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """A folder to fill; it gets its name only if the block ends well, and leaves nothing behind if not."""
    partial = path.with_name(f".{path.name}.partial")
    missing = [parent for parent in path.parents if not parent.exists()]
    try:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        yield partial
        shutil.rmtree(path, ignore_errors=True)
        partial.replace(path)
    except OSError as error:
        raise _cannot_write(path, error) from None
    finally:
        shutil.rmtree(partial, ignore_errors=True)
        with suppress(OSError):  # not empty where all went well
            for parent in missing:
                parent.rmdir()


def check_writable(folder: Path) -> None:
    """Prove that the folder can be made and written into, before any work is done for it; nothing is left behind.

    Raises:
        UsageError: it cannot.
    """
    there = next(parent for parent in (folder, *folder.absolute().parents) if parent.exists())
    if not there.is_dir():
        raise UsageError(f"cannot write {folder}: {there} is no folder; give a place that may be written")
    try:
        with tempfile.TemporaryFile(dir=there):
            pass
    except OSError as error:
        raise _cannot_write(folder, error) from None


def check_result(path: Path, inputs: Sequence[Path]) -> None:
    """Refuse to write a result over a device, a folder, or into what the result is made from.

    Raises:
        UsageError: ``path`` is none of a new or plain file, or lies inside one of the inputs.
    """
    if path.exists() and not path.is_file():
        raise UsageError(f"{path} is no plain file; give --out a new file, such as results.json")
    for folder in inputs:
        if path.resolve().is_relative_to(folder.resolve()):
            place = f"lies inside {folder}, which is read" if folder.is_dir() else "is read itself"
            raise UsageError(f"{path} {place}; give a place elsewhere to write to")
    check_writable(path.parent)


def _cannot_write(path: Path, error: OSError) -> UsageError:
    missing = isinstance(error, FileNotFoundError)  # what systems say of folders that take no files, such as /proc
    reason = "no file or folder can be made there" if missing else error.strerror or error
    return UsageError(f"cannot write {path}: {reason}; give a place that may be written, with room for it")
