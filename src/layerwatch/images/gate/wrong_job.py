"""Wrong job: other shapes and another field of heat than the job had."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from layerwatch.images.gate.base import UNKNOWN, Check, Finding, Numbers, Seen


@dataclass(frozen=True)
class WrongJob(Check):
    """A defect changes the outlines, or the heat of the bed; another job differs in both."""

    summary: ClassVar[str] = "neither shapes nor heat are those of the job"
    source: ClassVar[str] = "own"
    advice: ClassVar[str] = "look for two jobs in one folder, and for names given twice"
    rank: ClassVar[int] = 20
    moves: ClassVar[tuple[int, ...]] = (0,)
    passes: ClassVar[int] = 12
    measures: ClassVar[int] = 3

    apart: float = 0.25  # one minus the correlation with the frame before
    hint: float = 3.0  # orders of magnitude of the weaker number

    def measure(self, seen: Seen) -> tuple[float, ...]:
        """See Check."""
        change, plan = seen.change, seen.planned
        apart = UNKNOWN if change is None else 1 - change.kept
        field = UNKNOWN if change is None else float(np.median(np.abs(change.cells - change.level)))
        return apart, field, UNKNOWN if plan is None else 1 - abs(float((seen.now.shapes * plan).sum()))

    def find(self, seen: Seen, numbers: tuple[float, ...], far: Numbers) -> Finding | None:
        """See Check."""
        if seen.shot.job != seen.past.job:
            return Finding(f"it claims to be of job {seen.shot.job}, not {seen.past.job}")
        change = seen.change
        both = min(far[0], far[1]) >= self.hint and max(far[0], far[1]) >= self.sure
        if change is not None and both and 1 - change.alike > self.apart:
            return Finding(
                f"correlation of {change.alike:.2f} with the job's last sound frame, and another field of heat"
            )
        if far[2] >= self.sure:
            return Finding(f"correlation of {1 - numbers[2]:.2f} with the plan")
        return None
