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
    rank: ClassVar[int] = 19
    measures: ClassVar[int] = 2

    share: float = 0.05  # of the bed
    hint: float = 2.0  # orders of magnitude of the weaker number

    def measure(self, seen: Seen) -> tuple[float, ...]:
        """See Check."""
        return (UNKNOWN, UNKNOWN) if seen.change is None else seen.change.dulled

    def find(self, seen: Seen, numbers: tuple[float, ...], far: Numbers) -> Finding | None:
        """See Check."""
        if min(far) < self.hint or max(far) < self.sure or numbers[1] < self.share:
            return None
        return Finding(f"{numbers[1]:.0%} of the bed have lost half of their texture")
