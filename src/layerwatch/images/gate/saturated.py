"""Saturated: much of the picture at the upper end of the span."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from layerwatch.images.gate.base import Check, Finding, Numbers, Seen


@dataclass(frozen=True)
class Saturated(Check):
    """The whole bed lies near that end; a defect that leaves the span by itself is none."""

    summary: ClassVar[str] = "a share of the pixels stands at the span's upper end"
    source: ClassVar[str] = "own"
    advice: ClassVar[str] = "look for lamps or reflections, and set a higher range"
    rank: ClassVar[int] = 9

    share: float = 0.08  # of the pixels
    near: float = 0.1  # of the span, within which the bed's level lies

    def find(self, seen: Seen, numbers: tuple[float, ...], far: Numbers) -> Finding | None:
        """See Check."""
        if seen.shot.share < 1 or seen.now.ends[1] != 65535:
            return None
        share = seen.now.share_at(65535)
        if share < self.share or 1 - float(np.median(seen.now.coarse)) > self.near:
            return None
        return Finding(f"{share:.0%} of the pixels are at the upper end of the span")
