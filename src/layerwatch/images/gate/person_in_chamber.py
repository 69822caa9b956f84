"""Person in the chamber: a place without texture, of another temperature, that reaches in from the border."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from layerwatch.images.gate.base import UNKNOWN, Check, Finding, Numbers, Seen


@dataclass(frozen=True)
class PersonInChamber(Check):
    """Skin and sleeves hide the bed; a defect is printed on it, and keeps its texture."""

    summary: ClassVar[str] = "something smooth hides the bed from a border on"
    source: ClassVar[str] = "own"
    advice: ClassVar[str] = "wait until the chamber is closed, and take the frame again"
    rank: ClassVar[int] = 17
    passes: ClassVar[int] = 3
    measures: ClassVar[int] = 1

    share: float = 0.012  # of the frame
    rim: float = -1.6  # logarithm by which there is more outline around it: dust on a window blurs those that were
    edge: float = 1.0  # the same around what is colder than the bed ever was: drifting heat has no edge
    clipped: float = 0.02  # share of pixels at the span's ends

    def measure(self, seen: Seen) -> tuple[float, ...]:
        """See Check."""
        if seen.change is None:
            return (UNKNOWN,)
        hidden, foreign = seen.change.hidden, seen.change.foreign
        smooth = hidden.share if hidden.rim >= self.rim else 0.0
        # What crosses the whole bed is no arm; a dead emitter's stripe does.
        cold = foreign.share if foreign.rim >= self.edge and not foreign.across else 0.0
        return (max(smooth, cold),)

    def find(self, seen: Seen, numbers: tuple[float, ...], far: Numbers) -> Finding | None:
        """See Check."""
        if seen.change is None or far[0] < self.sure or seen.clipped > self.clipped or numbers[0] < self.share:
            return None
        return Finding(f"{numbers[0]:.0%} of the bed are hidden from a border on")
