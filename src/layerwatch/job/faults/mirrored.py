"""Mirrored: frames flipped left to right, upside down or both, after a change of the camera's settings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from layerwatch.job.faults.base import Change, Image, PictureFault
from layerwatch.job.machine import Machine
from layerwatch.job.ranges import Interval


@dataclass(frozen=True)
class Mirrored(PictureFault):
    """Every temperature is right and every place is wrong; the levels cannot tell, the plan can."""

    summary: ClassVar[str] = "the picture is flipped or turned by half"
    source: ClassVar[str] = "own; a flip setting, a camera mounted the other way round"

    layers: Interval = Interval(1.0, 30.0)

    def draw(self, rng: np.random.Generator, machine: Machine) -> Change:
        """See PictureFault."""
        axes = ((0,), (1,), (0, 1))[int(rng.integers(3))]

        def change(heat: Image, age: int) -> Image:
            return np.flip(heat, axes)

        return change
