"""Fouled window: a broad place with less texture than before, while the rest is as sharp as ever."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from layerwatch.images.gate.base import UNKNOWN, Check, Finding, Numbers, Seen


@dataclass(frozen=True)
class FouledWindow(Check):
    """Dust scatters and lets less heat through; it has no edge and reaches over part and bed."""

    summary: ClassVar[str] = "a broad, soft place that has lost its texture"
    source: ClassVar[str] = "own"
    advice: ClassVar[str] = "clean the window, and judge the frames since anew where they are kept"
    rank: ClassVar[int] = 18
    measures: ClassVar[int] = 3

    share: float = 0.05  # of the bed
    together: float = 10.0  # orders of magnitude of the dullest place and of the share
    hint: float = 1.1  # orders of magnitude, at least, by which the dullest place is duller
    heat: float = 15.0  # orders of magnitude of the heat that changed where texture was lost
    dull: float = 2.2  # orders of magnitude of the dullest place that are enough with those below
    warm: float = 6.0  # orders of magnitude of the heat
    colder: float = 0.12  # of the span, by which the whole bed fell: its texture went with its heat
    kept: float = 0.7  # correlation of the fine picture elsewhere with the frame before

    def measure(self, seen: Seen) -> tuple[float, ...]:
        """See Check."""
        if seen.change is None:
            return UNKNOWN, UNKNOWN, UNKNOWN
        dulled = seen.change.dulled
        return dulled.depth, dulled.share, dulled.heat

    def find(self, seen: Seen, numbers: tuple[float, ...], far: Numbers) -> Finding | None:
        """See Check."""
        far = far / self.eased(seen)
        if seen.change is None or seen.change.kept < self.kept or far[0] < self.hint or numbers[1] < self.share:
            return None
        if seen.change.level < -self.colder:
            return None
        both = far[0] >= self.dull and far[2] >= self.warm
        if far[0] + far[1] < self.together and far[2] < self.heat and not both:
            return None
        return Finding(f"{numbers[1]:.0%} of the bed have lost half of their texture")
