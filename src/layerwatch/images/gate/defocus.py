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
    measures: ClassVar[int] = 2

    alike: float = 0.4  # correlation with the frame before
    share: float = 0.2  # of the bed that lost texture
    least: float = 0.15  # of the blur's squared width, in px of the grid, by half

    def measure(self, seen: Seen) -> tuple[float, ...]:
        """See Check."""
        return (UNKNOWN if seen.change is None else seen.change.blur, -seen.now.rich)

    def find(self, seen: Seen, numbers: tuple[float, ...], far: Numbers) -> Finding | None:
        """See Check."""
        if seen.change is None:
            return Finding("hardly any texture beyond the noise") if far[1] >= self.sure else None
        if far[0] < self.sure or numbers[0] < self.least or seen.change.alike < self.alike:
            return None
        if seen.change.dulled.share < self.share:
            return None
        return Finding(f"blurred by {np.sqrt(2 * numbers[0]):.1f} px of 120 or more")
