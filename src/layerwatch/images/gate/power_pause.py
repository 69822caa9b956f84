"""Power pause: a layer that took many layer times, and a bed that is colder since."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from layerwatch.images.gate.base import UNKNOWN, Check, Finding, Numbers, Seen


@dataclass(frozen=True)
class PowerPause(Check):
    """While the bed is still colder than before, its frames are not comparable."""

    summary: ClassVar[str] = "one long interval, then a colder bed"
    source: ClassVar[str] = "own"
    advice: ClassVar[str] = "let the bed warm up for some layers; judge those after"
    rank: ClassVar[int] = 14
    measures: ClassVar[int] = 1

    long: float = 2.5  # layer times, besides the usual one
    least: float = 0.008  # of the span, by which it is colder
    alike: float = 0.5  # correlation with the frame before: the same layer's shapes
    layers: int = 15  # for which the bed may stay colder

    def measure(self, seen: Seen) -> tuple[float, ...]:
        """See Check."""
        return (UNKNOWN if seen.change is None else -seen.change.level,)

    def find(self, seen: Seen, numbers: tuple[float, ...], far: Numbers) -> Finding | None:
        """See Check."""
        change = seen.change
        if change is None or -change.level < self.least:
            return None
        if seen.off > self.long and change.alike > self.alike:
            took = f"{seen.off + 1:.0f} layer times since the last layer"
            return Finding(f"{took}, {-change.level:.1%} of the span colder")
        since = seen.past.since(self.name)
        if since is None or seen.shot.layer - since > self.layers:
            return None
        return Finding(f"still {-change.level:.1%} of the span colder than before the pause at layer {since}")
