"""Raw counts of a thermal camera and the scale that its user chose -> degC. Nothing here is ever guessed.

Cameras with linear temperature give kelvin as whole multiples of a step: in 16 bits (Mono16) of 10 or 100 mK, in 14
bits (Mono14) of 40 mK or 0.4 K, where bits 14 and 15 are flags. Float files hold degC or kelvin, and do not say which.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from layerwatch.images.decoding.planck import KELVIN
from layerwatch.records import DataError, Picture, UsageError


@dataclass(frozen=True)
class Scale:
    """degC = step x count + offset, of counts without their flag bits."""

    name: str
    step: float  # K a count
    offset: float = -KELVIN  # degC at count 0
    bits: int = 16  # that count; higher ones are flags
    is_float: bool = False  # of pixels that are floats already

    def celsius(self, picture: Picture) -> Picture:
        """The same picture in degC.

        Raises:
            DataError: its pixels are not of the kind that the scale is for.
        """
        pixels = picture.pixels
        if picture.unit == "degC":
            raise DataError(f"{picture.name}: is in degC by the file itself; leave --scale away")
        wanted = np.float32 if self.is_float else np.uint16
        if pixels.dtype != wanted:
            raise DataError(
                f"{picture.name}: pixels of {pixels.dtype}, but the scale {self.name} is for {np.dtype(wanted)}; "
                f"choose another --scale, or none"
            )
        levels = pixels if self.is_float else pixels & np.uint16((1 << self.bits) - 1)
        celsius = levels.astype(np.float64) * self.step + self.offset
        return replace(picture, pixels=celsius.astype(np.float32), unit="degC")


SCALES = {
    scale.name: scale
    for scale in (
        Scale("mono16-10mK", 0.01),
        Scale("mono16-100mK", 0.1),
        Scale("mono14-40mK", 0.04, bits=14),
        Scale("mono14-400mK", 0.4, bits=14),
        Scale("float-degC", 1.0, 0.0, is_float=True),
        Scale("float-K", 1.0, is_float=True),
    )
}


def scale_named(name: str) -> Scale:
    """The scale of that name.

    Raises:
        UsageError: there is none.
    """
    if name not in SCALES:
        raise UsageError(f"no scale {name!r}; there are: {', '.join(SCALES)}")
    return SCALES[name]


def scaled(read: Callable[..., tuple[Picture, ...]], name: str | None) -> Callable[..., tuple[Picture, ...]]:
    """A reader of files whose pictures come in degC; without a name the same reader.

    Raises:
        UsageError: there is no scale of that name.
    """
    if name is None:
        return read
    scale = scale_named(name)
    return lambda *given: tuple(scale.celsius(picture) for picture in read(*given))
