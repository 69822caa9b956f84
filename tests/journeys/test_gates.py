"""The gate that goes with a model: found, learnt, stored, taken up by `inspect`."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from layerwatch.images.archive import encode_png, encode_tiff
from layerwatch.images.gate_files import DESCRIPTION, NUMBERS
from layerwatch.images.grey import to_grey
from layerwatch.images.writing import write_file
from layerwatch.journeys.files import load_model, open_gate, save_model
from layerwatch.journeys.gates import gate_beside, gate_for, learnt_gate
from layerwatch.journeys.inspect import Frames
from layerwatch.journeys.sources import Healthy
from layerwatch.journeys.train import Training, train
from layerwatch.records import LayerImage, UsageError
from layerwatch.testing.frames import sound_shots
from tests.journeys.test_cli import refused, run

SIZE = (48, 64)
RATE = ("--false-alarm-rate", "0.1")


def job(seed: int, layers: int = 12) -> tuple[LayerImage, ...]:
    shots = sound_shots(seed, layers, SIZE, f"job{seed}")
    return tuple(LayerImage(s.job, s.layer, to_grey(s.frame, ""), name=f"{s.job}/{s.layer}") for s in shots)


JOBS = [image for seed in range(30) for image in job(seed)]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model") / "pca"
    healthy = Healthy(tuple(JOBS[:240]), tuple(JOBS[240:]))
    train(healthy, Training.named("pca", "quick"), folder, gate=learnt_gate(JOBS).gate)
    return folder


def frames(folder: Path, counts: bool = False) -> Path:
    """A job of 8: the fifth is flipped, the seventh never came."""
    for image in job(90, 8):
        levels = np.rint(image.pixels * 65535).astype(np.uint16)
        if image.layer == 44:
            levels = levels[:, ::-1].copy()
        if counts:  # 20 to 60 degC in steps of 10 mK
            levels = np.rint((20 + 40.0 * levels.astype(np.float64) / 65535 + 273.15) * 100).astype(np.uint16)
        if image.layer != 46:
            write_file(folder / f"{image.layer:03d}.tiff", encode_tiff(levels))
    return folder


def test_a_gate_is_learnt_from_layers_in_series_only() -> None:
    learnt = learnt_gate(JOBS)
    assert learnt.gate is not None
    assert learnt.story == "learnt from 360 layers of 30 jobs"
    for few in (JOBS[:200], [replace(image, job=image.name) for image in JOBS]):
        chosen = learnt_gate(few)
        assert chosen.gate is None
        assert "too few, 300 of several jobs would do" in chosen.story


def test_the_models_own_gate_looks_at_frames_first(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, model: Path
) -> None:
    assert {NUMBERS, DESCRIPTION} <= {path.name for path in model.iterdir()}
    out = tmp_path / "v.jsonl"
    code, told, _ = run(capsys, "inspect", frames(tmp_path / "f"), "--model", model, *RATE, "--out", out)
    assert code == 0
    assert "8 layers: " in told
    assert told.rstrip().endswith(f", 2 FAULT; gate: that of {model}")
    rows = {row["layer"]: row for row in map(json.loads, out.read_text().splitlines())}
    assert [layer for layer, row in rows.items() if row["word"] == "FAULT"] == [44, 46]
    assert rows[44]["reason"].startswith("mirrored: ")
    assert rows[44]["reason"].endswith("; set the camera's flip as it was")
    assert rows[46]["reason"].startswith("dropped: ")


def test_without_one_only_what_needs_no_learning_is_a_fault(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, model: Path
) -> None:
    bare, folder = tmp_path / "bare", frames(tmp_path / "f")
    save_model(bare, {p.name: p.read_bytes() for p in model.iterdir() if p.name not in (NUMBERS, DESCRIPTION)})
    (folder / "048.tiff").write_bytes((folder / "047.tiff").read_bytes())
    (folder / "049.png").write_bytes(encode_png(np.zeros(SIZE, np.uint16)))
    _, told, _ = run(capsys, "inspect", folder, "--model", bare, *RATE)
    assert "048.tiff" not in told
    assert "layer   48  FAULT  frozen: pixel for pixel the frame of layer 47" in told
    assert "layer   49  FAULT  black: every pixel is 0" in told
    assert "2 FAULT; gate: plain, since the model holds none" in told
    _, told, _ = run(capsys, "inspect", folder, "--model", bare, *RATE, "--gate", model)
    assert "4 FAULT; gate: that of " in told
    _, told, _ = run(capsys, "inspect", folder, "--model", model, *RATE, "--no-gate")
    assert "0 FAULT; gate: none" in told
    refused(capsys, ["inspect", folder, "--model", model, "--gate", model, "--no-gate"], 2, "contradict")
    refused(capsys, ["inspect", folder, "--model", model, "--gate", tmp_path / "none"], 2, "no such folder")
    refused(capsys, ["inspect", folder, "--model", model, "--gate", folder], 1, "gate.safetensors is missing")


def test_raw_counts_are_judged_through_scale_and_span(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, model: Path
) -> None:
    grey, raw = frames(tmp_path / "grey"), frames(tmp_path / "raw", counts=True)
    rows = []
    for number, words in enumerate(((grey,), (raw, "--scale", "mono16-10mK", "--span", "20", "60"))):
        out = tmp_path / f"{number}.jsonl"
        assert run(capsys, "inspect", *words, "--model", model, *RATE, "--job", "x", "--out", out)[0] == 0
        rows.append([json.loads(line) for line in out.read_text().splitlines()])
    assert [row["word"] for row in rows[0]] == [row["word"] for row in rows[1]]
    scores = [[row["score"] for row in some if row["word"] != "FAULT"] for some in rows]
    np.testing.assert_allclose(scores[0], scores[1], rtol=0.05)
    _, told, _ = run(capsys, "inspect", raw, "--model", model, *RATE, "--scale", "mono16-10mK")
    assert told.count("need a fixed span") == 7
    refused(capsys, ["inspect", raw, "--model", model, "--span", "60", "20"], 2, "lower end first")
    refused(capsys, ["inspect", raw, "--model", model, "--scale", "x"], 2, "no scale 'x'; there are: mono16-10mK")


def test_an_archive_hands_on_the_gate_that_lies_in_it(tmp_path: Path, model: Path) -> None:
    healthy = Healthy(tuple(JOBS[:40]), tuple(JOBS[40:80]))
    assert gate_beside(tmp_path, healthy).gate is None
    (tmp_path / "archive.json").write_text("{}")
    assert "80 layers in series are too few" in gate_beside(tmp_path, healthy).story
    for name in (NUMBERS, DESCRIPTION):
        write_file(tmp_path / "gate" / name, (model / name).read_bytes())
    found = gate_beside(tmp_path, healthy).gate
    assert found is not None
    assert found.known_ == open_gate(model).known_


def test_a_gate_of_another_camera_is_refused(tmp_path: Path, model: Path) -> None:
    stored = load_model(model)
    stored.provenance["pixels"] = [32, 32]
    with pytest.raises(UsageError, match="frames of 64 x 48 pixels, but the model was trained on 32 x 32"):
        gate_for(model, stored)
    assert Frames(tmp_path).span is None
