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

    least: float = 0.15  # half the blur's squared width, in px of the grid
    share: float = 0.25  # of the bed that lost texture
    paler: float = 0.45  # logarithm of the contrast lost
    kept: float = 0.75  # correlation of the fine picture, which blur takes from everywhere
    alike: float = 0.2  # correlation of the shapes, which it leaves
    wide: float = 1.3  # orders of magnitude of the blur
    dull: float = 2.5  # orders of magnitude of the share
    heat: float = 8.0  # orders of magnitude; dust on a window changes the heat where it takes the texture

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
        change, (_, blur, share, _) = seen.change, numbers
        wide, dull = far[1] / self.eased(seen), far[2] / self.eased(seen)
        if change.stretched > -self.paler or change.kept > self.kept or change.alike < self.alike:
            return None
        if blur < self.least or share < self.share or wide < self.wide or dull < self.dull or far[3] > self.heat:
            return None
        return Finding(f"blurred by {np.sqrt(2 * blur):.1f} px of 120 or more, over {share:.0%} of the bed")
