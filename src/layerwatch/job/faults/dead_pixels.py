"""Dead pixels: single pixels, and at times a whole line, that stand at an end of the span."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from layerwatch.job.faults.base import Change, Image, PictureFault
from layerwatch.job.machine import Machine
from layerwatch.job.ranges import Interval


@dataclass(frozen=True)
class DeadPixels(PictureFault):
    """Their replacement table was lost; they stay where they are from frame to frame, over part and border alike."""

    summary: ClassVar[str] = "the same pixels are black or white on every frame"
    source: ClassVar[str] = "own; a camera without its table of bad pixels"

    layers: Interval = Interval(1.0, 30.0)
    share: Interval = Interval(0.003, 0.02)  # of the pixels
    line: float = 0.5  # share of the jobs in which a row or a column is dead, too

    def draw(self, rng: np.random.Generator, machine: Machine) -> Change:
        """See PictureFault."""
        size, (low, high) = (machine.height, machine.width), machine.span
        draws = rng.random(size)
        dead = draws < max(self.share.draw(rng), float(np.partition(draws.ravel(), 2)[2]))  # two at least
        if rng.random() < self.line:
            axis = int(rng.integers(2))
            place = int(rng.integers(size[axis]))
            dead[(slice(None),) * axis + (place,)] = True
        ends = np.where(rng.random(size) < 0.5, low, high)

        def change(heat: Image, age: int) -> Image:
            return np.asarray(np.where(dead, ends, heat), np.float32)

        return change
