"""Messages of an MQTT broker -> frames; the broker is told to forget a message when the frame is safe, not before."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from threading import Event
from typing import ClassVar

from layerwatch.inspection.cameras.base import Camera, Delivery, Receipt
from layerwatch.inspection.deliveries import UNKNOWN, Identity
from layerwatch.inspection.file_identity import addressed
from layerwatch.inspection.first_bytes import suffix_of
from layerwatch.inspection.ports import check_port
from layerwatch.inspection.subscription import Message, Subscription, topic_of
from layerwatch.records import DataError

_AGAIN = 2.0  # s until a refused frame is given again


@dataclass(eq=False)
class Mqtt(Camera):
    """Takes the bytes of a file as the payload; the topic's last two levels are job and layer."""

    summary: ClassVar[str] = "Frames that a machine publishes to an MQTT broker"
    source: ClassVar[str] = "MQTT 3.1.1, QoS 1, a kept session, acknowledged by hand"

    printer: str
    host: str = "127.0.0.1"
    port: int = 1883
    topic: str = "layerwatch/{printer}/frames/+/+"
    username: str = ""
    password: str = field(default="", repr=False)
    tls: bool = False  # with the system's certificates
    client_id: str = ""  # default: of the printer's name; the broker keeps one session for each
    _subscription: Subscription | None = field(default=None, init=False, repr=False)
    _refused: list[tuple[float, Message]] = field(default_factory=list, init=False, repr=False)  # s, when due again

    def __post_init__(self) -> None:
        check_port(self.port)

    @property
    def trouble(self) -> str:
        """Why the broker is away."""
        return self._subscription.trouble if self._subscription else ""

    def deliveries(self, stop: Event) -> Iterator[Delivery]:
        """Messages in the order of the broker; one that was refused comes again after a while.

        Raises:
            UsageError: the printer's name cannot be part of a topic.
        """
        topic = topic_of(self.topic, self.printer)
        name = self.client_id or f"layerwatch-{self.printer}"
        self._refused.clear()
        self._subscription = subscription = Subscription(
            self.host, self.port, topic, name, self.username, self.password, self.tls
        )
        for message in subscription.messages(stop):
            for one in [*self._due(), message]:
                if stop.is_set():
                    return
                if one is not None:
                    yield self._delivery(subscription, one)

    def _due(self) -> list[Message]:
        now = time.monotonic()
        due = [message for moment, message in self._refused if moment <= now]
        self._refused = [(moment, message) for moment, message in self._refused if moment > now]
        return due

    def _delivery(self, subscription: Subscription, message: Message) -> Delivery:
        identity, reason = _named(self.printer, message.topic)
        return Delivery(
            identity=identity,
            data=message.payload,
            suffix=suffix_of(message.payload),
            name=message.topic,
            unidentified=reason if message.payload else "the message is empty",
            acknowledge=partial(_acknowledge, subscription, message),
            refuse=partial(self._refuse, message),
        )

    def _refuse(self, message: Message, reason: str) -> None:
        self._refused.append((time.monotonic() + _AGAIN, message))


def _acknowledge(subscription: Subscription, message: Message, receipt: Receipt) -> None:
    subscription.acknowledge(message)


def _named(printer: str, topic: str) -> tuple[Identity, str]:
    """Of the topic's last two levels, or why not."""
    job, layer = ["", "", *topic.split("/")][-2:]
    try:
        return addressed(printer, job, layer), ""
    except DataError as error:
        return Identity(printer, "", UNKNOWN), f"topic {topic[:200]}: {error}"
