"""Late or early: rows or columns that are even from side to side, or a time stamp off by part of a layer time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from layerwatch.images.gate.base import UNKNOWN, Check, Finding, Numbers, Seen


@dataclass(frozen=True)
class LateOrEarly(Check):
    """Recoater and head are smooth, straight, and cross the whole bed."""

    summary: ClassVar[str] = "something even across the whole bed, or a time stamp that is off"
    source: ClassVar[str] = "own"
    advice: ClassVar[str] = "look at the trigger: it must fire between two recoatings"
    rank: ClassVar[int] = 16
    passes: ClassVar[int] = 6
    measures: ClassVar[int] = 2

    bar: float = 1.75  # logarithm by which grey varies less along a bar
    flat: float = 1.2  # the same, where the time stamp is off as well
    hint: float = 2.5  # orders of magnitude of the time stamp that are enough beside a bar
    least: float = 0.01  # layer times; some clocks are exact, and then every deviation is unusual
    most: float = 0.3  # layer times
    clipped: float = 0.02  # share of pixels at the span's ends

    def measure(self, seen: Seen) -> tuple[float, ...]:
        """See Check."""
        return UNKNOWN if seen.change is None else seen.change.flattened, abs(seen.off)

    def find(self, seen: Seen, numbers: tuple[float, ...], far: Numbers) -> Finding | None:
        """See Check."""
        off = f"{abs(seen.off) * seen.known.layer_time:.1f} s {'late' if seen.off > 0 else 'early'}"
        if abs(seen.off) > self.most or seen.clipped > self.clipped:
            return None
        bar = numbers[0] > self.bar and far[0] >= self.sure
        if bar or (numbers[0] > self.flat and far[1] >= self.hint):
            return Finding(f"a bar across the bed, {off}")
        return Finding(off) if far[1] >= self.sure and numbers[1] >= self.least else None
