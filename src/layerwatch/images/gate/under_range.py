"""Under range: much of the picture at the lower end of the span."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from layerwatch.images.span_end import SpanEnd


@dataclass(frozen=True)
class UnderRange(SpanEnd):
    """The lower end."""

    summary: ClassVar[str] = "a share of the pixels stands at the span's lower end"
    source: ClassVar[str] = "own"
    advice: ClassVar[str] = "look whether the heating runs, and set a lower range"
    rank: ClassVar[int] = 10
    level: ClassVar[Literal[0, 65535]] = 0
    where: ClassVar[str] = "lower"
