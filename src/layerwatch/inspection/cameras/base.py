"""A printer's camera -> its frames as they arrive, bytes untouched, each to be acknowledged once it is safe."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from threading import Event
from typing import ClassVar

from layerwatch.inspection.deliveries import Delivery as Delivery  # what a camera gives
from layerwatch.inspection.deliveries import Receipt as Receipt  # and gets


class Camera(ABC):
    """Where frames come from. Settings are dataclass fields; a site file gives them by name."""

    summary: ClassVar[str]
    source: ClassVar[str]

    @abstractmethod
    def deliveries(self, stop: Event) -> Iterator[Delivery]:
        """Everything that arrives, in order of arrival, until ``stop`` is set or nothing more can come.

        Waits in between. A delivery that was not acknowledged before a crash is given again by the next run. An outage
        (a folder that is not mounted, a broker that is away) is waited out, with its reason in ``trouble``.
        """

    @property
    def trouble(self) -> str:
        """Why nothing can arrive at the moment; empty where all is well."""
        return ""

    def remarks(self) -> tuple[str, ...]:
        """What was found since the last call that a person should know and nobody must mend."""
        return ()
