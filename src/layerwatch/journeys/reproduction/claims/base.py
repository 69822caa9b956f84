"""One statement of sections 5.1 and 5.2 of the paper -> what our own run says of it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from layerwatch.journeys.reproduction.judged import Holds
from layerwatch.journeys.reproduction.workshop import Workshop


@dataclass(frozen=True)
class Finding:
    """What was measured, and whether the statement holds; "cannot be judged" where the figures decide nothing."""

    ours: str
    holds: Holds


class Claim(ABC):
    """A statement that can be checked. ``summary`` is the statement, ``source`` where it stands."""

    summary: ClassVar[str]
    source: ClassVar[str]
    paper: ClassVar[str] = ""  # the paper's own figures, where it gives any
    costly: ClassVar[bool] = False  # trains networks of its own

    @abstractmethod
    def check(self, shop: Workshop) -> Finding:
        """Measure it."""
