"""Shutter: the camera looks at its own shutter while it corrects itself, one even temperature."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from layerwatch.job.faults.base import Change, Image, PictureFault, across, sensor_noise
from layerwatch.job.machine import Machine
from layerwatch.job.ranges import Interval


@dataclass(frozen=True)
class Shutter(PictureFault):
    """The flag has the housing's temperature; only a faint shade toward the corners and the noise are left."""

    summary: ClassVar[str] = "an even picture of the closed shutter"
    source: ClassVar[str] = "own; uncooled cameras close it for a second every few minutes"

    layers: Interval = Interval(1.0, 1.4)
    level: Interval = Interval(0.2, 0.6)  # of the span
    shade: Interval = Interval(0.0, 0.3)  # K, colder in the corners

    def draw(self, rng: np.random.Generator, machine: Machine) -> Change:
        """See PictureFault."""
        low, high = machine.span
        level, shade = low + self.level.draw(rng) * (high - low), self.shade.draw(rng)

        def change(heat: Image, age: int) -> Image:
            rows, columns = across(heat.shape)
            flag = np.float32(level) - np.float32(2 * shade) * (rows**2 + columns**2)
            return np.asarray(flag + sensor_noise(machine, heat.shape, rng), np.float32)

        return change
