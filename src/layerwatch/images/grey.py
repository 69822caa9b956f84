"""Pixels of any depth -> grey in [0, 1] as float32, and back to 8 or 16 bit."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32, Shaped, UInt8, UInt16

from layerwatch.records import DataError, Picture, UsageError


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


def as_grey(picture: Picture, span: tuple[float, float] | None = None) -> Float32[np.ndarray, "h w"]:
    """A picture of any unit as grey; temperatures through the span, beyond its ends black and white.

    Args:
        picture: of any unit.
        span: degC at grey 0 and 1.

    Raises:
        DataError: as in ``to_grey``; temperatures without a span, or pixels without a temperature.
        UsageError: the span has no width.
    """
    if picture.unit != "degC":
        return to_grey(picture.pixels, picture.name)
    check_span(span)
    if holes := np.count_nonzero(~np.isfinite(picture.pixels)):
        raise DataError(f"{picture.name}: {holes} pixels have no temperature; look at the camera's range")
    if span is None:
        coldest, hottest = float(picture.pixels.min()), float(picture.pixels.max())
        raise DataError(
            f"{picture.name}: holds temperatures from {coldest:.1f} to {hottest:.1f} degC, which need a fixed span to "
            f"become grey; write frames with `layerwatch read FILE --span LOW HIGH --out FRAME.tiff`"
        )
    low, high = span
    return np.asarray(np.clip((picture.pixels - low) / (high - low), 0, 1), np.float32)


def check_span(span: tuple[float, float] | None) -> None:
    """Refuse a span without a width, or upside down.

    Raises:
        UsageError: it is.
    """
    if span is not None and not (np.isfinite(span).all() and span[0] < span[1]):
        raise UsageError(f"a span from {span[0]:g} to {span[1]:g} degC; give the lower end first, such as 20 60")


def to_uint16(grey: Float32[np.ndarray, "h w"]) -> UInt16[np.ndarray, "h w"]:
    """Round to the nearest of 65,536 levels; ``to_grey`` gives it back to 1 / 131,070."""
    return np.asarray(np.rint(np.clip(grey, 0, 1) * 65535), np.uint16)


def to_uint8(grey: Float32[np.ndarray, "h w"]) -> UInt8[np.ndarray, "h w"]:
    """Round to the nearest of 256 levels."""
    return np.asarray(np.rint(np.clip(grey, 0, 1) * 255), np.uint8)
