"""Frames of a virtual printer, handed in by a journey -> deliveries at its pace; then it ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from threading import Event
from typing import ClassVar

from layerwatch.inspection.cameras.base import Camera, Delivery
from layerwatch.inspection.deliveries import Identity


@dataclass(frozen=True, eq=False)
class VirtualFrame:
    """One frame that a virtual printer has drawn."""

    job: str
    layer: int
    data: bytes  # of its file
    suffix: str = ".png"
    exposed: float | None = None  # s since 1970


@dataclass(eq=False)
class Virtual(Camera):
    """Gives what a virtual printer draws."""

    summary: ClassVar[str] = "Frames of a virtual printer, at its pace"
    source: ClassVar[str] = "drawn by a journey, for demonstrations and tests"

    printer: str
    frames: Callable[[], Iterator[VirtualFrame]] | Sequence[VirtualFrame] = ()
    pace: float = 0.0  # s a frame

    def deliveries(self, stop: Event) -> Iterator[Delivery]:
        """Every frame, each after its time."""
        for frame in self.frames() if callable(self.frames) else iter(self.frames):
            if stop.wait(self.pace):
                return
            identity = Identity(self.printer, frame.job, frame.layer)
            name = f"{frame.job}/{frame.layer}{frame.suffix}"
            yield Delivery(identity, frame.data, frame.suffix, name, frame.exposed)
