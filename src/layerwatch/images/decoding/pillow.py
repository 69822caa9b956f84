"""The bytes of a file that Pillow knows -> grey pixels in their own depth and tags; size checked before decoding."""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from collections.abc import Mapping

import numpy as np
from jaxtyping import Shaped
from PIL import Image, UnidentifiedImageError

from layerwatch.images.decoding.exif import read_tags
from layerwatch.images.decoding.limits import MAX_PIXELS, check_ratio, check_size
from layerwatch.images.decoding.orientation import orientation_of, upright
from layerwatch.records import DataError

_BROKEN = (OSError, SyntaxError, ValueError, EOFError, KeyError, IndexError, TypeError, AttributeError, OverflowError)
_DEEP = (struct.error, zlib.error, ArithmeticError, RecursionError)
COLOURS = "Colours"  # tag of a picture that was turned to grey
_TINT = 16  # levels between the channels of a pixel, from which it is no grey
_SIXTEEN_BIT = {"I;16", "I;16B", "I;16L", "I;16N", "I"}
_BYTES = {"1": 1, "L": 1, "P": 1, "LA": 2, "RGB": 3, "YCbCr": 3, "LAB": 3, "HSV": 3} | dict.fromkeys(
    ("I;16", "I;16B", "I;16L", "I;16N"), 2
)  # of a decoded pixel; others take 4


def decode(
    data: bytes, name: str, kind: str, page: int | None = None
) -> tuple[Shaped[np.ndarray, "h w"], Mapping[str, str]]:
    """Decode as ``kind`` ("PNG", "JPEG", "TIFF") and as nothing else: pixels, and what the file says beside them.

    The picture is upright, as its orientation tag wants it; of TIFF files Pillow itself sees to that.

    Args:
        data: of the file.
        name: for messages.
        kind: of the file.
        page: one of several pictures; None: there must be one only.

    Raises:
        DataError: not such a file, broken, truncated or too large.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of what check_size refuses or the file's own metadata
            image = Image.open(io.BytesIO(data), formats=[kind])
            if page:
                image.seek(page)
            check_size(image.height, image.width, name)
            check_ratio(image.height * image.width * _BYTES.get(image.mode, 4), len(data), name)
            if page is None and getattr(image, "n_frames", 1) > 1:
                raise DataError(
                    f"{name}: holds {getattr(image, 'n_frames', 1)} pictures; give files of one picture each"
                )
            pixels = _grey(image)  # first, since some of what a PNG says follows its pixels
            tags = {**read_tags(image), **({COLOURS: f"{image.mode}, turned to grey"} if _is_coloured(image) else {})}
            return (pixels if kind == "TIFF" else upright(pixels, orientation_of(image))), tags
    except UnidentifiedImageError:
        raise DataError(
            f"{name}: not a {kind} file, or broken in its first bytes; save it again as 8- or 16-bit grey PNG or TIFF"
        ) from None
    except Image.DecompressionBombError:
        raise DataError(f"{name}: more pixels than the {MAX_PIXELS:,} allowed; shrink or tile it") from None
    except (*_BROKEN, *_DEEP) as error:
        raise DataError(f"{name}: broken or truncated {kind} file ({error}); copy or export it again") from None


def tags_of(data: bytes, kind: str, page: int = 0) -> Mapping[str, str]:
    """What a file says beside its pixels, without decoding them; nothing where Pillow cannot open it."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image = Image.open(io.BytesIO(data), formats=[kind])
            if page:
                image.seek(page)
            return read_tags(image)
    except (*_BROKEN, *_DEEP, Image.DecompressionBombError):
        return {}


def _grey(image: Image.Image) -> Shaped[np.ndarray, "h w"]:
    image.load()
    if image.mode == "F":
        return np.asarray(image, np.float32)
    if image.mode in _SIXTEEN_BIT:
        return _as_uint16(np.asarray(image))
    return np.asarray(image if image.mode == "L" else image.convert("L"))


def _is_coloured(image: Image.Image) -> bool:
    """Whether more than one in a hundred pixels is no grey; grey that was stored as three channels is not coloured."""
    if image.mode in {"1", "L", "LA", "F"} | _SIXTEEN_BIT:
        return False
    channels = np.asarray(image.convert("RGB"), np.int16)
    return bool(np.mean(np.ptp(channels, axis=2) > _TINT) > 0.01)


def _as_uint16(pixels: Shaped[np.ndarray, "h w"]) -> Shaped[np.ndarray, "h w"]:
    if pixels.min() < 0 or pixels.max() > 65535:
        raise ValueError("32-bit pixels beyond 16 bits")
    return pixels.astype(np.uint16)
