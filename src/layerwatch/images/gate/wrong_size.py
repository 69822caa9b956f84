"""Wrong size: another number of pixels than healthy frames have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from layerwatch.images.gate.base import Check, Finding, Numbers, Seen


@dataclass(frozen=True)
class WrongSize(Check):
    """A camera that restarted in another mode sees the bed at another scale."""

    summary: ClassVar[str] = "a number of pixels that healthy frames do not have"
    source: ClassVar[str] = "own"
    advice: ClassVar[str] = "set the camera's window and binning as they were"
    rank: ClassVar[int] = 2

    def find(self, seen: Seen, numbers: tuple[float, ...], far: Numbers) -> Finding | None:
        """See Check."""
        if seen.shot.share < 1 or seen.fits:
            return None
        (h, w), known = seen.shot.frame.shape, seen.known
        return Finding(f"{w} x {h} pixels instead of {known.width} x {known.height}")
