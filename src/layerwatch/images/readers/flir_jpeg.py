"""Radiometric JPEG of FLIR's cameras, as temperatures in degC."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from layerwatch.images.decoding.exif import time_of
from layerwatch.images.decoding.fff import parse_block
from layerwatch.images.decoding.jpeg_segments import Segments
from layerwatch.images.decoding.pillow import tags_of
from layerwatch.images.readers.base import Reader, check_page
from layerwatch.records import Picture


@dataclass
class FlirJpeg(Reader):
    """The raw counts beside the picture, turned into temperatures with the file's own parameters.

    They stay as the sensor gave them: the orientation tag is of the picture beside them.
    """

    summary: ClassVar[str] = "radiometric JPEG of FLIR's, as degC"
    source: ClassVar[str] = "T = B / ln(R1 / (R2 (S + O)) + F), FLIR; Minkina and Dudzik 2009, Infrared Thermography"
    suffixes: ClassVar[tuple[str, ...]] = (".jpg", ".jpeg")
    rank: ClassVar[int] = 1

    split: float = 0.0  # share of the path behind the window; 0 as FLIR's documents have it, 0.5 as other programs do

    def knows(self, data: bytes) -> bool:
        """See Reader."""
        return Segments(data).is_flir()

    def pictures(self, data: bytes, name: str, page: int | None = None) -> tuple[Picture, ...]:
        """See Reader."""
        check_page(page, 1, name)
        block = parse_block(Segments(data).flir_block(name), name)
        radiometry = replace(block.radiometry, split=self.split)
        tags = {
            "Model": block.model,
            "Serial": block.serial,
            "Payload": block.payload,
            "Emissivity": f"{radiometry.emissivity:.4g}",
            "Reflected": f"{radiometry.reflected - 273.15:.2f} degC",
            "Distance": f"{radiometry.distance:.4g} m",
        }
        told = {**tags_of(data, "JPEG"), **{key: text for key, text in tags.items() if text}}
        moment = block.time or time_of(told)
        return (Picture(radiometry.celsius(block.counts), "degC", moment, told, name=name),)
