"""A topic of an MQTT broker -> its messages, each acknowledged to the broker only when the caller says so.

The session is kept (``clean_session`` is off) at QoS 1: what was not acknowledged is sent again after a break.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from queue import Empty, Queue
from threading import Event
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from layerwatch.records import UsageError

_KEEPALIVE = 5  # s; a broker that says nothing for half as long again is away
_SOONEST, _LATEST = 1, 4  # s between two tries to connect


@dataclass(frozen=True, eq=False)
class Message:
    """One message, as it came."""

    topic: str
    payload: bytes
    mid: int
    session: int  # number of the connection it came by
    qos: int


@dataclass(eq=False)
class Subscription:
    """A connection that comes back by itself."""

    host: str
    port: int
    topic: str
    client_id: str
    username: str = ""
    password: str = field(default="", repr=False)
    tls: bool = False
    trouble: str = field(default="", init=False)
    _queue: Queue[Message] = field(default_factory=Queue, init=False, repr=False)
    _session: int = field(default=0, init=False, repr=False)
    _client: mqtt.Client | None = field(default=None, init=False, repr=False)

    def messages(self, stop: Event, tick: float = 0.1) -> Iterator[Message | None]:
        """Messages as they come, and None when there was none for ``tick`` seconds; ends with ``stop``."""
        self.trouble = f"not connected to {self.host}:{self.port} yet"
        client = self._client = self._made()
        client.connect_async(self.host, self.port, keepalive=_KEEPALIVE)
        client.loop_start()
        try:
            while not stop.is_set():
                try:
                    message = self._queue.get(timeout=tick)
                except Empty:
                    yield None
                    continue
                yield message
        finally:
            client.on_disconnect = None  # this end is meant
            client.disconnect()
            client.loop_stop()

    def acknowledge(self, message: Message) -> None:
        """Tell the broker that it may forget the message.

        One from an earlier connection is left: the broker sends it again, and its number may be another message's now.
        """
        if self._client is not None and message.session == self._session:
            self._client.ack(message.mid, message.qos)

    def _made(self) -> mqtt.Client:
        client = mqtt.Client(CallbackAPIVersion.VERSION2, self.client_id, clean_session=False, manual_ack=True)
        client.reconnect_delay_set(_SOONEST, _LATEST)
        client.connect_timeout = 5.0
        if self.username:
            client.username_pw_set(self.username, self.password)
        if self.tls:
            client.tls_set()
        client.on_connect, client.on_disconnect = self._on_connect, self._on_disconnect
        client.on_connect_fail, client.on_subscribe = self._on_connect_fail, self._on_subscribe
        client.on_message = self._on_message
        return client

    def _on_connect(self, client: mqtt.Client, data: Any, flags: Any, reason: Any, properties: Any) -> None:
        self._session += 1
        if reason.is_failure:
            self.trouble = f"{self.host}:{self.port} refuses the connection ({reason})"
        else:
            client.subscribe(self.topic, qos=1)

    def _on_subscribe(self, client: mqtt.Client, data: Any, mid: int, reasons: list[Any], properties: Any) -> None:
        refused = [reason for reason in reasons if reason.is_failure]
        self.trouble = f"{self.host}:{self.port} does not give {self.topic} ({refused[0]})" if refused else ""

    def _on_disconnect(self, client: mqtt.Client, data: Any, flags: Any, reason: Any, properties: Any) -> None:
        if not self.trouble:
            self.trouble = f"{self.host}:{self.port} is away ({reason})"

    def _on_connect_fail(self, client: mqtt.Client, data: Any) -> None:
        self.trouble = f"{self.host}:{self.port} cannot be reached"

    def _on_message(self, client: mqtt.Client, data: Any, message: mqtt.MQTTMessage) -> None:
        told = Message(message.topic, bytes(message.payload), message.mid, self._session, message.qos)
        self._queue.put(told)


def topic_of(template: str, printer: str) -> str:
    """The topic of one printer.

    Raises:
        UsageError: the printer's name would mean something else in a topic.
    """
    if set(printer) & set("/+#\0") or not printer:
        raise UsageError(f"printer {printer!r} cannot be part of a topic; give a name without / + #")
    return template.replace("{printer}", printer)
