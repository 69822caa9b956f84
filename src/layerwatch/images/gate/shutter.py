"""Shutter: a picture with noise and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from layerwatch.images.gate.base import Check, Finding, Numbers, Seen


@dataclass(frozen=True)
class Shutter(Check):
    """What is left is the sensor's noise and a faint shade; texture and outlines are gone everywhere."""

    summary: ClassVar[str] = "an even picture: noise, and no texture or outline"
    source: ClassVar[str] = "own"
    advice: ClassVar[str] = "take the frame again once the shutter is open; set its time between layers"
    rank: ClassVar[int] = 8
    measures: ClassVar[int] = 2

    hint: float = 1.5  # orders of magnitude of either number
    alike: float = 0.2  # correlation with the frame before; a blurred one has more
    most: float = 2.5  # contrast, in units of the noise
    clipped: float = 0.02  # share of pixels at the span's ends

    def measure(self, seen: Seen) -> tuple[float, ...]:
        """See Check."""
        look = seen.now
        return -look.rich, -float(np.log(look.contrast))

    def find(self, seen: Seen, numbers: tuple[float, ...], far: Numbers) -> Finding | None:
        """See Check."""
        look, change = seen.now, seen.change
        if change is not None and change.alike > self.alike:
            return None
        if min(far) < self.hint or seen.clipped > self.clipped or look.contrast > self.most * look.noise / look.block:
            return None
        return Finding(f"contrast of {seen.now.contrast:.2%} of the span, no texture beyond the noise")
