"""Saturated: most of the picture lies at the upper end of the span, lit by a lamp or in too low a range."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from layerwatch.job.faults.base import Change, Image, PictureFault
from layerwatch.job.machine import Machine
from layerwatch.job.ranges import Interval


@dataclass(frozen=True)
class Saturated(PictureFault):
    """As if the bed were so much hotter that a share of its pixels leaves the camera's span."""

    summary: ClassVar[str] = "a share of the pixels stands at the span's upper end"
    source: ClassVar[str] = "own; a lamp that was left on and shines back"

    layers: Interval = Interval(1.0, 3.0)
    share: Interval = Interval(0.3, 0.9)  # of the pixels

    def draw(self, rng: np.random.Generator, machine: Machine) -> Change:
        """See PictureFault."""
        share = self.share.draw(rng)

        def change(heat: Image, age: int) -> Image:
            return heat + np.float32(machine.span[1] - np.quantile(heat, 1 - share))

        return change
