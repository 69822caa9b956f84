"""Wrong order: a number below one that came before, or a time stamp off by whole layer times."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from layerwatch.images.gate.base import Check, Finding, Numbers, Seen


@dataclass(frozen=True)
class WrongOrder(Check):
    """Frames that came too early cannot be told until the one that they overtook arrives; they are named then."""

    summary: ClassVar[str] = "layer numbers or time stamps out of order"
    source: ClassVar[str] = "own"
    advice: ClassVar[str] = "sort the frames by their time stamps; look at parallel writers and at sorting by name"
    rank: ClassVar[int] = 7

    recent: int = 3  # frames before it, that it may have been overtaken by; what is older has been named
    most: int = 2  # layer times
    near: float = 0.06  # layer times from a whole number of them

    def find(self, seen: Seen, numbers: tuple[float, ...], far: Numbers) -> Finding | None:
        """See Check."""
        layer, came = seen.shot.layer, seen.past.came
        last = [number for _, number in seen.past.digests[-self.recent :]]
        overtook = tuple(sorted({number for number in last if number > layer}))
        if overtook and layer not in came:
            # One that is late by more than those is alone to blame; the others came one after another.
            is_late = len(last) == self.recent and min(last) > layer
            return Finding(f"layer {layer} came after layer {overtook[-1]}", () if is_late else overtook)
        whole = round(seen.off)
        if 1 <= abs(whole) <= self.most and abs(seen.off - whole) < self.near:
            way = "after" if whole > 0 else "before"
            return Finding(f"stamped {abs(whole)} layer times {way} its turn")
        if layer in came and (seen.now.digest, layer) not in seen.past.digests:
            return Finding(f"another picture under the number of layer {layer}, which came before")
        return None
