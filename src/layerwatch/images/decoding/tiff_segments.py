"""A page of a TIFF file -> its pixels, strip by strip or tile by tile, for data stored plain or deflated.

No piece is unfolded further than the picture needs, whatever it claims. LZW, PackBits and the rest go through libtiff.
"""

from __future__ import annotations

import zlib

import numpy as np
from jaxtyping import Shaped

from layerwatch.images.decoding.tiff_directory import Page
from layerwatch.records import DataError

_PLAIN, _DEFLATED = {1}, {8, 32946}
_TYPES = {(8, 1): "u1", (16, 1): "u2", (16, 3): "f2", (32, 1): "u4", (32, 3): "f4", (64, 3): "f8"}


def is_simple(page: Page) -> bool:
    """Whether ``decode_page`` knows this kind."""
    is_known = page.compression in _PLAIN | _DEFLATED and (page.bits, page.kind) in _TYPES
    is_float = page.kind == 3
    predictors = {1, 3} if is_float and page.bits > 16 else {1} if is_float else {1, 2}
    return is_known and page.samples == 1 and page.photometric in {0, 1} and page.predictor in predictors


def decode_page(data: bytes, page: Page, order: str, name: str) -> Shaped[np.ndarray, "h w"]:
    """The pixels in their own depth and the machine's byte order.

    Raises:
        DataError: a piece is missing, too short or broken.
    """
    dtype = np.dtype(order + _TYPES[page.bits, page.kind])
    rows, columns = page.tile
    across, down = -(-page.width // columns), -(-page.height // rows)
    if len(page.offsets) < across * down:
        raise _broken(name, f"{len(page.offsets)} of {across * down} pieces of data are there")
    pixels = np.empty((page.height, page.width), dtype.newbyteorder("="))
    for number in range(across * down):
        top, left = number // across * rows, number % across * columns
        height = rows if page.is_tiled else min(rows, page.height - top)
        piece = _piece(data, page, number, height * columns * dtype.itemsize, name)
        block = _predicted(piece, page.predictor, dtype, (height, columns))
        inside = pixels[top : top + rows, left : left + columns]
        inside[:] = block[: inside.shape[0], : inside.shape[1]]
    return pixels


def _piece(data: bytes, page: Page, number: int, size: int, name: str) -> bytes | memoryview:
    """The bytes of a strip or tile, unfolded."""
    begin = page.offsets[number]
    piece: bytes | memoryview = memoryview(data)[begin : begin + page.counts[number]]
    if page.compression in _DEFLATED:
        try:
            piece = zlib.decompressobj().decompress(piece, size)
        except zlib.error as error:
            raise _broken(name, str(error)) from None
    if len(piece) < size:
        raise _broken(name, f"piece {number} has {len(piece):,} bytes where {size:,} are needed")
    return piece[:size]


def _predicted(
    piece: bytes | memoryview, predictor: int, dtype: np.dtype, shape: tuple[int, int]
) -> Shaped[np.ndarray, "h w"]:
    """Undo the differences that the compression was given."""
    if predictor == 3:
        return _float_predicted(piece, dtype, shape)
    block = np.frombuffer(piece, dtype).reshape(shape)
    return np.cumsum(block, axis=1, dtype=dtype.newbyteorder("=")) if predictor == 2 else block


def _float_predicted(piece: bytes | memoryview, dtype: np.dtype, shape: tuple[int, int]) -> Shaped[np.ndarray, "h w"]:
    """Adobe's predictor for floats: differences of bytes, all highest bytes of a row first."""
    planes = np.cumsum(np.frombuffer(piece, np.uint8).reshape(shape[0], -1), axis=1, dtype=np.uint8)
    numbers = planes.reshape(shape[0], dtype.itemsize, shape[1]).transpose(0, 2, 1)
    return np.ascontiguousarray(numbers).view(dtype.newbyteorder(">"))[:, :, 0]


def _broken(name: str, what: str) -> DataError:
    return DataError(f"{name}: broken or truncated TIFF file ({what}); copy or export it again")
