"""Under range: most of the picture lies at the lower end of the span, as over a cold bed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from layerwatch.job.ranges import Interval
from layerwatch.job.span_end import SpanEnd


@dataclass(frozen=True)
class UnderRange(SpanEnd):
    """The lower end."""

    summary: ClassVar[str] = "a share of the pixels stands at the span's lower end"
    source: ClassVar[str] = "own; heating off, or a range for hotter things"
    end: ClassVar[Literal[0, 1]] = 0

    layers: Interval = Interval(1.0, 5.0)
