"""Saturated: most of the picture lies at the upper end of the span, lit by a lamp or in too low a range."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from layerwatch.job.ranges import Interval
from layerwatch.job.span_end import SpanEnd


@dataclass(frozen=True)
class Saturated(SpanEnd):
    """The upper end."""

    summary: ClassVar[str] = "a share of the pixels stands at the span's upper end"
    source: ClassVar[str] = "own; a lamp that was left on and shines back"
    end: ClassVar[Literal[0, 1]] = 1

    layers: Interval = Interval(1.0, 3.0)
