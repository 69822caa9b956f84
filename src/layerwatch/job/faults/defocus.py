"""Defocus: the lens has moved, and the whole frame is blurred while the sensor's noise stays sharp."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy import ndimage

from layerwatch.job.faults.base import Change, Image, PictureFault, sensor_noise
from layerwatch.job.machine import Machine
from layerwatch.job.ranges import Interval


@dataclass(frozen=True)
class Defocus(PictureFault):
    """Vibration turns the focus ring, or a focus motor runs; edges of part and bed grow soft alike."""

    summary: ClassVar[str] = "the whole frame is blurred, with fresh sharp noise"
    source: ClassVar[str] = "own; a turned focus ring"

    layers: Interval = Interval(1.0, 30.0)
    blur: Interval = Interval(0.015, 0.05)  # of the frame's shorter side, standard deviation

    def draw(self, rng: np.random.Generator, machine: Machine) -> Change:
        """See PictureFault."""
        blur = max(self.blur.draw(rng) * min(machine.height, machine.width), 1.0)

        def change(heat: Image, age: int) -> Image:
            soft = ndimage.gaussian_filter(heat, blur, mode="nearest")
            return np.asarray(soft + sensor_noise(machine, heat.shape, rng), np.float32)

        return change
