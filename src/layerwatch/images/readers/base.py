"""The bytes of an image file -> its pixels, in the depth they came in."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np
from jaxtyping import Shaped


class Reader(ABC):
    """Decodes one kind of file. 16 bits stay 16 bits."""

    summary: ClassVar[str]
    source: ClassVar[str]
    suffixes: ClassVar[tuple[str, ...]]  # lower case, with the dot

    @abstractmethod
    def read(self, data: bytes, name: str) -> Shaped[np.ndarray, "h w"]:
        """Grey pixels as uint8, uint16 or float32.

        Raises:
            DataError: the bytes are no such file, or hold more than one grey channel; ``name`` is in the message.
        """
