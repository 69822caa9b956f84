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
_MAX_DIRECTORY = 24 * 2**20  # bytes of its list of files, about 250,000 of them; one a layer is normal
_MAX_ELEMENTS = 3_000_000  # of one XML file
_MAX_TOTAL = 2 * 2**30  # of all files read from one ZIP
_ENCODING = re.compile(rb"""<\?xml[^>]*encoding\s*=\s*["']([^"']*)""")
_ENCODINGS = {b"utf-8", b"utf8", b"us-ascii", b"ascii", b"iso-8859-1", b"latin-1"}
_SVG_TYPE = re.compile(rb"""<!DOCTYPE\s+svg\s+PUBLIC(\s+"[^"<>\[]*"){1,2}\s*>""")

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
        end = self.data.rfind(b"PK\x05\x06")
        if end >= 0 and int.from_bytes(self.data[end + 12 : end + 16], "little") > _MAX_DIRECTORY:
            raise DataError(f"{self.name}: a ZIP of more than 250,000 files; is it a bomb? Export the part again")
        try:
            self._archive = zipfile.ZipFile(io.BytesIO(self.data))
        except _BROKEN as error:
            raise self._broken(error) from None
        self.files = self._archive.namelist()

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
        if len(data) != info.file_size:
            raise DataError(f"{self.name}: {file} does not unpack to the size that it says; export the part again")
        return data

    def xml(self, file: str) -> ElementTree.Element:
        """One file as XML; errors as in ``read`` and ``parsed``."""
        return parsed(self.read(file), self.name)

    def _broken(self, error: Exception) -> DataError:
        return DataError(f"{self.name}: not a {self.kind}, or broken ({error}); export the part again")


def parsed(data: bytes, name: str) -> ElementTree.Element:
    """XML without entities; of document types only the name of SVG's, which nothing loads.

    Raises:
        DataError: it has others, is in another encoding than UTF-8 or Latin-1, or is broken.
    """
    told = _ENCODING.search(data[:200])
    if data[:4].count(0) or (told and told[1].lower() not in _ENCODINGS):
        raise DataError(f"{name}: XML that is not in UTF-8; export the part again")
    if re.search(rb"<!(DOCTYPE|ENTITY)", _SVG_TYPE.sub(b"", data, count=1), re.IGNORECASE):
        raise DataError(f"{name}: XML with a document type or entities of its own; part files have none, export again")
    if data.count(b"<") > _MAX_ELEMENTS:
        raise DataError(f"{name}: more than {_MAX_ELEMENTS:,} XML elements; export the part coarser, or as binary STL")
    try:
        return ElementTree.fromstring(data)  # noqa: S314 # see above
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise DataError(f"{name}: broken XML ({error}); export the part again") from None
