"""The bytes of frames as they were received -> files that are on the disk before anybody is told so.

A file's name holds its content's SHA-256, so the same frame sent twice is the same file, and a half-written file can
only be one that nobody was told of.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from layerwatch.inspection.deliveries import Delivery, Identity
from layerwatch.inspection.failpoints import step
from layerwatch.inspection.names import safe
from layerwatch.records import DataError

FRAMES, HEAT = "frames", "heat"
_PARTIAL = ".partial"
_SUFFIX = re.compile(r"\.[a-z0-9]{1,8}")


class StorageError(DataError):
    """Nothing can be kept at the moment: the disk is full or broken; the sender keeps the frame and sends it again."""


@dataclass(frozen=True)
class Spooled:
    """A frame that is safe."""

    path: str  # relative to the data folder, with /
    sha256: str
    size: int  # bytes


@dataclass(frozen=True)
class Spool:
    """Files below a data folder."""

    folder: Path
    _sure: set[Path] = field(default_factory=set, init=False, repr=False, compare=False)  # their names are on the disk

    def keep(self, delivery: Delivery) -> Spooled:
        """The bytes of a delivery, verbatim.

        Raises:
            StorageError: they cannot be kept; nothing half-written stays.
        """
        digest = hashlib.sha256(delivery.data).hexdigest()
        suffix = delivery.suffix.lower() if _SUFFIX.fullmatch(delivery.suffix.lower()) else ".bin"
        place = f"{place_of(FRAMES, delivery.identity)}_{digest[:16]}{suffix}"
        self._write(place, delivery.data, "spool", is_there=self._is_there(place, delivery.data))
        return Spooled(place, digest, len(delivery.data))

    def keep_heat(self, identity: Identity, data: bytes) -> str:
        """A heat map as a picture file; returns its place. Errors as in ``keep``."""
        place = f"{place_of(HEAT, identity)}.png"
        self._write(place, data, "heat")
        return place

    def path(self, place: str) -> Path:
        """Where a kept file lies."""
        return self.folder / place

    def read(self, place: str) -> bytes:
        """The bytes of a kept file.

        Raises:
            StorageError: they are not there any more.
        """
        try:
            return self.path(place).read_bytes()
        except OSError as error:
            raise StorageError(f"{place} cannot be read: {error.strerror}; look at the disk") from None

    def sweep(self) -> int:
        """Remove what a crash left half-written; returns how many files. Nobody was told of any of them."""
        left = list(self._partial())
        for path in left:
            path.unlink(missing_ok=True)
        return len(left)

    def _partial(self) -> Iterator[Path]:
        for part in (FRAMES, HEAT):
            yield from (self.folder / part).rglob(f"*{_PARTIAL}")

    def _is_there(self, place: str, data: bytes) -> bool:
        try:
            return self.path(place).read_bytes() == data
        except OSError:
            return False

    def _write(self, place: str, data: bytes, what: str, *, is_there: bool = False) -> None:
        """Where the file is there, only its name is made sure of: who wrote it may have ended before that."""
        target = self.path(place)
        partial = target.with_name(target.name + _PARTIAL)
        try:
            if not is_there:
                self._make(target.parent)
                _write_durably(partial, data, what)
                with step(f"{what} rename"):
                    partial.replace(target)
            with step(f"{what} fsync folder"):
                self._settle(target.parent)
        except OSError as error:
            with suppress(OSError):
                partial.unlink(missing_ok=True)
            raise StorageError(
                f"{place} cannot be written: {error.strerror}; make room or mend the disk, the frame is sent again"
            ) from None

    def _make(self, folder: Path) -> None:
        if not folder.exists():
            self._sure.discard(folder)
        folder.mkdir(parents=True, exist_ok=True)

    def _settle(self, folder: Path) -> None:
        """Put the names in a folder on the disk, and once for each folder those of the folders that lead to it."""
        _sync(folder)
        if folder in self._sure:
            return
        for one in folder.parents:
            if not one.is_relative_to(self.folder):
                break
            _sync(one)
        with suppress(OSError):  # the data folder's own name: not every place lets us
            _sync(self.folder.parent)
        self._sure.add(folder)


def place_of(kind: str, identity: Identity) -> str:
    """Place of a file without ending; whatever names come from outside, it lies below the folder."""
    told = f"{identity.layer:06d}" if identity.layer >= 0 else "unknown"
    name = f"{told}~{safe(identity.phase)}~{safe(identity.shot)}" if identity.phase or identity.shot else told
    return "/".join([kind, safe(identity.printer), safe(identity.job), name])


def _write_durably(path: Path, data: bytes, what: str) -> None:
    with path.open("wb") as file:
        with step(f"{what} write"):
            file.write(data)
            file.flush()
        with step(f"{what} fsync"):
            os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
