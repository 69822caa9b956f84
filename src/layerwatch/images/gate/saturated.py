"""Saturated: much of the picture at the upper end of the span."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from layerwatch.images.span_end import SpanEnd


@dataclass(frozen=True)
class Saturated(SpanEnd):
    """The upper end."""

    summary: ClassVar[str] = "a share of the pixels stands at the span's upper end"
    source: ClassVar[str] = "own"
    advice: ClassVar[str] = "look for lamps or reflections, and set a higher range"
    rank: ClassVar[int] = 9
    level: ClassVar[Literal[0, 65535]] = 65535
    where: ClassVar[str] = "upper"
