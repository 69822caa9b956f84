"""Bumped camera: near the borders of two directions, whole rows and columns have changed in one step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from layerwatch.images.gate.base import UNKNOWN, Check, Finding, Numbers, Seen


@dataclass(frozen=True)
class BumpedCamera(Check):
    """The machine's frame came into view, or moved; a defect ends at the sand."""

    summary: ClassVar[str] = "steps along the bed's borders in both directions"
    source: ClassVar[str] = "own"
    advice: ClassVar[str] = "fasten the camera and calibrate its view anew"
    rank: ClassVar[int] = 15
    measures: ClassVar[int] = 1

    apart: float = 0.2  # logarithm; where contrast and noise grow alike, the gain was changed
    least: float = 1.0  # of what the bed spans
    clipped: float = 0.2  # share of pixels at the span's ends

    def measure(self, seen: Seen) -> tuple[float, ...]:
        """See Check."""
        return (UNKNOWN if seen.change is None else seen.change.bordered,)

    def find(self, seen: Seen, numbers: tuple[float, ...], far: Numbers) -> Finding | None:
        """See Check."""
        change = seen.change
        if change is None or abs(change.louder - change.stretched) < self.apart:
            return None
        if far[0] < self.sure or numbers[0] < self.least or seen.clipped > self.clipped:
            return None
        return Finding(f"steps along two borders, {numbers[0]:.1f} times what the bed spans")
