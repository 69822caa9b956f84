"""A layer image -> the shot that a gate judges; and what stands for a frame that could not be read."""

from __future__ import annotations

import numpy as np

from layerwatch.images.gate.base import Known
from layerwatch.images.grey import to_uint8, to_uint16
from layerwatch.records import LayerImage, Shot

NO_TIME = float("nan")
_SPREAD = np.uint16(257)  # between neighbouring levels of 8 bits in a file of 16


def shot_of(image: LayerImage, known: Known) -> Shot:
    """The image in the depth in which it came; one of 8 bits in that of the gate, where that knows 8 bits too.

    Pixels without a number get the median of the others.

    Args:
        image: of any depth.
        known: what the gate learnt of the camera.
    """
    pixels, whole = image.pixels, np.isfinite(image.pixels)
    if whole.any() and not whole.all():
        pixels = np.where(whole, pixels, np.median(pixels[whole])).astype(np.float32)
    levels, bits = to_uint16(pixels), image.bits or known.bits
    coarse = bits == 8 or not bool((levels % _SPREAD).any())
    if coarse and (known.bits == 8 or known.coarse):
        bits = known.bits
    frame = to_uint8(pixels).astype(np.uint16) if bits == 8 else levels
    time = NO_TIME if image.time is None else image.time.timestamp()
    return Shot(image.job, image.layer, time, frame, bits)


def unread(job: str, layer: int) -> Shot:
    """A file of which nothing could be read; its layer has come all the same."""
    return Shot(job, layer, NO_TIME, np.zeros((8, 8), np.uint16), share=0.0)
