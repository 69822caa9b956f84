"""No word from the machine -> no layer is told: each begins with its first frame."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from threading import Event
from typing import ClassVar

from layerwatch.inspection.triggers.base import Started, Trigger


@dataclass(eq=False)
class WithFrame(Trigger):
    """For machines that tell nothing but their frames."""

    summary: ClassVar[str] = "None: a layer begins with its first frame"
    source: ClassVar[str] = "frames that carry their own numbers"

    printer: str

    def layers(self, stop: Event) -> Iterator[Started]:
        """Nothing, at once."""
        return iter(())
