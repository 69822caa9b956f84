"""A frame, and an end of the camera's span -> whether the bed has gone there, for the checks of either end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from layerwatch.images.gate.base import Check, Finding, Numbers, Seen


@dataclass(frozen=True)
class SpanEnd(Check):
    """The whole bed lies near that end; a defect that leaves the span by itself is none."""

    level: ClassVar[Literal[0, 65535]]
    where: ClassVar[str]  # the end in words

    share: float = 0.08  # of the pixels
    near: float = 0.1  # of the span, within which the bed's level lies

    def find(self, seen: Seen, numbers: tuple[float, ...], far: Numbers) -> Finding | None:
        """See Check."""
        if seen.shot.share < 1 or self.level not in seen.now.ends:
            return None
        share, bed = seen.now.share_at(self.level), float(np.median(seen.now.coarse))
        if share < self.share or abs(self.level / 65535 - bed) > self.near:
            return None
        return Finding(f"{share:.0%} of the pixels are at the {self.where} end of the span")
