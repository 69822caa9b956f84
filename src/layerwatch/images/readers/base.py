"""The bytes of an image file -> its pictures, in the depth they came in, each with its unit."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar

import numpy as np
from jaxtyping import Shaped

from layerwatch.images.decoding.limits import MAX_PIXELS, check_size, read_limited
from layerwatch.records import DataError, Picture

__all__ = ["MAX_PIXELS", "Reader", "check_size"]


class Reader(ABC):
    """Decodes one kind of file. 16 bits stay 16 bits; colour becomes its luminance."""

    summary: ClassVar[str]
    source: ClassVar[str]
    suffixes: ClassVar[tuple[str, ...]]  # lower case, with the dot
    rank: ClassVar[int] = 0  # of several readers of one suffix, who know the content, the highest reads it
    is_job: ClassVar[bool] = False  # a file holds a whole job, so it is no layer of a folder

    def knows(self, data: bytes) -> bool:
        """Whether the content is of this kind; asked only of files with one of the suffixes."""
        return True

    @abstractmethod
    def pictures(self, data: bytes, name: str, page: int | None = None) -> tuple[Picture, ...]:
        """All pictures of a file, or the one of that number.

        Raises:
            DataError: the bytes are no such file, are broken or too large, or hold no picture of that number;
                ``name`` is in the message.
        """

    def read(self, data: bytes, name: str) -> Shaped[np.ndarray, "h w"]:
        """Pixels of a file of one picture as uint8, uint16 or float32; errors as in ``pictures``."""
        first = self.pictures(data, name, 0)[0]
        if first.pages != 1:
            raise DataError(f"{name}: {first.pages} pages; one image a file is needed here, so split it")
        return first.pixels

    def from_file(self, path: Path, name: str, page: int | None = None) -> tuple[Picture, ...]:
        """The same from a file; kinds that are too large for the memory read there in place.

        Raises:
            DataError: as in ``pictures``, or the file cannot be read.
        """
        return self.pictures(read_limited(path, name), name, page)


def check_page(page: int | None, pages: int, name: str) -> tuple[int, ...]:
    """The numbers of the pictures that are wanted.

    Raises:
        DataError: there is none, or none of that number.
    """
    if pages < 1:
        raise DataError(f"{name}: no picture in it; look at what wrote it")
    if page is None:
        return tuple(range(pages))
    if not 0 <= page < pages:
        raise DataError(f"{name}: no picture {page}, it holds 0 to {pages - 1}; choose one of them")
    return (page,)
