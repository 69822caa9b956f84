"""Mirrored: flipped, the picture fits the frame before, or the plan, better than as it came."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from layerwatch.images.comparing import flips
from layerwatch.images.gate.base import UNKNOWN, Check, Finding, Numbers, Seen


@dataclass(frozen=True)
class Mirrored(Check):
    """Every temperature is right and every place is wrong."""

    summary: ClassVar[str] = "the picture fits better once it is flipped"
    source: ClassVar[str] = "own"
    advice: ClassVar[str] = "set the camera's flip as it was"
    rank: ClassVar[int] = 13
    measures: ClassVar[int] = 2

    least: float = 0.02  # by which the correlation grows
    clear: float = 0.85  # correlation once it is flipped, that no other picture has
    better: float = 0.15  # by which the correlation then grows
    hint: float = 3.0  # orders of magnitude that are enough then
    alike: float = 0.7  # correlation once it is flipped; another job's picture has less

    def measure(self, seen: Seen) -> tuple[float, ...]:
        """See Check."""
        change, plan = seen.change, seen.planned
        told = UNKNOWN if change is None else change.mirrored - change.alike
        if plan is None:
            return told, UNKNOWN
        shapes = seen.now.shapes
        return told, max(map(abs, flips(shapes, plan))) - abs(float((shapes * plan).sum()))

    def find(self, seen: Seen, numbers: tuple[float, ...], far: Numbers) -> Finding | None:
        """See Check."""
        change = seen.change
        if change is not None and numbers[0] > self.least and change.mirrored > self.alike:
            clear = change.mirrored > self.clear and numbers[0] > self.better and far[0] >= self.hint
            if clear or far[0] >= self.sure:
                return Finding(f"flipped, it fits the last sound frame better by {numbers[0]:.2f} in correlation")
        if far[1] >= self.sure and numbers[1] > self.least:
            return Finding(f"flipped, it fits the plan better by {numbers[1]:.2f} in correlation")
        return None
