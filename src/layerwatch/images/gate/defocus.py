"""Defocus: the whole picture is duller than before, outlines and texture alike, while the noise is as sharp."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from layerwatch.images.comparing import Change
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
    curved: float = 0.55  # half the square of the blur's width, in px of the grid, that is enough with those below
    flatter: float = 0.45  # logarithm of the contrast that is lost then
    like: float = 0.5  # correlation of the shapes
    noisier: float = 0.5  # logarithm of the noise's ratio, at most
    soon: int = 2  # layers since the frame before
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
        textured = numbers[1] >= self.least and far[1] >= self.sure * self.eased(seen) and change.alike >= self.alike
        if far[2] > self.heat or not (textured or self._is_plain(seen, change)):
            return None
        wide = float(np.sqrt(2 * change.blur))
        return Finding(f"blurred by {wide:.1f} px of 120 or more, contrast times {np.exp(change.stretched):.2f}")

    def _is_plain(self, seen: Seen, change: Change) -> bool:
        """Whether outlines and contrast tell it without the texture, which noise may hide."""
        is_soon = seen.lag <= self.soon or seen.past.fault == self.name
        is_blurred = change.blur >= self.curved and change.stretched <= -self.flatter
        return is_soon and is_blurred and change.alike >= self.like and abs(change.louder) <= self.noisier
