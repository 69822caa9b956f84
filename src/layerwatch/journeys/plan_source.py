"""A plan's file -> the coverage of the nominal layer on the grid of a frame: a picture, a part, or a job layout."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float32, Float64, Shaped

from layerwatch.images.folder import read_pixels, readers
from layerwatch.images.outside import shared_child
from layerwatch.images.resampling import resampling
from layerwatch.job.layout import Instance, extent_of
from layerwatch.journeys.files import open_machine
from layerwatch.journeys.plates import read_plate, slice_part
from layerwatch.part.raster import coverages
from layerwatch.records import DataError, UsageError

Coverage = Float32[np.ndarray, "h w"]

_INSTANCES = 64  # largest value of a picture that numbers copies; a mask has larger ones


@dataclass(frozen=True)
class PlanSource:
    """Where the nominal layer comes from, and how it lies on the bed."""

    path: Path
    layer: int | None = None  # of a part or a layout
    at: tuple[float, float] | None = None  # mm on the bed: the part's lowest corner, or the picture's upper left one
    mm_per_px: float | None = None  # of a picture; None: the frame's
    turn: int = 0  # degrees clockwise as seen, of a picture: 0, 90, 180 or 270
    dark: bool = False  # a picture's part is dark on light
    machine: Path | None = None  # of a part or a layout
    unit: str | None = None  # of a part

    @property
    def is_picture(self) -> bool:
        """It is an image file."""
        return self.path.suffix.lower() in readers()

    def coverage(self, shape: tuple[int, int], mm_per_px: float) -> Coverage:
        """Share of each pixel of the frame inside the nominal outline.

        Args:
            shape: height and width of the frame.
            mm_per_px: of the frame.

        Raises:
            UsageError: no such file, options that do not go with it, or no layer of that number.
            DataError: it is broken, or a picture that is no mask.
        """
        self._check()
        return self._picture(shape, mm_per_px) if self.is_picture else self._drawn(shape, mm_per_px)

    def _check(self) -> None:
        if not self.path.exists():
            raise UsageError(f"{self.path}: no such file; give the plan as a picture, a part file or a job layout")
        if self.is_picture and self.layer is not None:
            raise UsageError("--layer goes with a part or a layout; a picture is one layer")
        if not self.is_picture and self.layer is None:
            raise UsageError(f"{self.path}: which layer? give its number with --layer, the lowest is 0")
        if not self.is_picture and (self.mm_per_px is not None or self.turn or self.dark):
            raise UsageError("--plan-mm-per-px, --plan-turn and --plan-dark go with a picture, not with a part")
        if self.turn % 90:
            raise UsageError(f"--plan-turn {self.turn}; give 0, 90, 180 or 270 degrees clockwise")

    def _picture(self, shape: tuple[int, int], mm_per_px: float) -> Coverage:
        mask = np.rot90(self._mask(), -(self.turn // 90) % 4)
        own, at = self.mm_per_px or mm_per_px, self.at or (0.0, 0.0)
        if own == mm_per_px and self.at is None and mask.shape == shape:
            return np.ascontiguousarray(mask)
        if not 1e-4 < own < 1000:
            raise UsageError(f"{own:g} mm per pixel of the plan; give a size above 0, such as 0.125")

        def places(points: Float64[np.ndarray, "*n 2"]) -> Float64[np.ndarray, "*n 2"]:
            return np.asarray((points * mm_per_px - np.array(at)) / own)

        if min(mask.shape) < 8:
            raise DataError(f"{self.path}: a plan of {mask.shape[1]} x {mask.shape[0]} pixels is no layer")
        drawn = resampling(places, mask.shape, shape).apply(np.ascontiguousarray(mask), border=0.0)
        return np.asarray(np.clip(drawn, 0, 1), np.float32)

    def _mask(self) -> Coverage:
        """Shares from a mask of two values, from coverage of 8 or 16 bits, or from numbers of copies."""
        pixels = read_pixels(self.path, str(self.path), read=shared_child().read)
        part = _shares(pixels, str(self.path))
        return 1 - part if self.dark else part

    def _drawn(self, shape: tuple[int, int], mm_per_px: float) -> Coverage:
        machine = open_machine(self.machine)
        if self.path.suffix.lower() == ".toml":
            if self.at is not None:
                raise UsageError("a layout says where its parts lie; leave --plan-at away")
            instances = read_plate(self.path, machine, unit=self.unit)[0].instances
        else:
            layers = slice_part(self.path, machine, unit=self.unit).layers
            low = extent_of(layers)[0]
            x, y = self.at or (0.0, 0.0)
            instances = (Instance(layers, x - float(low[0]), y - float(low[1])),)
        number, tallest = self.layer or 0, max(len(one.layers) for one in instances)
        if not 0 <= number < tallest:
            raise UsageError(f"--layer {number}; {self.path.name} has layers 0 to {tallest - 1}")
        due = [one for one in instances if number < len(one.layers)]
        offsets = np.array([[one.x, one.y] for one in due])
        drawn = coverages([one.layers[number] for one in due], shape[1], shape[0], mm_per_px, offsets)
        return np.asarray(np.clip(drawn.sum(0), 0, 1), np.float32)


def _shares(pixels: Shaped[np.ndarray, "h w"], name: str) -> Coverage:
    if pixels.dtype.kind == "f":
        if not (np.isfinite(pixels).all() and pixels.min() >= 0 and pixels.max() <= 1):
            raise DataError(f"{name}: a plan in floats lies in [0, 1]; give shares of each pixel inside the outline")
        return pixels.astype(np.float32)
    if pixels.max() <= _INSTANCES:
        return (pixels > 0).astype(np.float32)
    return pixels.astype(np.float32) / np.float32(np.iinfo(pixels.dtype).max)
