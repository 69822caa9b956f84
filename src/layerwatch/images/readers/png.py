"""PNG, 8 or 16 bit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from layerwatch.images.decoding.exif import time_of
from layerwatch.images.decoding.pillow import decode
from layerwatch.images.decoding.units import unit_of
from layerwatch.images.readers.base import Reader, check_page
from layerwatch.records import DataError, Picture


@dataclass
class Png(Reader):
    """Portable Network Graphics through Pillow."""

    summary: ClassVar[str] = "PNG, 8 or 16 bit"
    source: ClassVar[str] = "ISO/IEC 15948"
    suffixes: ClassVar[tuple[str, ...]] = (".png",)

    def pictures(self, data: bytes, name: str, page: int | None = None) -> tuple[Picture, ...]:
        """See Reader."""
        check_page(page, 1, name)
        if data[24:25] == b"\x10" and data[25:26] in (b"\x02", b"\x06"):
            raise DataError(f"{name}: colours of 16 bits; save it as grey of 16 bits, so that no level is lost")
        pixels, tags = decode(data, name, "PNG")
        return (Picture(pixels, unit_of(pixels), time_of(tags), tags, name=name),)
