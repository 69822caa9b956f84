"""The bytes of a file that Pillow knows -> grey pixels in their own depth; size checked before decoding."""

from __future__ import annotations

import io
import struct
import warnings
import zlib

import numpy as np
from jaxtyping import Shaped
from PIL import Image, UnidentifiedImageError

from layerwatch.images.readers.base import MAX_PIXELS, check_size
from layerwatch.records import DataError

_BROKEN = (OSError, SyntaxError, ValueError, EOFError, struct.error, zlib.error)
_SIXTEEN_BIT = {"I;16", "I;16B", "I;16L", "I"}


def decode(data: bytes, name: str, kind: str) -> Shaped[np.ndarray, "h w"]:
    """Decode as ``kind`` ("PNG", "JPEG", "TIFF") and as nothing else.

    Raises:
        DataError: not such a file, broken, truncated or too large.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of what check_size refuses or the file's own metadata
            image = Image.open(io.BytesIO(data), formats=[kind])
            check_size(image.height, image.width, name)
            if getattr(image, "n_frames", 1) > 1:
                raise DataError(
                    f"{name}: holds {getattr(image, 'n_frames', 1)} pictures; give files of one picture each"
                )
            return _grey(image)
    except UnidentifiedImageError:
        raise DataError(
            f"{name}: not a {kind} file, or broken in its first bytes; save it again as 8- or 16-bit grey PNG or TIFF"
        ) from None
    except Image.DecompressionBombError:
        raise DataError(f"{name}: more pixels than the {MAX_PIXELS:,} allowed; shrink or tile it") from None
    except _BROKEN as error:
        raise DataError(f"{name}: broken or truncated {kind} file ({error}); copy or export it again") from None


def _grey(image: Image.Image) -> Shaped[np.ndarray, "h w"]:
    image.load()
    if image.mode == "F":
        return np.asarray(image, np.float32)
    if image.mode in _SIXTEEN_BIT:
        return _as_uint16(np.asarray(image))
    return np.asarray(image if image.mode == "L" else image.convert("L"))


def _as_uint16(pixels: Shaped[np.ndarray, "h w"]) -> Shaped[np.ndarray, "h w"]:
    if pixels.min() < 0 or pixels.max() > 65535:
        raise ValueError("32-bit pixels beyond 16 bits")
    return pixels.astype(np.uint16)
