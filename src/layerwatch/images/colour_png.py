"""Pixels in red, green, blue and perhaps opacity -> the bytes of a PNG picture."""

from __future__ import annotations

import io

from jaxtyping import UInt8
from numpy import ndarray
from PIL import Image


def encode_colour_png(pixels: UInt8[ndarray, "h w c"]) -> bytes:
    """PNG of 3 or 4 channels; the same pixels give the same bytes."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG", compress_level=1)  # read once or twice: speed before size
    return file.getvalue()
