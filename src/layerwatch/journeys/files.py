"""Paths that a user gave -> bytes, parts, machines, models and checkpoints; the disk side of every journey."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from layerwatch.images.gate_files import DESCRIPTION, NUMBERS, unpack_gate
from layerwatch.images.gating import Gate
from layerwatch.images.writing import check_result as check_result  # the command line knows journeys only
from layerwatch.images.writing import new_folder, write_file
from layerwatch.job.machine import Machine, default_machine, read_machine
from layerwatch.job.machine import shipped_text as shipped_text  # the command line knows journeys only
from layerwatch.job.ranges import Ranges
from layerwatch.job.rangesfile import read_ranges
from layerwatch.part.layered import Layered, holds_layers, read_layer_files, read_layered
from layerwatch.part.reading import MAX_BYTES, Part, read_part
from layerwatch.records import DataError, UsageError

_CAP = "LAYERWATCH_MAX_MB"  # environment variable: MiB of the largest file that is read


def read_bytes(path: Path) -> bytes:
    """The bytes of a file.

    Raises:
        UsageError: no such file.
        DataError: it cannot be read, or is larger than the cap.
    """
    if not path.is_file():
        raise UsageError(f"{path}: {'this is a folder, give a file' if path.is_dir() else 'no such file'}")
    if path.stat().st_size > largest_file():
        raise DataError(
            f"{path}: {path.stat().st_size:,} bytes, more than the {largest_file():,} that are read; "
            f"make it smaller, or allow more MiB with the environment variable {_CAP}"
        )
    try:
        return path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); look at its permissions") from None


def largest_file() -> int:
    """Bytes of the largest file that is read: 512 MiB, or what the environment says.

    Raises:
        UsageError: the environment says no number.
    """
    told = os.environ.get(_CAP, str(MAX_BYTES // 2**20))
    if not told.isdecimal() or int(told) == 0:
        raise UsageError(f"{_CAP}={told!r}; give a whole number of MiB, such as 2048")
    return int(told) * 2**20


def open_gate(folder: Path) -> Gate:
    """A fitted gate from its folder.

    Raises:
        UsageError: no such folder.
        DataError: a file is missing, broken or was changed.
    """
    if not folder.is_dir():
        raise UsageError(
            f"{folder}: no such folder; give the gate's folder, such as ARCHIVE/gate of `layerwatch clean`"
        )
    there = (folder / name for name in (NUMBERS, DESCRIPTION))
    return unpack_gate({path.name: path.read_bytes() for path in there if path.is_file()}, str(folder))


@contextmanager
def naming(name: str) -> Iterator[None]:
    """Errors of data inside the block name the file."""
    try:
        yield
    except DataError as error:
        raise error if name in str(error) else DataError(f"{name}: {error}") from None


def open_part(path: Path, machine: Machine, unit: str | None = None) -> Part:
    """Read the part file; errors as in ``read_bytes`` and ``read_part``."""
    return read_part(read_bytes(path), path.name, machine.bed, unit, max_bytes=largest_file())


def open_layers(path: Path, machine: Machine) -> Layered | None:
    """What a layer file, or a folder with one SVG a layer, holds; None for meshes.

    Raises:
        UsageError: no such file, or a folder without SVG files.
        DataError: as in ``read_layered`` and ``read_layer_files``.
    """
    if not path.is_dir():
        data = read_bytes(path)
        return read_layered(data, path.name, machine.bed) if holds_layers(data, path.name) else None
    files = sorted(file for file in path.iterdir() if file.suffix.lower() == ".svg")
    if not files:
        raise UsageError(f"{path}: a folder without SVG files; give a part file, or a folder with one SVG a layer")
    return read_layer_files(
        [(file.name, read_bytes(file)) for file in files], path.name.removesuffix("-layers"), machine.bed
    )


def open_machine(path: Path | None) -> Machine:
    """Read a machine file, or take the shipped one; errors as in ``read_bytes`` and ``read_machine``."""
    if path is None:
        return default_machine()
    return read_machine(read_text(path), path.name)


def open_ranges(path: Path | None, preset: str) -> Ranges | None:
    """Read learnt intervals, laid over those of a preset; None for none.

    Raises:
        UsageError: no such file or preset.
        DataError: broken, or an unknown or impossible key, which is named.
    """
    return None if path is None else read_ranges(read_text(path), path.name, preset)


def read_text(path: Path) -> str:
    """The text of a TOML file.

    Raises:
        UsageError: no such file.
        DataError: it cannot be read, or is no text.
    """
    try:
        return read_bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise DataError(f"{path}: not a text file; give a file in TOML") from None


@dataclass(frozen=True)
class FolderCheckpoint:
    """Keeps the state of each training as a file in a folder of its own; a save is there whole or not at all."""

    folder: Path

    def load(self, name: str) -> bytes | None:
        """See Checkpoint."""
        path = self._path(name)
        return path.read_bytes() if path.exists() else None

    def save(self, name: str, data: bytes) -> None:
        """See Checkpoint."""
        write_file(self._path(name), data)

    def remove(self) -> None:
        """Forget everything, once the model itself is stored."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _path(self, name: str) -> Path:
        file = name.replace(" ", "_")
        return self.folder / (file if "." in file else f"{file}.safetensors")

    @property
    def is_under_way(self) -> bool:
        """Whether a training's state lies here."""
        return any(path.stem != "origin" for path in self.folder.glob("*.safetensors"))


def save_model(folder: Path, files: dict[str, bytes]) -> None:
    """Write the files of a model as one folder, whole or not at all.

    Raises:
        UsageError: the folder cannot be written.
    """
    with new_folder(folder) as fresh:
        for name, data in files.items():
            (fresh / name).write_bytes(data)


def load_model(folder: Path) -> Any:
    """Read a model folder back as a StoredModel.

    Raises:
        UsageError: no such folder.
        DataError: it holds no sound model.
    """
    from layerwatch.detectors.storage.model_files import unpack

    if not folder.is_dir():
        what = "this is a file" if folder.exists() else "no such folder"
        raise UsageError(f"{folder}: {what}; give the folder of a model that `layerwatch train` wrote")
    return unpack({p.name: read_bytes(p) for p in folder.iterdir() if p.is_file()}, str(folder))
