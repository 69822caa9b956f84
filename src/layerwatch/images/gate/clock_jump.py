"""Clock jump: one impossible interval between time stamps; the pictures go on as ever."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from layerwatch.images.gate.base import Check, Finding, Numbers, Seen


@dataclass(frozen=True)
class ClockJump(Check):
    """The clock stays where it jumped to, so only the first frame after it is named."""

    summary: ClassVar[str] = "a time stamp that is off by more than a layer time"
    source: ClassVar[str] = "own"
    advice: ClassVar[str] = "set the clock from one source; correct the stamps by the jump"
    rank: ClassVar[int] = 21

    least: float = 0.3  # layer times

    def find(self, seen: Seen, numbers: tuple[float, ...], far: Numbers) -> Finding | None:
        """See Check."""
        if abs(seen.off) <= self.least:
            return None
        return Finding(
            f"{abs(seen.off) * seen.known.layer_time:.0f} s {'late' if seen.off > 0 else 'early'}, with a sound picture"
        )
