"""Truncated: a file that ended too early."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from layerwatch.images.gate.base import Check, Finding, Numbers, Seen


@dataclass(frozen=True)
class Truncated(Check):
    """Nothing of such a frame is believed, whatever part of it could be decoded."""

    summary: ClassVar[str] = "only a share of the file's bytes arrived"
    source: ClassVar[str] = "own"
    advice: ClassVar[str] = "read the file again once it is written, and look at cable, disk and copying"
    rank: ClassVar[int] = 1

    def find(self, seen: Seen, numbers: tuple[float, ...], far: Numbers) -> Finding | None:
        """See Check."""
        if seen.shot.share >= 1:
            return None
        return Finding(f"{seen.shot.share:.0%} of the file's bytes arrived")
