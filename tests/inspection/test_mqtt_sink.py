"""A real broker gets every message in order, through its death and return; what it did not acknowledge is not taken."""

from __future__ import annotations

import getpass
import json
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from layerwatch.inspection.messages import Message
from layerwatch.inspection.sinks.base import NotTakenError
from layerwatch.inspection.sinks.mqtt import Mqtt
from layerwatch.records import UsageError
from layerwatch.testing.contracts import check_sink

MOSQUITTO = Path("/usr/sbin/mosquitto")
CONFIG = """listener {port} 127.0.0.1
allow_anonymous {anonymous}
persistence true
persistence_location {folder}/
user {user}
log_dest none
"""


def until(done: Callable[[], bool], what: str, seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, f"{what} did not happen within {seconds:g} s"
        time.sleep(0.02)


@dataclass
class Broker:
    """A mosquitto that can be killed and started again."""

    folder: Path
    anonymous: str = "true"
    port: int = 0
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        assert MOSQUITTO.exists(), "these tests need a broker: apt-get install mosquitto"
        if not self.port:
            with socket.socket() as free:
                free.bind(("127.0.0.1", 0))
                self.port = free.getsockname()[1]
        config = self.folder / "mosquitto.conf"
        config.write_text(
            CONFIG.format(port=self.port, folder=self.folder, anonymous=self.anonymous, user=getpass.getuser())
        )
        self.process = subprocess.Popen([MOSQUITTO, "-c", config])
        until(self.answers, "the broker's start")

    def answers(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def save(self) -> None:
        """Write sessions to disk, as the broker does every half hour."""
        assert self.process is not None
        file = self.folder / "mosquitto.db"
        before = file.stat().st_mtime_ns if file.exists() else 0
        self.process.send_signal(signal.SIGUSR1)
        until(lambda: file.exists() and file.stat().st_mtime_ns > before, "the broker's saving")

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


@dataclass
class Reader:
    """Somebody who subscribes to everything, with a session that the broker keeps."""

    port: int
    got: list[tuple[str, str, bool]] = field(default_factory=list)
    ready: bool = False

    def start(self, name: str) -> Client:
        client = Client(CallbackAPIVersion.VERSION2, client_id=name, clean_session=False)
        client.reconnect_delay_set(1, 1)
        client.on_connect = lambda c, *_: c.subscribe("#", qos=1)
        client.on_subscribe = self._on_subscribe
        client.on_message = lambda c, data, one: self.got.append((one.topic, one.payload.decode(), one.retain))
        client.connect("127.0.0.1", self.port)
        client.loop_start()
        until(lambda: self.ready, "the subscription")
        return client

    def _on_subscribe(self, *_: Any) -> None:
        self.ready = True

    def of(self, topic: str) -> list[str]:
        return [text for where, text, _ in self.got if where == topic]


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    found = Broker(tmp_path)
    found.start()
    yield found
    found.kill()


@pytest.fixture
def reader(broker: Broker) -> Iterator[Reader]:
    found = Reader(broker.port)
    client = found.start("reader")
    yield found
    client.disconnect()
    client.loop_stop()


@pytest.fixture
def sink(broker: Broker) -> Iterator[Mqtt]:
    found = Mqtt("127.0.0.1", broker.port, timeout=2.0)
    yield found
    found.close()


def message(number: int) -> Message:
    return Message("verdict", {"layer": number, "word": "OK"}, "M2/left", "job", number, 1000.0 + number)


TOPIC = "layerwatch/M2%2Fleft/verdict"


def test_mqtt_keeps_its_contract(sink: Mqtt, reader: Reader) -> None:
    count = [0]

    def seen() -> str:
        count[0] = min(count[0] + 1, 3)
        until(lambda: len(reader.of("layerwatch/-/verdict")) >= count[0], "the broker's passing on", 5)
        return "\n".join(reader.of("layerwatch/-/verdict"))

    check_sink(sink, seen)


def test_status_is_online_then_offline_and_the_last_message_is_retained(broker: Broker, reader: Reader) -> None:
    sink = Mqtt("127.0.0.1", broker.port)
    sink.take(message(1))
    sink.close()
    until(lambda: reader.of("layerwatch/status") == ["online", "offline"], "the status")
    late = Reader(broker.port)
    client = late.start("late")
    until(lambda: len(late.got) == 2, "what is retained")
    client.disconnect()
    client.loop_stop()
    assert sorted(late.got) == [(TOPIC, message(1).text(), True), ("layerwatch/status", "offline", True)]


def test_the_last_will_tells_that_a_service_died(sink: Mqtt, reader: Reader) -> None:
    sink.take(message(1))
    assert sink._client is not None
    connection = sink._client.socket()
    assert isinstance(connection, socket.socket)
    connection.shutdown(socket.SHUT_RDWR)  # as the system does for a process that was killed
    until(lambda: "offline" in reader.of("layerwatch/status"), "the last will")
    until(lambda: reader.of("layerwatch/status")[-1] == "online", "connecting again")


def test_every_message_arrives_in_order_though_the_broker_is_killed(broker: Broker, sink: Mqtt, reader: Reader) -> None:
    failures = list[str]()
    for number in range(1, 61):
        if number in {15, 40}:
            broker.save()
            broker.kill()
        while True:
            try:
                sink.take(message(number))
                break
            except NotTakenError as error:
                failures.append(str(error))
                if broker.process is None:
                    broker.start()
    until(lambda: len(set(reader.of(TOPIC))) == 60, "the last message")
    numbers = [json.loads(text)["number"] for text in reader.of(TOPIC)]
    assert len(failures) >= 2
    assert all(str(broker.port) in reason for reason in failures)
    assert list(dict.fromkeys(numbers)) == list(range(1, 61)), "every message, in order"


def test_a_broker_that_is_not_there_takes_nothing_and_says_why() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        sink = Mqtt("127.0.0.1", free.getsockname()[1], timeout=0.3)
        with pytest.raises(NotTakenError, match="away: cannot connect"):
            sink.take(message(1))
        sink.close()
        sink.close()


def test_a_broker_that_refuses_says_why(tmp_path: Path) -> None:
    broker = Broker(tmp_path, anonymous="false")
    broker.start()
    sink = Mqtt("127.0.0.1", broker.port, username="anna", password="hidden", timeout=0.5)
    with pytest.raises(NotTakenError, match="Not authorized"):
        sink.take(message(1))
    assert "hidden" not in repr(sink)
    sink.close()
    broker.kill()


@pytest.mark.parametrize("settings", [{"topic": "a/#"}, {"topic": ""}, {"port": 0}])
def test_settings_that_cannot_work_are_named(settings: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=r"MQTT|port"):
        Mqtt("127.0.0.1", **settings).take(message(1))
