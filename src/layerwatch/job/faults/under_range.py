"""Under range: most of the picture lies at the lower end of the span, as over a cold bed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from layerwatch.job.faults.base import Change, Image, PictureFault
from layerwatch.job.machine import Machine
from layerwatch.job.ranges import Interval


@dataclass(frozen=True)
class UnderRange(PictureFault):
    """As if the bed were so much colder that a share of its pixels falls below the camera's span."""

    summary: ClassVar[str] = "a share of the pixels stands at the span's lower end"
    source: ClassVar[str] = "own; heating off, or a range for hotter things"

    layers: Interval = Interval(1.0, 5.0)
    share: Interval = Interval(0.3, 0.9)  # of the pixels

    def draw(self, rng: np.random.Generator, machine: Machine) -> Change:
        """See PictureFault."""
        share = self.share.draw(rng)

        def change(heat: Image, age: int) -> Image:
            return heat + np.float32(machine.span[0] - np.quantile(heat, share))

        return change
