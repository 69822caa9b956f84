"""Deliveries of a camera -> spool, journal, and only then the acknowledgement."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from hashlib import sha256
from threading import Event

from layerwatch.inspection.cameras.base import Camera
from layerwatch.inspection.deliveries import UNKNOWN, Delivery, Identity
from layerwatch.inspection.failpoints import step
from layerwatch.inspection.journal.journal import Journal
from layerwatch.inspection.spool import Spool, StorageError

_LAYERS = 2**31  # more than any database's integer holds, and than any part has


def nobody_says() -> tuple[str, int] | None:
    """The machine does not tell where it is."""
    return None


@dataclass(frozen=True, eq=False)
class Receiver:
    """Keeps what comes. Never judges, so that it is never late."""

    spool: Spool
    journal: Journal
    woken: Event  # set when there is something to judge
    trouble: Callable[[str], None]  # told why nothing can be kept; empty when it works again
    current: Callable[[], tuple[str, int] | None] = nobody_says  # job and layer that the machine is at

    def take(self, delivery: Delivery) -> bool:
        """Keep one frame and acknowledge it; False where it could not be kept and must come again."""
        try:
            delivery = _named(self._placed(delivery))
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

    def _placed(self, delivery: Delivery) -> Delivery:
        """A frame without a number is of the layer that the machine is at, or that it was at when it came first."""
        one, at = delivery.identity, self.current()
        if one.layer >= 0 or at is None or not delivery.data:
            return delivery
        known = self.journal.identity_of(one.printer, sha256(delivery.data).hexdigest())
        identity = replace(one, job=at[0], layer=at[1]) if known is None else known
        return replace(delivery, identity=identity, unidentified="")

    def run(self, camera: Camera, stop: Event) -> None:
        """Take all that a camera delivers until it is told to stop."""
        for delivery in camera.deliveries(stop):
            self.take(delivery)
            if stop.is_set():
                return


def _named(delivery: Delivery) -> Delivery:
    """A frame of which nobody knows what it is gets a name by its content, so that it is kept once."""
    one = delivery.identity
    named = Identity(_plain(one.printer), _plain(one.job), one.layer, _plain(one.phase), _plain(one.shot))
    known = replace(delivery, identity=named, name=_plain(delivery.name))
    if not delivery.unidentified and 0 <= one.layer < _LAYERS:
        return known
    content = sha256(delivery.data).hexdigest()[:16]
    reason = _plain(delivery.unidentified) or f"layer {one.layer}"
    return replace(known, identity=replace(named, layer=UNKNOWN, shot=content), unidentified=reason)


def _plain(text: str) -> str:
    """Text that every database takes: names of files may hold bytes that are no text."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8").replace("\0", "\\0")
