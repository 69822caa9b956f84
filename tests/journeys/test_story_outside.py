"""What programs outside hear by MQTT and by webhook is the whole story, through a kill -9 of the service."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from layerwatch.journeys.look_after import written
from layerwatch.journeys.serve import known_journal
from tests.inspection.broker import Broker, free_port
from tests.journeys.test_serve_site import give, site, until

__all__ = ["site"]  # the fixture

SINKS = """
[[sink]]
kind = "mqtt"
host = "127.0.0.1"
port = {broker}

[[sink]]
kind = "webhook"
url = "http://127.0.0.1:{http}/"
kinds = ["verdict", "alarm", "job"]
"""
LAYERS = 9  # the sixth never comes
ALARM = ("alarm", "level", "cause", "text", "first_layer", "raised_layer", "last_layer", "event")


@contextmanager
def running(*command: str) -> Iterator[subprocess.Popen[str]]:
    arguments = [sys.executable, "-m", *command]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    found = Broker(tmp_path).start()
    yield found
    found.kill()


def served(site: Path, done: Callable[[], bool]) -> None:
    """The service as a process of its own, until something is done; then it is killed."""
    with running("layerwatch.cli", "serve", "--site", str(site), "--quiet"):
        until(done)


def test_a_second_process_hears_the_whole_story(site: Path, broker: Broker) -> None:
    http, data = free_port(), site.parent / "data"
    with site.open("a", encoding="utf-8") as file:
        file.write(SINKS.format(broker=broker.port, http=http))
    for layer in (0, 1, 2, 3, 4):
        give(site, "job-1", layer, spoiled=layer in (3, 4))
    with running("tests.journeys.story_child", str(broker.port), str(http), "job-1") as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        served(site, lambda: (data / "journal.db").is_file() and known_journal(data).counts()["verdicts"] >= 3)
        for layer in (6, 7, 8):
            give(site, "job-1", layer)
        served(site, lambda: known_journal(data).counts()["verdicts"] == LAYERS and not waiting(data))
        told, _ = child.communicate(timeout=30)
    stories, journal = json.loads(told), json.loads("".join(written(data)))
    layers = sorted([one["layer"], one["verdict"]["word"]] for one in journal["layers"])
    alarms = [[one["body"][key] for key in ALARM] for one in journal["messages"] if one["kind"] == "alarm"]
    last = {alarm[0]: alarm for alarm in alarms}
    assert len(layers) == LAYERS
    assert layers[5] == [5, "FAULT"]
    assert sorted(alarm[2] for alarm in last.values()) == ["defect", "fault"]
    for name, story in stories.items():
        assert [[one["layer"], one["word"]] for one in story["layers"]] == layers, name
        assert [[one[key] for key in ALARM] for one in story["alarms"]] == list(last.values()), name
        assert story["gaps"] == [], name  # the missing layer is told of
        assert story["began"] is not None, name


def waiting(data: Path) -> Any:
    """Messages that a sink has not taken."""
    return known_journal(data).counts()["outbox"]
