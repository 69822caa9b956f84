"""A path -> a file that HDF5 writes into; a full disk is an error as anywhere else."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any


class EnduringFile(io.RawIOBase):
    """HDF5 crashes the process when it cannot write, so the first error is kept and later writes are forgotten."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("w+b", buffering=0)
        self._error: OSError | None = None

    def check(self) -> None:
        """Raise the error of an earlier write, if there was one."""
        if self._error is not None:
            raise self._error

    def write(self, data: Any) -> int:
        """All of the data, or nothing once a write failed; says that it wrote either way."""
        rest = memoryview(data)
        size = rest.nbytes
        try:
            while rest.nbytes and self._error is None:
                rest = rest[self._file.write(rest) :]
        except OSError as error:
            self._error = error
        return size

    def readinto(self, buffer: Any) -> int:
        """What lies there, and zeros where a write was forgotten."""
        view = memoryview(buffer).cast("B")
        count = self._file.readinto(view) or 0
        view[count:] = bytes(view.nbytes - count)
        return view.nbytes

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """See io.RawIOBase."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """See io.RawIOBase."""
        return self._file.tell()

    def truncate(self, size: int | None = None, /) -> int:
        """See io.RawIOBase; forgotten once a write failed."""
        try:
            if self._error is None:
                self._file.truncate(size)
        except OSError as error:
            self._error = error
        return self._file.tell() if size is None else size

    def close(self) -> None:
        """See io.RawIOBase."""
        with suppress(AttributeError):
            self._file.close()
        super().close()


@contextmanager
def new_hdf5(h5py: Any, path: Path) -> Iterator[tuple[Any, EnduringFile]]:
    """A new HDF5 file, and where to ask whether all went well so far.

    Raises:
        OSError: not everything could be written.
    """
    with EnduringFile(path) as raw:
        with h5py.File(raw, "w") as file:
            yield file, raw
        raw.check()
