"""Black: no signal at all, every pixel at zero, because a cable or the camera's power is out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from layerwatch.job.faults.base import Change, Image, PictureFault
from layerwatch.job.machine import Machine
from layerwatch.job.ranges import Interval


@dataclass(frozen=True)
class Black(PictureFault):
    """The frame grabber fills what it did not get with zeros; there is not even noise."""

    summary: ClassVar[str] = "every pixel is zero"
    source: ClassVar[str] = "own; a loose cable"

    layers: Interval = Interval(1.0, 4.0)

    def draw(self, rng: np.random.Generator, machine: Machine) -> Change:
        """See PictureFault."""
        low = np.float32(machine.span[0])

        def change(heat: Image, age: int) -> Image:
            return np.full_like(heat, low)

        return change
