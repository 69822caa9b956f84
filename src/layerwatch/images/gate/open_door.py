"""Open door: a cold wave from one side that dies out over the bed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from layerwatch.images.gate.base import UNKNOWN, Check, Finding, Numbers, Seen


@dataclass(frozen=True)
class OpenDoor(Check):
    """Cold air comes from a side and is everywhere; a dead emitter's stripe ends, drifting heat lies around a place."""

    summary: ClassVar[str] = "a cold gradient from one side and a lower level"
    source: ClassVar[str] = "own"
    advice: ClassVar[str] = "close the door, and wait until the bed is warm again"
    rank: ClassVar[int] = 22
    passes: ClassVar[int] = 8
    measures: ClassVar[int] = 1

    told: float = 0.72  # share of the change that a wave from one side explains, where the whole bed is colder, too
    alone: float = 0.86  # the same, where it need not be
    colder: float = 0.12  # of the cold at that side, by which the whole bed is
    everywhere: float = -0.35  # of the cold at that side, at least, that the whole bed is colder
    least: float = 0.015  # of the span

    def measure(self, seen: Seen) -> tuple[float, ...]:
        """See Check."""
        if seen.change is None:
            return (UNKNOWN,)
        draught = seen.change.draught
        return (draught.side * max(2 * draught.told - 1, 0.0),)

    def find(self, seen: Seen, numbers: tuple[float, ...], far: Numbers) -> Finding | None:
        """See Check."""
        if seen.change is None or far[0] < self.sure:
            return None
        draught = seen.change.draught
        all_over = draught.told >= self.told and draught.everywhere >= self.colder * draught.side
        from_side = draught.told >= self.alone and draught.everywhere >= self.everywhere * draught.side
        if not (all_over or from_side) or draught.side < self.least:
            return None
        return Finding(f"{draught.side:.1%} of the span colder at one side, {draught.everywhere:.1%} everywhere")
