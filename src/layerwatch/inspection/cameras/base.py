"""A printer's camera -> frames in the order of their layers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import ClassVar

from layerwatch.records import Fault, LayerImage


class Camera(ABC):
    """Where frames come from. Settings are dataclass fields."""

    summary: ClassVar[str]
    source: ClassVar[str]

    @abstractmethod
    def frames(self) -> Iterator[LayerImage | Fault]:
        """Every frame once, in layer order; one that cannot be read comes as a Fault, never as nothing."""
