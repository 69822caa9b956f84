"""Inline: one item after another, in this very process."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from layerwatch.crew.base import Crew, Work


@dataclass(frozen=True)
class Inline(Crew):
    """The plain loop; the others must give the same."""

    summary: ClassVar[str] = "one after another in this process"
    source: ClassVar[str] = "a loop"

    def each(self, work: Work, items: Sequence[str]) -> Iterator[tuple[str, Any]]:
        """See Crew."""
        for item in items:
            yield item, work(item)
