"""Messages -> an MQTT broker, each acknowledged by it before the next one is sent."""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Event
from typing import Any, ClassVar

from paho.mqtt.client import Client, MQTTMessageInfo
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode

from layerwatch.inspection.messages import Kind, Message
from layerwatch.inspection.names import safe
from layerwatch.inspection.ports import check_port
from layerwatch.inspection.sinks.base import EVERYTHING, NotTakenError, Sink
from layerwatch.records import UsageError

_LONGEST_PAUSE = 5  # s between two tries to connect again


@dataclass
class Mqtt(Sink):
    """Publishes with QoS 1 to ``{topic}/{printer}/{kind}``; ``{topic}/status`` says online or offline, retained."""

    summary: ClassVar[str] = "an MQTT broker, one topic a printer and kind"
    source: ClassVar[str] = "MQTT 3.1.1, https://docs.oasis-open.org/mqtt/mqtt/v3.1.1/mqtt-v3.1.1.html"

    host: str
    port: int = 1883
    topic: str = "layerwatch"
    username: str = ""
    password: str = field(default="", repr=False)
    tls: bool = False  # checks the broker's certificate with the system's authorities
    kinds: tuple[Kind, ...] = EVERYTHING
    retain_last: bool = True  # who subscribes later gets the last message of each topic
    timeout: float = 5.0  # s, to connect and for each acknowledgement
    _client: Client | None = field(default=None, init=False, repr=False, compare=False)
    _connected: Event = field(default_factory=Event, init=False, repr=False, compare=False)
    _why: str = field(default="no connection yet", init=False, repr=False, compare=False)
    _waiting: tuple[Message, MQTTMessageInfo] | None = field(default=None, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        check_port(self.port)

    @property
    def wants(self) -> tuple[Kind, ...]:
        """See Sink."""
        return self.kinds

    def take(self, message: Message) -> None:
        """See Sink."""
        if self._client is None:
            self._client = self._opened()
        if not self._connected.wait(self.timeout):
            raise NotTakenError(f"MQTT broker {self.host}:{self.port} is away: {self._why}")
        info = self._published(self._client, message)
        try:
            info.wait_for_publish(self.timeout)
        except (RuntimeError, ValueError) as error:
            self._waiting = None
            raise NotTakenError(f"MQTT broker {self.host}:{self.port}: {error}") from None
        if not info.is_published():
            raise NotTakenError(f"MQTT broker {self.host}:{self.port}: no PUBACK within {self.timeout:g} s")
        self._waiting = None

    def close(self) -> None:
        """Say offline and let go."""
        client, self._client, self._waiting = self._client, None, None
        if client is None:
            return
        if client.is_connected():
            info = client.publish(self._status, "offline", qos=1, retain=True)
            if info.rc == MQTTErrorCode.MQTT_ERR_SUCCESS:
                info.wait_for_publish(self.timeout)
        client.disconnect()
        client.loop_stop()
        self._connected.clear()

    def _published(self, client: Client, message: Message) -> MQTTMessageInfo:
        """The one that is on its way already, when it is the same message: it is sent again by the client itself."""
        if self._waiting is None or self._waiting[0] != message:
            topic = f"{self.topic}/{safe(message.printer)}/{message.kind}"
            self._waiting = message, client.publish(topic, message.text(), qos=1, retain=self.retain_last)
        return self._waiting[1]

    @property
    def _status(self) -> str:
        return f"{self.topic}/status"

    def _opened(self) -> Client:
        """A client that connects, and connects again, in its own thread."""
        if not self.topic or set(self.topic) & set("+#\0"):
            raise UsageError(f"MQTT topic {self.topic!r}: give one without + and #, such as 'plant/layerwatch'")
        client = Client(CallbackAPIVersion.VERSION2)
        client.will_set(self._status, "offline", qos=1, retain=True)
        if self.username:
            client.username_pw_set(self.username, self.password or None)
        if self.tls:
            client.tls_set()
        client.reconnect_delay_set(1, _LONGEST_PAUSE)
        client.on_connect, client.on_disconnect = self._on_connect, self._on_disconnect
        client.on_connect_fail = self._on_connect_fail
        try:
            client.connect_async(self.host, self.port)
        except ValueError as error:
            raise UsageError(f"MQTT broker {self.host}:{self.port}: {error}") from None
        client.loop_start()
        return client

    def _on_connect(self, client: Client, data: Any, flags: Any, code: Any, properties: Any) -> None:
        if code.is_failure:
            self._why = str(code)
            return
        client.publish(self._status, "online", qos=1, retain=True)
        self._connected.set()

    def _on_disconnect(self, client: Client, data: Any, flags: Any, code: Any, properties: Any) -> None:
        if self._connected.is_set():  # else the answer to the connection says more
            self._connected.clear()
            self._why = f"connection lost, {code}"

    def _on_connect_fail(self, client: Client, data: Any) -> None:
        self._why = "cannot connect"
