"""Pixels of any depth -> grey in [0, 1] as float32, and back to 8 or 16 bit."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32, Shaped, UInt8, UInt16

from layerwatch.records import DataError


def to_grey(pixels: Shaped[np.ndarray, "h w"], name: str) -> Float32[np.ndarray, "h w"]:
    """Divide by the depth's full scale; float pixels must lie in [0, 1] already.

    Raises:
        DataError: NaN or infinite pixels, floats outside [0, 1], another type.
    """
    if pixels.dtype in (np.uint8, np.uint16):
        return pixels.astype(np.float32) / np.float32(np.iinfo(pixels.dtype).max)
    if pixels.dtype.kind != "f":
        raise DataError(f"{name}: pixels of type {pixels.dtype}; save as 8- or 16-bit grey, or float in [0, 1]")
    if not np.isfinite(pixels).all():
        raise DataError(f"{name}: {np.count_nonzero(~np.isfinite(pixels))} pixels are NaN or infinite; mend the export")
    if pixels.min() < 0 or pixels.max() > 1:
        raise DataError(f"{name}: float pixels from {pixels.min():g} to {pixels.max():g}; scale them to [0, 1]")
    return pixels.astype(np.float32)


def to_uint16(grey: Float32[np.ndarray, "h w"]) -> UInt16[np.ndarray, "h w"]:
    """Round to the nearest of 65,536 levels; ``to_grey`` gives it back to 1 / 131,070."""
    return np.asarray(np.rint(np.clip(grey, 0, 1) * 65535), np.uint16)


def to_uint8(grey: Float32[np.ndarray, "h w"]) -> UInt8[np.ndarray, "h w"]:
    """Round to the nearest of 256 levels."""
    return np.asarray(np.rint(np.clip(grey, 0, 1) * 255), np.uint8)
