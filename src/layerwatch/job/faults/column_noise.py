"""Column noise: stripes along the sensor's columns whose correction is missing or has grown old."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from layerwatch.job.faults.base import Change, Image, PictureFault
from layerwatch.job.machine import Machine
from layerwatch.job.ranges import Interval


@dataclass(frozen=True)
class ColumnNoise(PictureFault):
    """Each column is read by an amplifier of its own; the stripes hold to the sensor, whatever the machine's axes."""

    summary: ClassVar[str] = "upright stripes over the whole frame, nearly the same on every layer"
    source: ClassVar[str] = "own; column amplifiers of microbolometers"

    layers: Interval = Interval(1.0, 30.0)
    amount: Interval = Interval(0.3, 1.5)  # K, standard deviation from column to column
    drift: float = 0.2  # share of it that is fresh on every layer

    def draw(self, rng: np.random.Generator, machine: Machine) -> Change:
        """See PictureFault."""
        amount = np.float32(self.amount.draw(rng))
        fixed = rng.standard_normal((1, machine.width), np.float32)

        def change(heat: Image, age: int) -> Image:
            fresh = rng.standard_normal(fixed.shape, np.float32)
            return heat + amount * (fixed + np.float32(self.drift) * fresh)

        return change
