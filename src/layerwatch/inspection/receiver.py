"""Deliveries of a camera -> spool, journal, and only then the acknowledgement."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from threading import Event

from layerwatch.inspection.cameras.base import Camera
from layerwatch.inspection.deliveries import UNKNOWN, Delivery, Identity
from layerwatch.inspection.failpoints import step
from layerwatch.inspection.journal.journal import Journal
from layerwatch.inspection.spool import Spool, StorageError


@dataclass(frozen=True, eq=False)
class Receiver:
    """Keeps what comes. Never judges, so that it is never late."""

    spool: Spool
    journal: Journal
    woken: Event  # set when there is something to judge
    trouble: Callable[[str], None]  # told why nothing can be kept; empty when it works again

    def take(self, delivery: Delivery) -> bool:
        """Keep one frame and acknowledge it; False where it could not be kept and must come again."""
        delivery = _named(delivery)
        try:
            spooled = self.spool.keep(delivery)
            receipt = self.journal.receive(delivery, spooled)
        except StorageError as error:
            self.trouble(str(error))
            delivery.refuse(str(error))
            return False
        self.trouble("")
        with step("acknowledge"):
            delivery.acknowledge(receipt)
        if receipt.word in {"new", "late"}:
            self.woken.set()
        return True

    def run(self, camera: Camera, stop: Event) -> None:
        """Take all that a camera delivers until it is told to stop."""
        for delivery in camera.deliveries(stop):
            self.take(delivery)
            if stop.is_set():
                return


def _named(delivery: Delivery) -> Delivery:
    """A frame of which nobody knows what it is gets a name by its content, so that it is kept once."""
    if not delivery.unidentified and delivery.identity.layer >= 0:
        return delivery
    one, content = delivery.identity, sha256(delivery.data).hexdigest()[:16]
    reason = delivery.unidentified or f"layer {one.layer}"
    identity = Identity(one.printer, one.job, UNKNOWN, one.phase, content)
    return Delivery(
        identity,
        delivery.data,
        delivery.suffix,
        delivery.name,
        delivery.exposed,
        reason,
        delivery.acknowledge,
        delivery.refuse,
    )
