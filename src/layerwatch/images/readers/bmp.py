"""Windows bitmap, 8 bit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from layerwatch.images.decoding.pillow import decode
from layerwatch.images.decoding.units import unit_of
from layerwatch.images.readers.base import Reader, check_page
from layerwatch.records import Picture


@dataclass
class Bmp(Reader):
    """BMP through Pillow, plain and run-length coded, as slicers write their layers."""

    summary: ClassVar[str] = "BMP, 1 or 8 bit, or colour"
    source: ClassVar[str] = "Microsoft, BITMAPINFOHEADER"
    suffixes: ClassVar[tuple[str, ...]] = (".bmp",)

    def pictures(self, data: bytes, name: str, page: int | None = None) -> tuple[Picture, ...]:
        """See Reader."""
        check_page(page, 1, name)
        pixels, tags = decode(data, name, "BMP")
        return (Picture(pixels, unit_of(pixels), None, tags, name=name),)
