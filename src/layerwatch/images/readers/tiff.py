"""TIFF and BigTIFF, strips or tiles, one page or many, 8 or 16 bit or float."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Shaped

from layerwatch.images.decoding.exif import time_of
from layerwatch.images.decoding.limits import check_total
from layerwatch.images.decoding.orientation import upright
from layerwatch.images.decoding.pillow import decode, tags_of
from layerwatch.images.decoding.tiff_directory import Directory, Page
from layerwatch.images.decoding.tiff_segments import decode_page, is_simple
from layerwatch.images.decoding.units import narrowed, unit_of
from layerwatch.images.readers.base import Reader, check_page
from layerwatch.records import DataError, Picture


@dataclass
class Tiff(Reader):
    """Tagged Image File Format; data stored plain or deflated here, all else (LZW, PackBits, colour) through libtiff.

    Every page is a picture, thumbnails are not.
    """

    summary: ClassVar[str] = "TIFF and BigTIFF, 8 or 16 bit or float, strips, tiles, many pages"
    source: ClassVar[str] = "TIFF 6.0; TIFF Technical Note 3 (floats); BigTIFF"
    suffixes: ClassVar[tuple[str, ...]] = (".tif", ".tiff")

    def pictures(self, data: bytes, name: str, page: int | None = None) -> tuple[Picture, ...]:
        """See Reader."""
        directory = Directory(data, name)
        pages = directory.pages()
        wanted = [(number, directory.page(pages[number])) for number in check_page(page, len(pages), name)]
        check_total(sum(one.width * one.height for _, one in wanted), len(wanted), name)
        found = []
        for number, one in wanted:
            pixels = _with_white_high(_pixels(data, directory, one, name), one)
            tags = tags_of(data, "TIFF", one.number)
            found.append(Picture(pixels, unit_of(pixels), time_of(tags), tags, number, len(pages), name))
        return tuple(found)


def _pixels(data: bytes, directory: Directory, page: Page, name: str) -> Shaped[np.ndarray, "h w"]:
    if is_simple(page):
        return upright(narrowed(decode_page(data, page, directory.order, name), name), page.orientation)
    if page.samples > 1 and page.bits > 8 and page.kind == 1:
        raise DataError(f"{name}: colours of {page.bits} bits; save it as grey of 16 bits, so that no level is lost")
    if page.kind == 2:
        raise DataError(f"{name}: signed numbers of {page.bits} bits; save as 8- or 16-bit grey, or float")
    try:
        return decode(data, name, "TIFF", page.number)[0]
    except DataError as error:
        raise DataError(
            f"{error} (compression {page.compression}, photometric {page.photometric}, {page.bits} bits a sample)"
        ) from None


def _with_white_high(pixels: Shaped[np.ndarray, "h w"], page: Page) -> Shaped[np.ndarray, "h w"]:
    """Where 0 is white, turn 16 bits about; of 8 bits libtiff's caller has done so."""
    is_white = page.photometric == 0 and pixels.dtype in (np.uint8, np.uint16)
    if not is_white or (pixels.dtype == np.uint8 and not is_simple(page)):
        return pixels
    return np.asarray(np.iinfo(pixels.dtype).max - pixels, pixels.dtype)
