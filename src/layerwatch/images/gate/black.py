"""Black: all pixels have one value; not even the sensor's noise is there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from layerwatch.images.gate.base import Check, Finding, Numbers, Seen


@dataclass(frozen=True)
class Black(Check):
    """A frame grabber fills what it did not get."""

    summary: ClassVar[str] = "every pixel has the same value"
    source: ClassVar[str] = "own"
    advice: ClassVar[str] = "look at the camera's cable and power, and take the frame again"
    rank: ClassVar[int] = 3

    def find(self, seen: Seen, numbers: tuple[float, ...], far: Numbers) -> Finding | None:
        """See Check."""
        low, high = seen.now.ends
        return Finding(f"every pixel is {low}") if low == high and seen.shot.share >= 1 else None
