"""The same frames five times through each door: one verdict a layer, one alarm a job."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread

import httpx
import pytest

from layerwatch.images.archive import encode_png
from layerwatch.images.grey import to_uint16
from layerwatch.journeys.in_force import change
from layerwatch.journeys.look_after import written
from layerwatch.journeys.serve import known_journal
from layerwatch.journeys.serve_site import serve_site
from layerwatch.testing.images import healthy_image, spoiled_image
from tests.inspection.broker import Broker, free_port
from tests.journeys.test_serve_site import site, until

__all__ = ["site"]  # the fixture

LAYERS, TIMES, SPOILED = 6, 5, (3, 4)
MORE = """
[[printer]]
name = "p2"
model = "cores"
plans = "plans"
mm_per_px = 1.0
camera = {{kind = "http_push", port = {http}}}

[[printer]]
name = "p3"
model = "cores"
plans = "plans"
mm_per_px = 1.0
camera = {{kind = "mqtt", port = {mqtt}}}
"""


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    found = Broker(tmp_path).start()
    yield found
    found.kill()


def frame(layer: int) -> bytes:
    image = healthy_image(layer)
    return encode_png(to_uint16((spoiled_image(image) if layer in SPOILED else image).pixels))


def sent(site: Path, http: int, broker: Broker, layer: int) -> None:
    """One frame through all doors."""
    folder = site.parent / "in" / "job-1"
    folder.mkdir(exist_ok=True)
    part = folder / f"{layer:05d}.png.partial"
    part.write_bytes(frame(layer))
    part.replace(folder / f"{layer:05d}.png")
    answer = httpx.put(f"http://127.0.0.1:{http}/frames/job-1/{layer}", content=frame(layer))
    assert answer.status_code in {200, 201}, answer.text
    broker.publish((f"layerwatch/p3/frames/job-1/{layer}", frame(layer)))


def listens(http: int) -> bool:
    try:
        httpx.get(f"http://127.0.0.1:{http}/")
    except httpx.HTTPError:
        return False
    return True


def test_a_frame_sent_five_times_through_each_door_has_one_result_and_one_alarm(site: Path, broker: Broker) -> None:
    http, stop, data = free_port(), Event(), site.parent / "data"
    with site.open("a", encoding="utf-8") as file:
        file.write(MORE.format(http=http, mqtt=broker.port))
    for printer in ("p2", "p3"):
        change(data, printer, "activate", "Kim", name="cores", version="0001")
    thread = Thread(target=lambda: serve_site(site, stop, quiet=True, said=lambda text: None), daemon=True)
    thread.start()
    until(lambda: listens(http))
    for _ in range(TIMES):
        for layer in range(LAYERS):
            sent(site, http, broker, layer)
        time.sleep(0.5)  # the folder's files stand still for a moment, so each writing is seen
    journal = known_journal(data)
    until(lambda: journal.counts()["verdicts"] == 3 * LAYERS)
    time.sleep(1)  # what came again would have been judged by now
    stop.set()
    thread.join(30)
    told = json.loads("".join(written(data)))
    known = sorted((one["printer"], one["layer"]) for one in told["layers"])
    assert known == [(printer, layer) for printer in ("p1", "p2", "p3") for layer in range(LAYERS)]
    raised = [one["printer"] for one in told["messages"] if one["kind"] == "alarm" and one["body"]["event"] == "raised"]
    assert sorted(raised) == ["p1", "p2", "p3"]
    assert [one["conflicts"] for one in told["layers"]] == [[]] * 3 * LAYERS
