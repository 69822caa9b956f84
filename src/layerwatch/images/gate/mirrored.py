"""Mirrored: flipped, the picture fits the frame before, or the plan, better than as it came."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from layerwatch.images.comparing import flips
from layerwatch.images.gate.base import UNKNOWN, Check, Finding, Numbers, Seen

_SAME = 0.002  # of correlation, below which a distance is noise


@dataclass(frozen=True)
class Mirrored(Check):
    """Every temperature is right and every place is wrong."""

    summary: ClassVar[str] = "the picture fits better once it is flipped"
    source: ClassVar[str] = "own"
    advice: ClassVar[str] = "set the camera's flip as it was"
    rank: ClassVar[int] = 13
    measures: ClassVar[int] = 2

    least: float = 0.02  # by which the correlation with the plan grows
    far_closer: float = 1.2  # logarithm of how many times closer to 1 the correlation with the frame before comes
    alike: float = 0.7  # correlation once it is flipped; another job's picture has less
    closer: float = 0.4  # the same logarithm for a part that is nearly its own mirror image
    near: float = 0.9  # correlation of such a part once it is flipped

    def measure(self, seen: Seen) -> tuple[float, ...]:
        """See Check."""
        change, plan = seen.change, seen.planned
        told = UNKNOWN if change is None else max(_apart(change.alike) - _apart(change.mirrored), 0.0)
        if plan is None:
            return told, UNKNOWN
        shapes = seen.now.shapes
        return told, max(map(abs, flips(shapes, plan))) - abs(float((shapes * plan).sum()))

    def find(self, seen: Seen, numbers: tuple[float, ...], far: Numbers) -> Finding | None:
        """See Check."""
        change = seen.change
        if change is not None:
            # No picture that was not flipped comes that much closer, whatever a polluted history has taught.
            flipped = numbers[0] > self.far_closer and change.mirrored > self.alike
            nearly = far[0] >= self.sure and numbers[0] > self.closer and change.mirrored > self.near
            if flipped or nearly:
                grown = change.mirrored - change.alike
                return Finding(f"flipped, it fits the last sound frame better by {grown:.2f} in correlation")
        if far[1] >= self.sure and numbers[1] > self.least:
            return Finding(f"flipped, it fits the plan better by {numbers[1]:.2f} in correlation")
        return None


def _apart(alike: float) -> float:
    """Logarithm of how far a correlation is from 1: what a symmetric part leaves is small, and sharp."""
    return math.log(1 - alike + _SAME)
