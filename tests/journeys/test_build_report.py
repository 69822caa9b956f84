"""The build report of a small job in every form: the same bytes twice, nothing from outside is markup."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from layerwatch.cli import app
from layerwatch.images.archive import encode_png
from layerwatch.inspection.accounts import heat_map
from layerwatch.inspection.deliveries import Delivery, Identity
from layerwatch.inspection.journal.entries import AlarmEntry, Entry, Outcome
from layerwatch.inspection.messages import Message
from layerwatch.inspection.receiver import Receiver
from layerwatch.inspection.spool import Spool
from layerwatch.journeys.build_report import build_report
from layerwatch.journeys.reporting.document import shown
from layerwatch.journeys.serve import open_journal
from layerwatch.journeys.serving.smallest import SMALLEST, Found, Smallest, packed
from layerwatch.records import Region, UsageError, Verdict

EVIL = "<img src=x onerror=alert(1)>"
SIZE = (24, 32)
BOX = (4, 6, 8, 12)


def frame(layer: int) -> bytes:
    rng = np.random.default_rng(layer)
    return encode_png(rng.integers(90, 110, SIZE).astype(np.uint8))


def verdict(job: str, layer: int) -> Verdict:
    name = f"{layer}.png"
    if layer == 4:
        return Verdict(job, layer, "FAULT", reason="frozen: as the one before; restart the camera", name=name)
    if layer == 3:
        region = Region(1, 18.0, 12.0, 96.0, 12.0, -2.5, BOX)
        return Verdict(job, layer, "NOK", 7.0, 2.0, 0.01, (region,), "spot", name)
    return Verdict(job, layer, "OK", 0.1 * layer, 2.0, 0.5, name=name)


def fill(folder: Path, printer: str, job: str) -> None:
    """Six layers, one of them NOK with an alarm and one a fault, as the service would keep them."""
    journal, spool = open_journal(folder), Spool(folder)
    receiver = Receiver(spool, journal, Event(), lambda text: None)
    for layer in range(1, 7):
        identity = Identity(printer, job, layer)
        receiver.take(Delivery(identity, frame(layer), ".png", f"{layer}.png"))
        waiting, heat, told = journal.waiting(printer)[0], "", {}
        if layer == 3:
            drawn = heat_map(np.linspace(-3, 1, SIZE[0] * SIZE[1], dtype=np.float32).reshape(SIZE))
            heat = spool.keep_heat(identity, drawn.png)
            told = {"heat_unit": drawn.unit, "sightings": [[1.5, 1.2]]}
        found = verdict(job, layer)
        entry = Entry(found, waiting.number, "frozen" if layer == 4 else "", told, heat, "plan_aware@0123456789ab")
        journal.record(Outcome(printer, job, (entry,), (), (Message("verdict", {}, printer, job),)))
    one: dict[str, Any] = {
        "number": 1,
        "part": 1,
        "first_layer": 3,
        "last_layer": 3,
        "layers": 1,
        "x": 18.0,
        "y": 12.0,
        "height": 0.3,
    }
    one |= {"area": 96.0, "extent": 12.0, "volume": 28.8, "growth": 0.0, "amplitude": -2.5, "edge": 1.5}
    one |= {"box": list(BOX)}
    body = {"text": f"defect in {job}", "first_layer": 3, "raised_layer": 3, "last_layer": 3, "score": 7.0}
    state = {"state": "cleared", "until": 0.0, "by": "", "comment": "", "at": 1.0}
    alarm = AlarmEntry(1, "defect", "critical", state, False, {**body, "objects": [one]})
    journal.set_alarm(printer, job, alarm, Message("alarm", {"event": "cleared"}, printer, job))
    journal.engine.dispose()


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with a job of two printers, and one whose name is markup."""
    folder = tmp_path_factory.mktemp("data")
    for printer, job in (("p", EVIL), ("p", "twice"), ("q", "twice")):
        fill(folder, printer, job)
    return folder


@pytest.mark.parametrize("ending", [".pdf", ".html", ".csv", ".json", ".h5"])
def test_the_same_journal_gives_the_same_bytes(data: Path, tmp_path: Path, ending: str) -> None:
    first, second = tmp_path / f"a{ending}", tmp_path / f"b{ending}"
    assert build_report(EVIL, first, data=data).sha256 == build_report(EVIL, second, data=data).sha256
    assert first.read_bytes() == second.read_bytes()
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_a_name_that_is_markup_does_no_harm(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "r.html"
    build_report(EVIL, out, data=data)
    text = out.read_text(encoding="utf-8")
    assert "<img src=x" not in text
    assert "&lt;img src=x onerror=alert(1)&gt;" in text
    assert "http" not in text.replace("http-equiv", "")
    build_report(EVIL, tmp_path / "r.pdf", data=data)
    assert (tmp_path / "r.pdf").read_bytes().startswith(b"%PDF")
    assert shown("a\x00\ud800") == "a\\x00\\ud800"


def test_the_facts_are_sealed_and_every_frame_has_its_digest(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "r.json"
    build_report("twice", out, data=data, printer="q")
    told = json.loads(out.read_bytes())
    text = json.dumps(told["facts"], sort_keys=True, separators=(",", ":"))
    assert hashlib.sha256(text.encode()).hexdigest() == told["sha256"]
    facts = told["facts"]
    assert [one["frame_sha256"] for one in facts["layers"]] == [
        hashlib.sha256(frame(layer)).hexdigest() for layer in range(1, 7)
    ]
    assert [one["state"] for one in facts["layers"]] == ["OK", "OK", "critical", "cannot be judged", "OK", "OK"]
    assert told["files"] == ["intact"] * 6
    assert (facts["mm_per_px"], facts["layer_height"], facts["printer"]) == (2.0, 0.3, "q")
    assert (facts["defects"][0]["worst_layer"], facts["faults"][0]["fault"]) == (3, "frozen")


def test_a_frame_that_was_changed_is_said_to_be(tmp_path: Path) -> None:
    fill(tmp_path / "data", "p", "j")
    kept = sorted((tmp_path / "data" / "frames" / "p" / "j").iterdir())
    kept[0].write_bytes(b"other")
    kept[2].unlink()
    done = build_report("j", tmp_path / "r.csv", data=tmp_path / "data")
    assert "2 frames changed or gone" in done.text
    rows = list(csv.DictReader(io.StringIO((tmp_path / "r.csv").read_text(encoding="utf-8"))))
    assert [row["file"] for row in rows[:3]] == ["changed", "intact", "gone"]
    assert (rows[-1]["row"], rows[-1]["area"], rows[-1]["amplitude"]) == ("defect", "96", "-2.5")
    for ending in ("pdf", "html"):  # the worst layer's frame is gone, its heat map is not
        build_report("j", tmp_path / f"r.{ending}", data=tmp_path / "data")


def test_peregrine_has_frames_and_regions(data: Path, tmp_path: Path) -> None:
    h5py: Any = pytest.importorskip("h5py")
    build_report("twice", tmp_path / "r.h5", data=data, printer="p")
    with h5py.File(tmp_path / "r.h5") as file:
        assert file["slices/camera_data/visible/0"].shape == (6, *SIZE)
        names = [name.decode() for name in file["slices/segmentation_results/class_names"]]
        seen = file[f"slices/segmentation_results/{names.index('critical')}"][2]
        assert seen.sum() == (BOX[2] - BOX[0]) * (BOX[3] - BOX[1])
        assert file[f"slices/segmentation_results/{names.index('cannot be judged')}"][3].all()


def test_what_is_not_known_is_named(data: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no job 'other'; jobs of this journal are: .*'twice' of p; 'twice' of q"):
        build_report("other", tmp_path / "r.pdf", data=data)
    with pytest.raises(UsageError, match=r"printed by p, q; say which with --printer"):
        build_report("twice", tmp_path / "r.pdf", data=data)
    with pytest.raises(UsageError, match=r"no job 'twice' of the printer 'z'"):
        build_report("twice", tmp_path / "r.pdf", data=data, printer="z")
    with pytest.raises(UsageError, match=r"no form ends in '\.doc'; give a file that ends in \.pdf, \.html"):
        build_report("twice", tmp_path / "r.doc", data=data)
    with pytest.raises(UsageError, match="no journal here"):
        build_report("twice", tmp_path / "r.pdf", data=tmp_path)
    assert not list(tmp_path.iterdir())


def test_the_verb_writes_it(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "r.json"
    told = CliRunner().invoke(app, ["report", "twice", "--printer", "p", "--data", str(data), "--out", str(out)])
    assert told.exit_code == 0, told.output
    assert out.is_file()
    assert "facts " in told.output


def test_the_smallest_defects_of_a_commissioned_model_are_told(tmp_path: Path) -> None:
    fill(tmp_path / "data", "p", "j")
    model = tmp_path / "data" / "model"
    model.mkdir()
    digest = "0123456789ab" + "0" * 52
    (model / "model.json").write_text(
        json.dumps({"detector": "plan_aware", "weights_sha256": digest, "provenance": {"span": [20, 60]}}),
        encoding="utf-8",
    )
    found = Found("small spot", 6.0, "mm", 1.5, 1.2, 1.9, "K", 8)
    (model / SMALLEST).write_bytes(packed(Smallest(2.0, (found,))))
    build_report("j", tmp_path / "r.html", data=tmp_path / "data")
    text = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert digest in text
    assert "finds in nine of ten jobs blobs of 6 mm from 1.5 K" in text
    assert "peak K" in text
