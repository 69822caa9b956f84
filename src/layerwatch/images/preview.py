"""A picture of any unit and depth -> an 8-bit PNG of the same size that every browser shows."""

from __future__ import annotations

import numpy as np

from layerwatch.images.archive import encode_png
from layerwatch.images.grey import to_uint8
from layerwatch.records import DataError, Picture

_ENDS = (0.5, 99.5)  # per cent of the pixels that become black and white


def preview(picture: Picture) -> bytes:
    """In greys of its own, so that a bed of few levels is seen; pixels without a value are black.

    Raises:
        DataError: no pixel has a value.
    """
    pixels = picture.pixels.astype(np.float32)
    known = np.isfinite(pixels)
    if not known.any():
        raise DataError(f"{picture.name}: every pixel is NaN or infinite; look at what wrote it")
    low, high = np.percentile(pixels[known], _ENDS).tolist()
    grey = (np.where(known, pixels, low) - np.float32(low)) / np.float32(max(high - low, 1e-6))
    return encode_png(to_uint8(np.asarray(grey, np.float32)))
