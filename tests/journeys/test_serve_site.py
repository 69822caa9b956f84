"""A site with a folder and a push address: frames in, one result each, and a line that changes with the next job."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread

import numpy as np
import pytest

from layerwatch.detectors.plan_residual import PlanResidual
from layerwatch.detectors.storage.model_files import pack
from layerwatch.images.archive import encode_png
from layerwatch.images.grey import to_uint16
from layerwatch.journeys.files import save_model
from layerwatch.journeys.in_force import add, change
from layerwatch.journeys.look_after import examined, written
from layerwatch.journeys.serve import known_journal
from layerwatch.journeys.serve_site import serve_site
from layerwatch.journeys.serving.smallest import UNKNOWN
from layerwatch.testing.images import healthy_image, healthy_images, spoiled_image
from layerwatch.verdict.localise import fit_spread

SITE = """
[site]
name = "hall"
data = "data"
heartbeat = 0.2

[[printer]]
name = "p1"
model = "cores"
plans = "plans"
mm_per_px = 1.0

[printer.camera]
kind = "watch_folder"
path = "in"
settle = 0.1
rescan = 0.3

[[sink]]
kind = "jsonl"
path = "told.jsonl"
"""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A site file, its model in the registry, plans and an empty folder for frames."""
    detector = PlanResidual().fit(healthy_images(40))
    images = healthy_images(60, first=40)
    readings = detector.read(images)
    spread = fit_spread([one.heat for one in readings if one.heat is not None], [image.plan for image in images])
    scores = np.array([one.score for one in readings])
    save_model(tmp_path / "m", pack(detector, "plan_residual", {"scores": scores, "heat_level": spread.level}, {}))
    add(tmp_path / "data", "cores", tmp_path / "m")
    change(tmp_path / "data", "p1", "activate", "Kim", name="cores", version="0001")
    (tmp_path / "in").mkdir()
    for layer in range(20):
        path = tmp_path / "plans" / f"{layer:05d}.png"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(encode_png(np.asarray(healthy_image(layer).plan)))
    file = tmp_path / "site.toml"
    file.write_text(SITE, encoding="utf-8")
    return file


def give(site: Path, job: str, layer: int, *, spoiled: bool = False) -> None:
    image = healthy_image(layer)
    folder = site.parent / "in" / job
    folder.mkdir(exist_ok=True)
    pixels = (spoiled_image(image) if spoiled else image).pixels
    (folder / f"{layer:05d}.png").write_bytes(encode_png(to_uint16(pixels)))


def until(done: Callable[[], bool], most: float = 40.0) -> None:
    end = time.monotonic() + most
    while not done():
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.1)


def test_frames_of_a_folder_have_one_result_each_and_the_line_changes_with_the_next_job(site: Path) -> None:
    stop, data, said = Event(), site.parent / "data", list[str]()
    thread = Thread(target=lambda: serve_site(site, stop, quiet=True, said=said.append), daemon=True)
    for layer in range(6):
        give(site, "job-1", layer, spoiled=layer in (3, 4))
    thread.start()
    until(lambda: (data / "heartbeat.json").exists())
    assert any("p1: false_alarms = 0.05 cannot be promised" in text and "19 are needed" in text for text in said)
    assert f"p1: {UNKNOWN}" in said
    assert ("smallest defect p1", "warn") in [(one.name, one.word) for one in examined(data, site=site)]
    journal = known_journal(data)
    until(lambda: journal.counts()["verdicts"] == 6)
    give(site, "job-1", 2)  # the same again, with a new time
    assert [one.kind for one in journal.alarms_of("p1", "job-1")] == ["defect"]

    change(data, "p1", "set_threshold", "Kim", value=1e9, reason="to see that nothing is raised")
    for layer in range(6):
        give(site, "job-2", layer, spoiled=layer in (3, 4))
    until(lambda: journal.counts()["verdicts"] == 12)
    stop.set()
    thread.join(30)
    assert not thread.is_alive()
    assert journal.alarms_of("p1", "job-2") == ()

    told = json.loads("".join(written(data)))
    assert [(one["job"], one["layer"]) for one in told["layers"]] == [(f"job-{j}", n) for j in (1, 2) for n in range(6)]
    audits = [one["body"]["event"] for one in told["messages"] if one["kind"] == "audit"]
    assert audits == ["model activated", "threshold changed"]
    lines = [json.loads(line) for line in (site.parent / "told.jsonl").read_text(encoding="utf-8").splitlines()]
    numbers = [one["number"] for one in lines]
    assert numbers == sorted(set(numbers))
    assert sum(one["kind"] == "alarm" and one["event"] == "raised" for one in lines) == 1
