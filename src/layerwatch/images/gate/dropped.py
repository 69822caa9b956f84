"""Dropped: layers that never came before the one that did."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from layerwatch.images.gate.base import Check, Finding, Numbers, Seen


@dataclass(frozen=True)
class Dropped(Check):
    """The frame that ends the gap is sound and is judged."""

    summary: ClassVar[str] = "numbers missing before this frame"
    source: ClassVar[str] = "own"
    advice: ClassVar[str] = "count these layers as unjudged; look at the network and the disk"
    rank: ClassVar[int] = 90

    most: int = 100  # layers that are listed, the last ones

    def find(self, seen: Seen, numbers: tuple[float, ...], far: Numbers) -> Finding | None:
        """See Check."""
        came, layer = seen.past.came, seen.shot.layer
        if not came or layer <= max(came) + 1:
            return None
        lost = tuple(range(max(came) + 1, layer))
        told = f"no frame between layers {max(came)} and {layer}"
        if len(lost) > self.most:
            told += f": {len(lost)} layers, the last {self.most} of them listed; or the number {layer} is wrong"
        return Finding(told, lost[-self.most :], itself=False)
