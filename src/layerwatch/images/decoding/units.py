"""Pixels of a file that names no unit -> what they may be taken for."""

from __future__ import annotations

from typing import Literal

import numpy as np
from jaxtyping import Shaped

from layerwatch.records import DataError


def unit_of(pixels: Shaped[np.ndarray, "h w"]) -> Literal["grey", "counts"]:
    """Grey: 8 bits, or floats in [0, 1]. All else are counts whose meaning is for the caller to say."""
    if pixels.dtype == np.uint8:
        return "grey"
    is_share = pixels.dtype.kind == "f" and bool(pixels.min() >= 0 and pixels.max() <= 1)
    return "grey" if is_share else "counts"


def narrowed(pixels: Shaped[np.ndarray, "h w"], name: str) -> Shaped[np.ndarray, "h w"]:
    """The same values as uint8, uint16 or float32, in the machine's byte order.

    Raises:
        DataError: whole numbers beyond 16 bits, or of another kind.
    """
    if not pixels.dtype.isnative:
        pixels = pixels.astype(pixels.dtype.newbyteorder("="))
    if pixels.dtype in (np.uint8, np.uint16, np.float32):
        return pixels
    if pixels.dtype.kind == "f":
        with np.errstate(over="ignore"):
            return pixels.astype(np.float32)
    if pixels.dtype.kind not in "iu":
        raise DataError(f"{name}: pixels of type {pixels.dtype}; save as 8- or 16-bit grey, or float")
    if pixels.min() < 0 or pixels.max() > 65535:
        raise DataError(f"{name}: pixels from {pixels.min()} to {pixels.max()}, beyond 16 bits; save as 16-bit grey")
    return pixels.astype(np.uint16)
