"""A frame in degC, and an end of the camera's span -> a frame of which so large a share lies beyond that end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from layerwatch.job.faults.base import Change, Image, PictureFault
from layerwatch.job.machine import Machine
from layerwatch.job.ranges import Interval


@dataclass(frozen=True)
class SpanEnd(PictureFault):
    """As if the bed were so much hotter, or colder, that a share of its pixels leaves the camera's span."""

    end: ClassVar[Literal[0, 1]]  # of the span: lower, upper

    share: Interval = Interval(0.3, 0.9)  # of the pixels

    def draw(self, rng: np.random.Generator, machine: Machine) -> Change:
        """See PictureFault."""
        share = self.share.draw(rng)
        quantile = 1 - share if self.end else share

        def change(heat: Image, age: int) -> Image:
            return heat + np.float32(machine.span[self.end] - np.quantile(heat, quantile))

        return change
