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
    rank: ClassVar[int] = 20
    measures: ClassVar[int] = 2

    share: float = 0.5  # of the bed that is duller

    def measure(self, seen: Seen) -> tuple[float, ...]:
        """See Check."""
        change = seen.change
        return (UNKNOWN if change is None else -change.sharpness, -seen.now.rich)

    def find(self, seen: Seen, numbers: tuple[float, ...], far: Numbers) -> Finding | None:
        """See Check."""
        change = seen.change
        if change is None:
            return Finding("hardly any texture beyond the noise") if far[1] >= self.sure else None
        if far[0] < self.sure or change.dulled[1] < self.share:
            return None
        return Finding(f"fine contrast is {np.exp(change.sharpness / 2):.0%} of the last sound frame's")
