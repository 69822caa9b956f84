"""Every camera on the shelf keeps the promises of its shelf; a new one needs a line here."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
from tests.images.streams import Printer
from tests.inspection.broker import Broker
from tests.inspection.receiving import PNG, until
from tests.inspection.streaming import StreamServer, recorded, streaming

from layerwatch import catalogue
from layerwatch.images.frame_choice import Choosing
from layerwatch.inspection.cameras.base import Camera
from layerwatch.inspection.cameras.http_push import HttpPush
from layerwatch.inspection.cameras.mqtt import Mqtt
from layerwatch.inspection.cameras.replay import Replay
from layerwatch.inspection.cameras.stream import Stream
from layerwatch.inspection.cameras.virtual import Virtual, VirtualFrame
from layerwatch.inspection.cameras.watch_folder import WatchFolder
from layerwatch.inspection.triggers.base import Trigger
from layerwatch.testing.contracts import check_camera, check_thing

Tell = Callable[[], None]


def folder(path: Path) -> Path:
    path.mkdir()
    for layer in (9, 10, 11):
        (path / f"L{layer}.png").write_bytes(PNG)
    return path


def watched(path: Path) -> tuple[Camera, Tell]:
    return WatchFolder("P1", folder(path / "job"), settle=0.1), lambda: None


def replayed(path: Path) -> tuple[Camera, Tell]:
    return Replay("P1", folder(path / "job")), lambda: None


def virtual(path: Path) -> tuple[Camera, Tell]:
    return Virtual("P1", [VirtualFrame("job", layer, PNG) for layer in (9, 10, 11)]), lambda: None


def pushed(path: Path) -> tuple[Camera, Tell]:
    camera = HttpPush("P1", port=0)

    def tell() -> None:
        until(lambda: camera.bound_port)
        for layer in (9, 10, 11):
            answer = httpx.put(f"http://127.0.0.1:{camera.bound_port}/frames/job/{layer}", content=PNG)
            assert answer.status_code == 201, answer.text

    return camera, tell


def published(path: Path) -> tuple[Camera, Tell]:
    broker = Broker(path).start()
    BROKERS.append(broker)
    camera = Mqtt("P1", port=broker.port)

    def tell() -> None:
        until(lambda: camera._subscription is not None and not camera.trouble)
        broker.publish(*((f"layerwatch/P1/frames/job/{layer}", PNG) for layer in (9, 10, 11)))

    return camera, tell


def streamed(path: Path) -> tuple[Camera, Tell]:
    server = StreamServer(recorded(Printer(1, 4, rate=5.0), 4.0))
    SERVERS.enter_context(streaming(server))
    wish = Choosing(wait=0.05, patience=1.0, shortest=1.2, lamp=0.35)
    url = f"http://127.0.0.1:{server.port}/video"
    return Stream("P1", url, choose=wish, rate=100.0, job="job-%Y%m%dT%H%M%S"), lambda: None


SERVERS = ExitStack()
BROKERS: list[Broker] = []
CAMERAS = {
    "http_push": pushed,
    "mqtt": published,
    "replay": replayed,
    "stream": streamed,
    "virtual": virtual,
    "watch_folder": watched,
}


@pytest.mark.parametrize("name", CAMERAS)
def test_a_camera_keeps_its_contract(name: str, tmp_path: Path) -> None:
    camera, tell = CAMERAS[name](tmp_path)
    thread = threading.Thread(target=tell)
    thread.start()
    try:
        check_camera(camera, 3)
    finally:
        thread.join(20)
        SERVERS.close()
        while BROKERS:
            BROKERS.pop().kill()


def test_every_camera_is_tested_here() -> None:
    assert set(catalogue.names("inspection.cameras")) == set(CAMERAS)
    for name in CAMERAS:
        check_thing(catalogue.load("inspection.cameras", name), Camera)


@pytest.mark.parametrize("name", catalogue.names("inspection.triggers"))
def test_a_trigger_says_what_it_is(name: str) -> None:
    kind = catalogue.load("inspection.triggers", name)
    check_thing(kind, Trigger)
    assert not kind("P1").trouble
