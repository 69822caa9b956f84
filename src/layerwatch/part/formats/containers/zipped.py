"""The bytes of a ZIP from outside -> its files, never more than the limits allow, and XML without declarations."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from dataclasses import dataclass
from xml.etree import ElementTree

from layerwatch.records import DataError

_MAX_BYTES = 512 * 2**20  # of one unpacked file
_MAX_RATIO = 300  # of packing; more is a bomb
_MAX_ENTRIES = 250_000  # one a layer is normal
_MAX_TOTAL = 2 * 2**30  # of all files read from one ZIP

_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError, ValueError)


@dataclass
class Zipped:
    """A ZIP held in memory; files are unpacked one by one."""

    data: bytes
    name: str  # for messages
    kind: str  # what it should be, for messages: "3MF file"

    def __post_init__(self) -> None:
        """Open it.

        Raises:
            DataError: no ZIP, or one with too many entries.
        """
        self._total = 0
        try:
            self._archive = zipfile.ZipFile(io.BytesIO(self.data))
        except _BROKEN as error:
            raise self._broken(error) from None
        self.files = self._archive.namelist()
        if len(self.files) > _MAX_ENTRIES:
            raise DataError(
                f"{self.name}: a ZIP of {len(self.files):,} files, more than {_MAX_ENTRIES:,}; is it a bomb?"
            )

    def read(self, file: str) -> bytes:
        """One file.

        Raises:
            DataError: it is not there, broken, or larger than allowed or than it says.
        """
        if file not in self._archive.NameToInfo:
            raise DataError(f"{self.name}: a ZIP without {file}, so it is no {self.kind}; export the part again")
        info = self._archive.getinfo(file)
        if info.file_size > _MAX_BYTES or info.file_size > _MAX_RATIO * max(info.compress_size, 1024):
            raise DataError(f"{self.name}: {file} would unpack to {info.file_size:,} bytes; export the part coarser")
        self._total += info.file_size
        if self._total > _MAX_TOTAL:
            raise DataError(f"{self.name}: its files unpack to more than {_MAX_TOTAL:,} bytes; export the part coarser")
        try:
            with self._archive.open(info) as packed:
                data = packed.read(info.file_size + 1)
        except _BROKEN as error:
            raise self._broken(error) from None
        if len(data) > info.file_size:
            raise DataError(f"{self.name}: {file} unpacks to more than it says; export the part again")
        return data

    def xml(self, file: str) -> ElementTree.Element:
        """One file as XML; errors as in ``read`` and ``parsed``."""
        return parsed(self.read(file), self.name)

    def _broken(self, error: Exception) -> DataError:
        return DataError(f"{self.name}: not a {self.kind}, or broken ({error}); export the part again")


def parsed(data: bytes, name: str) -> ElementTree.Element:
    """XML without document types and entities.

    Raises:
        DataError: it has some, or is broken.
    """
    if re.search(rb"<!(DOCTYPE|ENTITY)", data, re.IGNORECASE) or data[:4].count(0):
        raise DataError(f"{name}: XML with a document type, or not in UTF-8; part files have none, export it again")
    try:
        return ElementTree.fromstring(data)  # noqa: S314 # see above
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise DataError(f"{name}: broken XML ({error}); export the part again") from None
