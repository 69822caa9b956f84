"""A printer's control -> which layer it has begun: for frames without a number, and layers without a frame."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from threading import Event
from typing import ClassVar


@dataclass(frozen=True)
class Started:
    """The machine has begun a layer."""

    job: str
    layer: int
    time: float  # s since 1970, when it was told


class Trigger(ABC):
    """Where a machine tells its progress. Settings are dataclass fields."""

    summary: ClassVar[str]
    source: ClassVar[str]

    @abstractmethod
    def layers(self, stop: Event) -> Iterator[Started]:
        """Layers as they begin, until ``stop`` is set or nothing more can come; outages are waited out."""

    @property
    def trouble(self) -> str:
        """Why nothing can be told at the moment; empty where all is well."""
        return ""
