"""A kept frame or heat map -> its pixels as they were judged, and pictures of pixels, for whoever draws them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float32, UInt8

from layerwatch.images.binning import binned
from layerwatch.images.colour_png import encode_colour_png
from layerwatch.images.folder import read_pixels
from layerwatch.inspection.journal.entries import Frame, StoredVerdict
from layerwatch.inspection.reading import FrameReader, no_plans
from layerwatch.records import DataError, Fault, LayerImage

_MIDDLE = 32768.0  # level of no deviation in a heat map

__all__ = ["SeenPixels", "encode_colour_png", "frame_pixels", "heat_pixels", "outline"]


@dataclass(frozen=True, eq=False)
class SeenPixels:
    """A frame on the grid that is judged."""

    values: Float32[np.ndarray, "h w"]
    unit: str  # degC, or grey in [0, 1]


def frame_pixels(reader: FrameReader, frame: Frame) -> SeenPixels | None:
    """The pixels of a frame; None where the file is gone or cannot be read."""
    if not frame.path or frame.identity.layer < 0:
        return None
    read = replace(reader, plans=no_plans).read(frame)
    if isinstance(read, Fault):
        return None
    if reader.span is None:
        return SeenPixels(read.pixels, "grey")
    low, high = reader.span
    return SeenPixels(np.asarray(low + (high - low) * read.pixels, np.float32), "degC")


def heat_pixels(folder: Path, verdict: StoredVerdict) -> Float32[np.ndarray, "h w"] | None:
    """The signed heat map of a verdict in the detector's unit; None where there is none any more."""
    if not verdict.heat:
        return None
    try:
        levels = read_pixels(folder / verdict.heat)
    except DataError:
        return None
    unit = verdict.body.get("heat_unit") or 1.0
    return np.asarray((levels.astype(np.float32) - _MIDDLE) * float(unit), np.float32)


def outline(reader: FrameReader, job: str, layer: int) -> Bool[np.ndarray, "h w"] | None:
    """The pixels inside the nominal outlines that touch it; None where no plan is known."""
    try:
        planned = reader.plans(job, layer)
        if planned is None:
            return None
        blank = np.zeros(planned.plan.shape, np.float32)
        plan = binned(LayerImage(job, layer, blank, plan=planned.plan), reader.binning).plan
    except DataError:
        return None
    return None if plan is None else _edge(np.asarray(plan, np.uint8))


def _edge(plan: UInt8[np.ndarray, "h w"]) -> Bool[np.ndarray, "h w"]:
    """Pixels of a part with a neighbour, above, below or beside, that is not of it."""
    wide = np.pad(plan, 1)
    beside = (wide[:-2, 1:-1], wide[2:, 1:-1], wide[1:-1, :-2], wide[1:-1, 2:])
    differs = np.zeros(plan.shape, bool)
    for other in beside:
        differs |= other != plan
    return np.asarray((plan > 0) & differs)
