"""A camera -> its deliveries, received in a thread and acknowledged as the journal would."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event, Thread

import numpy as np

from layerwatch.images.archive import encode_png
from layerwatch.inspection.cameras.base import Camera, Delivery, Receipt
from layerwatch.inspection.deliveries import Identity, Word

PNG = encode_png(np.full((16, 16), 7000, np.uint16))
OTHER = encode_png(np.full((16, 16), 7001, np.uint16))


@dataclass
class Receiver:
    """Keeps one frame for each identity."""

    refusals: int = 0  # so many are refused first
    is_silent: bool = False  # answers nobody
    found: list[Delivery] = field(default_factory=list)
    kept: dict[Identity, bytes] = field(default_factory=dict)
    errors: list[BaseException] = field(default_factory=list)

    def take(self, delivery: Delivery) -> None:
        self.found.append(delivery)
        if self.is_silent:
            return
        if self.refusals:
            self.refusals -= 1
            delivery.refuse("no space left")
            return
        known = self.kept.setdefault(delivery.identity, delivery.data)
        is_new = known is delivery.data
        word: Word = "new" if is_new else "duplicate" if known == delivery.data else "conflict"
        delivery.acknowledge(Receipt(word, len(self.kept), hashlib.sha256(delivery.data).hexdigest()))

    @property
    def layers(self) -> list[int]:
        return [one.identity.layer for one in self.found]


@contextmanager
def receiving(camera: Camera, receiver: Receiver) -> Iterator[Receiver]:
    stop = Event()

    def run() -> None:
        try:
            for delivery in camera.deliveries(stop):
                receiver.take(delivery)
        except BaseException as error:
            receiver.errors.append(error)

    thread = Thread(target=run)
    thread.start()
    try:
        yield receiver
    finally:
        stop.set()
        thread.join(15)
        assert not thread.is_alive(), "it must end soon after stop is set"
        assert not receiver.errors, receiver.errors


def until(true: Callable[[], object], seconds: float = 20.0) -> float:
    """Seconds that it took until it was so."""
    begun = time.monotonic()
    while not true():
        assert time.monotonic() - begun < seconds, "it never came to be"
        time.sleep(0.02)
    return time.monotonic() - begun
