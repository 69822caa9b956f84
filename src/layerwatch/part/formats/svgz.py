"""Layer SVG, compressed."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from layerwatch.part.formats.base import Format
from layerwatch.part.formats.svg import Svg
from layerwatch.records import DataError, Layer

_MAX_BYTES = 256 * 2**20  # after decompression
_MAX_RATIO, _SMALL = 100, 16 * 2**20  # of packing; what unpacks to few bytes may be packed better


@dataclass
class Svgz(Format):
    """The same file as SVG, gzip around it; the same layers give the same bytes."""

    summary: ClassVar[str] = "SVG as Slic3r writes it, compressed (layers)"
    source: ClassVar[str] = "SVG 1.1, section 1.2: gzip-compressed SVG"
    suffixes: ClassVar[tuple[str, ...]] = (".svgz",)

    def write_layers(self, layers: Sequence[Layer], *, name: str, provenance: dict[str, str]) -> bytes:
        """See Format."""
        return gzip.compress(Svg().write_layers(layers, name=name, provenance=provenance), 6, mtime=0)

    def read_layers(self, data: bytes, name: str) -> tuple[Layer, ...]:
        """See Format; what would grow beyond 256 MB, or a hundred times, is refused before it does."""
        inflate, most = zlib.decompressobj(wbits=31), min(_MAX_BYTES, max(_SMALL, _MAX_RATIO * len(data)))
        try:
            text = inflate.decompress(data, most)
        except zlib.error as error:
            raise DataError(f"{name}: not a gzip file, or broken ({error}); slice the part again") from None
        if inflate.unconsumed_tail:
            raise DataError(f"{name}: more than the {most:,} bytes read once unpacked; write fewer layers a file")
        if not inflate.eof:
            raise DataError(f"{name}: truncated gzip file; copy it again")
        return Svg().read_layers(text, name)
