"""Column noise: upright stripes over the whole frame."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from layerwatch.images.gate.base import Check, Finding, Numbers, Seen


@dataclass(frozen=True)
class ColumnNoise(Check):
    """Each column of the sensor has an amplifier of its own; a defect's lines do not lie in all bands of rows."""

    summary: ClassVar[str] = "every column differs from its neighbours, over the whole height"
    source: ClassVar[str] = "own"
    advice: ClassVar[str] = "let the camera correct itself against its shutter"
    rank: ClassVar[int] = 13
    measures: ClassVar[int] = 2

    hint: float = 3.0  # orders of magnitude of the weaker number: stripes in grey, or in units of the noise
    clipped: float = 0.02  # share of pixels at the span's ends

    def measure(self, seen: Seen) -> tuple[float, ...]:
        """See Check."""
        look = seen.now
        return float(np.log(look.stripes)), float(np.log(look.stripes / look.noise))

    def find(self, seen: Seen, numbers: tuple[float, ...], far: Numbers) -> Finding | None:
        """See Check."""
        if min(far) < self.hint or max(far) < self.sure or seen.clipped > self.clipped:
            return None
        return Finding(f"columns differ from their neighbours by {seen.now.stripes:.2%} of the span")
