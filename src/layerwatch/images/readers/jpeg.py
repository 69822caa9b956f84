"""JPEG, 8 bit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Shaped

from layerwatch.images.decoding.pillow import decode
from layerwatch.images.readers.base import Reader


@dataclass
class Jpeg(Reader):
    """JPEG through Pillow; as a picture, not as radiometric data."""

    summary: ClassVar[str] = "JPEG, 8 bit, as a picture"
    source: ClassVar[str] = "ISO/IEC 10918-1"
    suffixes: ClassVar[tuple[str, ...]] = (".jpg", ".jpeg")

    def read(self, data: bytes, name: str) -> Shaped[np.ndarray, "h w"]:
        """See Reader."""
        return decode(data, name, "JPEG")
