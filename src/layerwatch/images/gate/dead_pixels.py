"""Dead pixels: single pixels far above or below all four neighbours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from layerwatch.images.gate.base import Check, Finding, Numbers, Seen


@dataclass(frozen=True)
class DeadPixels(Check):
    """Optics blur everything that is real over more than one pixel."""

    summary: ClassVar[str] = "single pixels far from all their neighbours"
    source: ClassVar[str] = "own"
    advice: ClassVar[str] = "load the camera's table of bad pixels; let it be calibrated"
    rank: ClassVar[int] = 11
    measures: ClassVar[int] = 1

    share: float = 0.0008  # of the pixels

    def measure(self, seen: Seen) -> tuple[float, ...]:
        """See Check."""
        return (seen.now.dead,)

    def find(self, seen: Seen, numbers: tuple[float, ...], far: Numbers) -> Finding | None:
        """See Check."""
        if far[0] < self.sure or numbers[0] < self.share:
            return None
        return Finding(f"{numbers[0]:.2%} of the pixels stand alone")
