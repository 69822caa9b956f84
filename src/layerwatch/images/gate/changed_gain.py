"""Changed gain: contrast and noise have grown or shrunk together, with the same shapes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from layerwatch.images.gate.base import UNKNOWN, Check, Finding, Numbers, Seen


@dataclass(frozen=True)
class ChangedGain(Check):
    """Heat changes contrast alone; only the camera's gain changes its noise as much."""

    summary: ClassVar[str] = "contrast and noise grew or shrank together"
    source: ClassVar[str] = "own"
    advice: ClassVar[str] = "set gain, span and automatic contrast as they were"
    rank: ClassVar[int] = 19
    measures: ClassVar[int] = 2

    share: float = 0.3  # of the growth, by which contrast and noise may differ where it is large
    apart: float = 0.15  # logarithm, between the growth of contrast and of noise
    least: float = 0.04  # logarithm
    alike: float = 0.6  # correlation with the frame before
    clipped: float = 0.02  # share of pixels at the span's ends, which have no noise
    quieter: float = 0.25  # logarithm by which noise alone shrinks; a blur takes some of what is taken for noise

    crisper: float = 0.2  # half the square of a blur's width, in px of the grid, that was taken away: no gain does that

    def measure(self, seen: Seen) -> tuple[float, ...]:
        """See Check."""
        change = seen.change
        if change is None:
            return UNKNOWN, UNKNOWN
        same = change.louder * change.stretched > 0 and abs(change.louder - change.stretched) < max(
            self.apart, self.share * abs(change.louder)
        )
        return min(abs(change.louder), abs(change.stretched)) if same else 0.0, abs(change.louder)

    def find(self, seen: Seen, numbers: tuple[float, ...], far: Numbers) -> Finding | None:
        """See Check."""
        change = seen.change
        if change is None or change.alike < self.alike:
            return None
        both = far[0] >= self.sure and numbers[0] >= self.least
        noise = far[1] >= self.sure and seen.clipped <= self.clipped and not -self.quieter < change.louder < self.least
        if (not both and not noise) or change.blur < -self.crisper:
            return None
        return Finding(f"contrast times {np.exp(change.stretched):.2f}, noise times {np.exp(change.louder):.2f}")
