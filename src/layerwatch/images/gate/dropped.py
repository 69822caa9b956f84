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

    most: int = 1000  # layers that are listed

    def find(self, seen: Seen, numbers: tuple[float, ...], far: Numbers) -> Finding | None:
        """See Check."""
        came, layer = seen.past.came, seen.shot.layer
        if not came or layer <= max(came) + 1:
            return None
        lost = tuple(range(max(came) + 1, layer))[-self.most :]
        return Finding(f"no frame between layers {max(came)} and {layer}", lost, itself=False)
