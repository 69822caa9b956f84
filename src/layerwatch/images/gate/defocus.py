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
    measures: ClassVar[int] = 4

    hint: float = 1.5  # orders of magnitude of each of blur and lost texture
    together: float = 8.0  # orders of magnitude of both
    heat: float = 8.0  # orders of magnitude; dust on a window changes the heat where it takes the texture
    alike: float = 0.4  # correlation with the frame before
    share: float = 0.2  # of the bed that lost texture
    least: float = 0.15  # of the blur's squared width, in px of the grid, by half

    def measure(self, seen: Seen) -> tuple[float, ...]:
        """See Check."""
        change = seen.change
        if change is None:
            return -seen.now.rich, UNKNOWN, UNKNOWN, UNKNOWN
        return -seen.now.rich, change.blur, change.dulled.share, change.dulled.heat

    def find(self, seen: Seen, numbers: tuple[float, ...], far: Numbers) -> Finding | None:
        """See Check."""
        if seen.change is None:
            return Finding("hardly any texture beyond the noise") if far[0] >= self.sure else None
        _, blur, share, _ = numbers
        if blur < self.least or share < self.share or seen.change.alike < self.alike or far[3] > self.heat:
            return None
        if min(far[1], far[2]) < self.hint or far[1] + far[2] < self.together:
            return None
        return Finding(f"blurred by {np.sqrt(2 * blur):.1f} px of 120 or more, over {share:.0%} of the bed")
