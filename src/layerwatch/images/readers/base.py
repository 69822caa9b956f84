"""The bytes of an image file -> its pixels, in the depth they came in."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np
from jaxtyping import Shaped

from layerwatch.records import DataError

MAX_PIXELS = 8192 * 8192


class Reader(ABC):
    """Decodes one kind of file. 16 bits stay 16 bits; colour becomes its luminance."""

    summary: ClassVar[str]
    source: ClassVar[str]
    suffixes: ClassVar[tuple[str, ...]]  # lower case, with the dot

    @abstractmethod
    def read(self, data: bytes, name: str) -> Shaped[np.ndarray, "h w"]:
        """Grey pixels as uint8, uint16 or float32.

        Raises:
            DataError: the bytes are no such file, or are broken or too large; ``name`` is in the message.
        """


def check_size(height: int, width: int, name: str) -> None:
    """Refuse before decoding what would fill the memory."""
    if height * width > MAX_PIXELS:
        raise DataError(
            f"{name}: {width} x {height} pixels are more than the {MAX_PIXELS:,} allowed; shrink or tile it"
        )
    if height < 8 or width < 8:
        raise DataError(f"{name}: {width} x {height} pixels are too few to judge; at least 8 x 8 are needed")
