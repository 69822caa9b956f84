"""Open door: cold air falls in from one side, and the whole bed loses some of its heat."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy import ndimage

from layerwatch.job.faults.base import Change, Image, PictureFault, across
from layerwatch.job.machine import Machine
from layerwatch.job.ranges import Interval


@dataclass(frozen=True)
class OpenDoor(PictureFault):
    """A draught cools most near the door and dies out across the bed in billows; it deepens while the door is open."""

    summary: ClassVar[str] = "a cold gradient from one side and a lower level"
    source: ClassVar[str] = "own; convection through the chamber's door"

    layers: Interval = Interval(1.0, 5.0)
    draught: Interval = Interval(2.5, 7.0)  # K, at the door's side
    reach: Interval = Interval(0.2, 0.5)  # of the frame, where it has fallen to a 1 / e
    level: Interval = Interval(0.5, 2.0)  # K, everywhere

    def draw(self, rng: np.random.Generator, machine: Machine) -> Change:
        """See PictureFault."""
        draught, reach, level = self.draught.draw(rng), self.reach.draw(rng), self.level.draw(rng)
        axis, far = int(rng.integers(2)), bool(rng.integers(2))

        def change(heat: Image, age: int) -> Image:
            billows = ndimage.gaussian_filter(rng.standard_normal(heat.shape, np.float32), 0.07 * min(heat.shape))
            way = (0.5 - across(heat.shape)[axis]) if far else (across(heat.shape)[axis] + 0.5)
            cold = draught * np.exp(-way / reach) * (1 + 0.15 * billows / billows.std()) + level
            return np.asarray(heat - (1 - 0.4 * 0.5**age) * cold, np.float32)

        return change
