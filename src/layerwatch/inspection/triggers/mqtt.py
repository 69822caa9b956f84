"""Messages of an MQTT broker -> the layers that the machine begins."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from threading import Event
from typing import ClassVar

from layerwatch.inspection.file_identity import addressed
from layerwatch.inspection.ports import check_port
from layerwatch.inspection.subscription import Subscription, topic_of
from layerwatch.inspection.triggers.base import Started, Trigger
from layerwatch.records import DataError


@dataclass(eq=False)
class Mqtt(Trigger):
    """Takes messages of any content; the topic's last two levels are job and layer."""

    summary: ClassVar[str] = "The machine tells by MQTT which layer it begins"
    source: ClassVar[str] = "MQTT 3.1.1, QoS 1, a kept session"

    printer: str
    host: str = "127.0.0.1"
    port: int = 1883
    topic: str = "layerwatch/{printer}/layers/+/+"
    username: str = ""
    password: str = field(default="", repr=False)
    tls: bool = False  # with the system's certificates
    client_id: str = ""  # default: of the printer's name; the broker keeps one session for each
    _subscription: Subscription | None = field(default=None, init=False, repr=False)
    _wrong: str = field(default="", init=False, repr=False)  # what was last told and could not be understood

    def __post_init__(self) -> None:
        check_port(self.port)

    @property
    def trouble(self) -> str:
        """Why the broker is away, or what it told last that is no layer."""
        return (self._subscription.trouble if self._subscription else "") or self._wrong

    def layers(self, stop: Event) -> Iterator[Started]:
        """Layers as they are told.

        Raises:
            UsageError: the printer's name cannot be part of a topic.
        """
        topic = topic_of(self.topic, self.printer)
        name = self.client_id or f"layerwatch-{self.printer}-layers"
        self._subscription = subscription = Subscription(
            self.host, self.port, topic, name, self.username, self.password, self.tls
        )
        for message in subscription.messages(stop):
            if message is None:
                continue
            job, layer = ["", "", *message.topic.split("/")][-2:]
            try:
                started = Started(job, addressed(self.printer, job, layer).layer, time.time())
            except DataError as error:
                self._wrong = f"topic {message.topic[:200]}: {error}"
            else:
                self._wrong = ""
                yield started
            subscription.acknowledge(message)
