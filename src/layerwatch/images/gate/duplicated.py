"""Duplicated: a frame under the same number with the same pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from layerwatch.images.gate.base import Check, Finding, Numbers, Seen


@dataclass(frozen=True)
class Duplicated(Check):
    """The first of them was judged; the others are left out."""

    summary: ClassVar[str] = "the same pixels under the same layer number again"
    source: ClassVar[str] = "own"
    advice: ClassVar[str] = "leave it out; look why the sender repeats itself"
    rank: ClassVar[int] = 5

    def find(self, seen: Seen, numbers: tuple[float, ...], far: Numbers) -> Finding | None:
        """See Check."""
        if (seen.now.digest, seen.shot.layer) not in seen.past.digests:
            return None
        return Finding(f"the same pixels came for layer {seen.shot.layer} before")
