"""Defocus: the whole picture is duller than before, outlines and texture alike, while the noise is as sharp."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from layerwatch.images.gate.base import UNKNOWN, Check, Finding, Numbers, Seen


@dataclass(frozen=True)
class Defocus(Check):
    """Noise is born behind the lens, so it tells a dull bed from a dull picture."""

    summary: ClassVar[str] = "less texture everywhere, with the usual noise"
    source: ClassVar[str] = "own"
    advice: ClassVar[str] = "focus the lens and fasten it"
    rank: ClassVar[int] = 12
    measures: ClassVar[int] = 3

    least: float = 0.32  # of what curvature, contrast and texture agree on
    alike: float = 0.2  # correlation of the shapes, which it leaves
    heat: float = 8.0  # orders of magnitude; dust on a window changes the heat where it takes the texture

    def measure(self, seen: Seen) -> tuple[float, ...]:
        """See Check."""
        change = seen.change
        if change is None:
            return -seen.now.rich, UNKNOWN, UNKNOWN
        return -seen.now.rich, change.softened, change.dulled.heat

    def find(self, seen: Seen, numbers: tuple[float, ...], far: Numbers) -> Finding | None:
        """See Check."""
        change = seen.change
        if change is None:
            return Finding("hardly any texture beyond the noise") if far[0] >= self.sure else None
        if (
            numbers[1] < self.least
            or far[1] < self.sure * self.eased(seen)
            or change.alike < self.alike
            or far[2] > self.heat
        ):
            return None
        wide = float(np.sqrt(2 * change.blur))
        return Finding(f"blurred by {wide:.1f} px of 120 or more, contrast times {np.exp(change.stretched):.2f}")
