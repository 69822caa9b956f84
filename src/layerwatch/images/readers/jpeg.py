"""JPEG, 8 bit, as a picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from layerwatch.images.decoding.exif import time_of
from layerwatch.images.decoding.jpeg_segments import Segments
from layerwatch.images.decoding.pillow import decode
from layerwatch.images.readers.base import Reader, check_page
from layerwatch.records import DataError, Picture


@dataclass
class Jpeg(Reader):
    """JPEG through Pillow; refuses files whose temperatures only their maker's program can read."""

    summary: ClassVar[str] = "JPEG, 8 bit, as a picture"
    source: ClassVar[str] = "ISO/IEC 10918-1"
    suffixes: ClassVar[tuple[str, ...]] = (".jpg", ".jpeg")

    def pictures(self, data: bytes, name: str, page: int | None = None) -> tuple[Picture, ...]:
        """See Reader."""
        check_page(page, 1, name)
        segments = Segments(data)
        segments.check(name)
        if segments.is_dji_thermal():
            raise DataError(
                f"{name}: thermal JPEG of DJI without a block of FLIR's; its temperatures can only be had with DJI's "
                f"own program, and its picture is false colour; convert it with the DJI Thermal SDK to a float TIFF"
            )
        pixels, tags = decode(data, name, "JPEG", 0)
        return (Picture(pixels, "grey", time_of(tags), tags, name=name),)
