"""Windows bitmap, 8 bit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Shaped

from layerwatch.images.decoding.pillow import decode
from layerwatch.images.readers.base import Reader


@dataclass
class Bmp(Reader):
    """BMP through Pillow, plain and run-length coded, as slicers write their layers."""

    summary: ClassVar[str] = "BMP, 1 or 8 bit, or colour"
    source: ClassVar[str] = "Microsoft, BITMAPINFOHEADER"
    suffixes: ClassVar[tuple[str, ...]] = (".bmp",)

    def read(self, data: bytes, name: str) -> Shaped[np.ndarray, "h w"]:
        """See Reader."""
        return decode(data, name, "BMP")
