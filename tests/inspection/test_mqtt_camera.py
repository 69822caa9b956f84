"""A camera behind a real broker: what was not safe is sent again, and a broker that was away is found again."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.inspection.broker import Broker
from tests.inspection.receiving import PNG, Receiver, receiving, until

from layerwatch.inspection.cameras.mqtt import Mqtt
from layerwatch.inspection.deliveries import UNKNOWN, Identity
from layerwatch.inspection.triggers.mqtt import Mqtt as MqttTrigger
from layerwatch.records import UsageError

TOPIC = "layerwatch/P1/frames/job"


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    one = Broker(tmp_path).start()
    yield one
    one.kill()


def connected(camera: Mqtt | MqttTrigger) -> float:
    return until(lambda: camera._subscription is not None and not camera.trouble)


def test_one_frame_sent_five_times_has_one_identity(broker: Broker) -> None:
    camera = Mqtt("P1", port=broker.port)
    with receiving(camera, Receiver()) as receiver:
        connected(camera)
        broker.publish(*[(f"{TOPIC}/7", PNG)] * 5)
        until(lambda: len(receiver.found) == 5)
    assert {(one.identity, one.data, one.suffix) for one in receiver.found} == {(Identity("P1", "job", 7), PNG, ".png")}
    assert receiver.kept == {Identity("P1", "job", 7): PNG}


def test_what_was_not_acknowledged_comes_again_and_what_was_does_not(broker: Broker) -> None:
    camera = Mqtt("P1", port=broker.port)
    with receiving(camera, Receiver()) as receiver:
        connected(camera)
        broker.publish((f"{TOPIC}/1", PNG))
        until(lambda: receiver.found)
    with receiving(camera, Receiver(is_silent=True)) as receiver:
        connected(camera)
        broker.publish((f"{TOPIC}/2", PNG))
        until(lambda: receiver.found)
    broker.publish((f"{TOPIC}/3", PNG))  # while nobody is connected
    with receiving(camera, Receiver(refusals=1)) as receiver:
        until(lambda: len(receiver.kept) == 2)
    assert receiver.layers == [2, 3, 2]


def test_a_broker_that_was_killed_is_found_again(broker: Broker) -> None:
    camera = Mqtt("P1", port=broker.port)
    with receiving(camera, Receiver()) as receiver:
        connected(camera)
        broker.publish((f"{TOPIC}/1", PNG))
        until(lambda: receiver.found)
        broker.kill()
        until(lambda: camera.trouble)
        broker.start()
        assert connected(camera) < 10
        broker.publish((f"{TOPIC}/2", PNG))
        until(lambda: receiver.layers == [1, 2])


def test_messages_that_name_no_frame_are_given_with_the_reason(broker: Broker) -> None:
    camera = Mqtt("P1", port=broker.port)
    with receiving(camera, Receiver()) as receiver:
        connected(camera)
        broker.publish((f"{TOPIC}/x", PNG), (f"{TOPIC}/1", b""), (f"{TOPIC}/2", b"???"))
        until(lambda: len(receiver.found) == 3)
    first, second, third = receiver.found
    assert (first.identity.layer, "layer is 'x'" in first.unidentified) == (UNKNOWN, True)
    assert second.unidentified == "the message is empty"
    assert (third.unidentified, third.suffix) == ("", ".bin")


def test_a_name_that_would_mean_something_else_is_refused() -> None:
    with pytest.raises(UsageError, match="without"):
        next(Mqtt("a/+").deliveries(threading.Event()))


def test_a_machine_tells_its_layers(broker: Broker) -> None:
    trigger, stop, told = MqttTrigger("P1", port=broker.port), threading.Event(), list[tuple[str, int]]()
    thread = threading.Thread(target=lambda: told.extend((s.job, s.layer) for s in trigger.layers(stop)))
    thread.start()
    connected(trigger)
    broker.publish(("layerwatch/P1/layers/job/1", b""), ("layerwatch/P1/layers/job/x", b""))
    until(lambda: told and "layer is 'x'" in trigger.trouble)
    stop.set()
    thread.join(15)
    assert told == [("job", 1)]
