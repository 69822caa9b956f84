"""Fouled window: a broad place with less texture than before, while the rest is as sharp as ever."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from layerwatch.images.gate.base import UNKNOWN, Check, Finding, Numbers, Seen


@dataclass(frozen=True)
class FouledWindow(Check):
    """Dust scatters and lets less heat through; it has no edge and reaches over part and bed.

    Two signs: texture lost over much of the bed; or, of a smaller smudge and a bed without texture, a place that is
    warmer or colder and whose outlines fade.
    """

    summary: ClassVar[str] = "a broad, soft place that has lost its texture"
    source: ClassVar[str] = "own"
    advice: ClassVar[str] = "clean the window, and judge the frames since anew where they are kept"
    rank: ClassVar[int] = 18
    measures: ClassVar[int] = 4

    share: float = 0.05  # of the bed
    together: float = 10.0  # orders of magnitude of the dullest place and of the share
    hint: float = 1.1  # orders of magnitude, at least, by which the dullest place is duller
    heat: float = 15.0  # orders of magnitude of the heat that changed where texture was lost
    dull: float = 2.2  # orders of magnitude of the dullest place that are enough with those below
    warm: float = 6.0  # orders of magnitude of the heat
    colder: float = 0.12  # of the span, by which the whole bed fell: its texture went with its heat
    kept: float = 0.7  # correlation of the fine picture elsewhere with the frame before
    veiled: float = 0.02  # of the span, by which the heat changed at the place where it changed the most
    lost: float = 1.4  # logarithm of the fine picture's energy, outlines and texture, lost there: three quarters of it
    small: float = 0.035  # of the frame, that the place takes at least
    large: float = 0.2  # the same, at most; drifting heat and porous parts reach further
    long: float = 1.8  # times its width, at most; a swath that was not printed is longer
    alone: float = 0.9  # of all that changed so much, that lies in it at least

    def measure(self, seen: Seen) -> tuple[float, ...]:
        """See Check."""
        if seen.change is None:
            return UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN
        dulled, veil = seen.change.dulled, seen.change.veil
        return dulled.depth, dulled.share, dulled.heat, veil.heat * max(min(veil.lost, 2 * veil.faded), 0.0)

    def find(self, seen: Seen, numbers: tuple[float, ...], far: Numbers) -> Finding | None:
        """See Check."""
        far = far / self.eased(seen)
        if seen.change is None or seen.change.kept < self.kept or seen.change.level < -self.colder:
            return None
        veil = seen.change.veil
        if far[3] >= self.sure and veil.heat >= self.veiled and veil.lost >= self.lost:
            spot = seen.change.spot
            is_round = spot.long <= self.long and spot.alone >= self.alone
            if is_round and self.small <= spot.share <= self.large:
                return Finding(
                    f"a veil over {spot.share:.0%} of the bed: {veil.heat:.1%} of the span off, outlines fade"
                )
        if far[0] < self.hint or numbers[1] < self.share:
            return None
        both = far[0] >= self.dull and far[2] >= self.warm
        if far[0] + far[1] < self.together and far[2] < self.heat and not both:
            return None
        return Finding(f"{numbers[1]:.0%} of the bed have lost half of their texture")
