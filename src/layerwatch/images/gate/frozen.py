"""Frozen: pixels that repeat an earlier frame under another number, noise included."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from layerwatch.images.gate.base import UNKNOWN, Check, Finding, Numbers, Seen


@dataclass(frozen=True)
class Frozen(Check):
    """No living sensor repeats its noise. Where pixels are not quite equal, the noise is correlated."""

    summary: ClassVar[str] = "the pixels, noise included, of an earlier frame under another number"
    source: ClassVar[str] = "own"
    advice: ClassVar[str] = "wait until the shutter is open, else restart the camera"
    rank: ClassVar[int] = 6
    measures: ClassVar[int] = 1

    least: float = 0.8  # correlation of the noise

    def measure(self, seen: Seen) -> tuple[float, ...]:
        """See Check."""
        change = seen.change
        return (UNKNOWN if change is None else change.same_noise,)

    def find(self, seen: Seen, numbers: tuple[float, ...], far: Numbers) -> Finding | None:
        """See Check."""
        earlier = [layer for digest, layer in seen.past.digests if digest == seen.now.digest]
        if earlier and earlier[-1] != seen.shot.layer:
            return Finding(f"pixel for pixel the frame of layer {earlier[-1]}")
        if far[0] >= self.sure and numbers[0] > self.least:
            return Finding(f"its noise is that of the last sound frame (correlation {numbers[0]:.2f})")
        return None
