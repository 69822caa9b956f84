"""Verdicts, one by one -> wherever people or machines read them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from layerwatch.records import Verdict


class Sink(ABC):
    """Where verdicts go. Settings are dataclass fields."""

    summary: ClassVar[str]
    source: ClassVar[str]

    @abstractmethod
    def take(self, verdict: Verdict) -> None:
        """Pass one verdict on; when this returns, the sink has it.

        Raises:
            UsageError: the sink cannot be written.
        """
