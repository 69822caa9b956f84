"""NumPy arrays (.npy) of one frame or many, without pickle."""

from __future__ import annotations

import io
import tokenize
from dataclasses import dataclass
from math import prod
from typing import ClassVar

import numpy as np
from jaxtyping import Shaped

from layerwatch.images.decoding.limits import check_pages, check_size, check_total
from layerwatch.images.decoding.units import narrowed, unit_of
from layerwatch.images.readers.base import Reader, check_page
from layerwatch.records import DataError, Picture

_CHANNELS = 4  # at most: red, green, blue and how opaque
_NO_HEAD = (ValueError, SyntaxError, TypeError, OverflowError, RecursionError, MemoryError, tokenize.TokenError)


@dataclass
class Npy(Reader):
    """An array of h x w, or n x h x w pictures; whole numbers up to 16 bits, or floats."""

    summary: ClassVar[str] = "NumPy array, one frame or many"
    source: ClassVar[str] = "NumPy enhancement proposal 1, format 1.0 to 3.0"
    suffixes: ClassVar[tuple[str, ...]] = (".npy",)

    def pictures(self, data: bytes, name: str, page: int | None = None) -> tuple[Picture, ...]:
        """See Reader."""
        stack = _stack(data, name)
        height, width = stack.shape[1:]
        check_size(height, width, name)
        check_pages(len(stack), name)
        wanted = check_page(page, len(stack), name)
        check_total(len(wanted) * height * width, len(wanted), name)
        frames = [(number, narrowed(stack[number], name)) for number in wanted]
        return tuple(Picture(f, unit_of(f), page=number, pages=len(stack), name=name) for number, f in frames)


def _stack(data: bytes, name: str) -> Shaped[np.ndarray, "n h w"]:
    """The array as it lies in the file, nothing copied."""
    file = io.BytesIO(data)
    try:
        version = np.lib.format.read_magic(file)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, is_fortran, dtype = read(file)
    except _NO_HEAD as error:
        raise DataError(f"{name}: not a .npy file, or broken in its head ({error}); save it with numpy.save") from None
    if dtype.hasobject or dtype.kind not in "iuf" or dtype.itemsize > 8:
        raise DataError(f"{name}: an array of {dtype}; save whole numbers of 8 or 16 bits, or floats")
    if len(shape) == 3 and 0 < shape[2] <= _CHANNELS < min(shape[:2]):
        raise DataError(
            f"{name}: an array of {' x '.join(map(str, shape))}, so its last axis holds colours or channels; save one "
            f"of them as h x w, such as array[:, :, 0], or frames as n x h x w"
        )
    if len(shape) not in {2, 3} or min(shape) < 1:
        raise DataError(f"{name}: an array of {' x '.join(map(str, shape))}; save h x w, or n x h x w")
    if prod(shape) * dtype.itemsize != len(data) - file.tell():
        raise DataError(f"{name}: broken or truncated .npy file, {len(data):,} bytes are not its size; copy it again")
    array = np.frombuffer(data, dtype, offset=file.tell()).reshape(shape, order="F" if is_fortran else "C")
    return array[None] if len(shape) == 2 else array
