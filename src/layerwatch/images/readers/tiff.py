"""TIFF of one page, 8 or 16 bit or float in [0, 1]."""

from __future__ import annotations

import io
import struct
import zlib
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import tifffile
from jaxtyping import Shaped

from layerwatch.images.decoding.pillow import decode
from layerwatch.images.readers.base import Reader, check_size
from layerwatch.records import DataError

_BROKEN = (tifffile.TiffFileError, ValueError, OSError, KeyError, IndexError, TypeError, struct.error, zlib.error)


@dataclass
class Tiff(Reader):
    """Tagged Image File Format through tifffile; what only Pillow decodes (LZW) or sees (colour) through Pillow."""

    summary: ClassVar[str] = "TIFF, one page, 8 or 16 bit, or float in [0, 1]"
    source: ClassVar[str] = "TIFF 6.0"
    suffixes: ClassVar[tuple[str, ...]] = (".tif", ".tiff")

    def read(self, data: bytes, name: str) -> Shaped[np.ndarray, "h w"]:
        """See Reader."""
        try:
            with tifffile.TiffFile(io.BytesIO(data)) as file:
                page = _only_page(file, name)
                if page.compression in {1, 8, 32946} and page.samplesperpixel == 1:
                    return page.asarray()
        except _BROKEN as error:
            raise DataError(f"{name}: broken or truncated TIFF file ({error}); copy or export it again") from None
        return decode(data, name, "TIFF")


def _only_page(file: tifffile.TiffFile, name: str) -> tifffile.TiffPage:
    if len(file.pages) != 1:
        raise DataError(f"{name}: {len(file.pages)} pages; one image a file is needed, so split it")
    page = file.pages.first
    check_size(page.imagelength, page.imagewidth, name)
    return page
