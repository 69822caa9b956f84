"""PNG, 8 or 16 bit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Shaped

from layerwatch.images.decoding.pillow import decode
from layerwatch.images.readers.base import Reader


@dataclass
class Png(Reader):
    """Portable Network Graphics through Pillow."""

    summary: ClassVar[str] = "PNG, 8 or 16 bit"
    source: ClassVar[str] = "ISO/IEC 15948"
    suffixes: ClassVar[tuple[str, ...]] = (".png",)

    def read(self, data: bytes, name: str) -> Shaped[np.ndarray, "h w"]:
        """See Reader."""
        return decode(data, name, "PNG")
