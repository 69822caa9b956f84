"""Wrong depth: temperatures in steps of 8 bits where healthy frames have 16, or nearly black."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from layerwatch.images.gate.base import Check, Finding, Numbers, Seen


@dataclass(frozen=True)
class WrongDepth(Check):
    """Eight bits come in a file of eight, at the bottom of one of sixteen, or spread over sixteen."""

    summary: ClassVar[str] = "fewer bits than healthy frames have"
    source: ClassVar[str] = "own"
    advice: ClassVar[str] = "set the export to the camera's full depth"
    rank: ClassVar[int] = 4

    def find(self, seen: Seen, numbers: tuple[float, ...], far: Numbers) -> Finding | None:
        """See Check."""
        shot, known = seen.shot, seen.known
        if shot.bits != known.bits:
            return Finding(f"a file of {shot.bits} bits instead of {known.bits}")
        low, high = seen.now.ends
        if shot.bits == 16 and 0 < high < 256:
            return Finding(f"no level above {high} in a file of 16 bits: those of 8 bits")
        sample = seen.now.frame[:: seen.now.block]
        if not known.coarse and low < high and not (sample % 257).any():
            return Finding("all levels are multiples of 257: those of 8 bits, spread")
        return None
