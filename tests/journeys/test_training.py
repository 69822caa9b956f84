"""`layerwatch train` with networks: settings, stories, killed runs, diverging runs, full disks."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import load_file

from layerwatch.detectors.pca import Pca
from layerwatch.detectors.storage.model_files import StoredModel
from layerwatch.journeys.files import FolderCheckpoint
from layerwatch.journeys.inspect import Frames
from layerwatch.journeys.sources import healthy_images
from layerwatch.journeys.train import Training, train
from layerwatch.records import UsageError
from tests.journeys.test_cli import images, refused, run

TINY = [w for word in ("size=32", "width=0.125", "z_dim=8", "batch=8") for w in ("--set", word)]
FEW = [w for word in ("gan_steps=6", "encoder_steps=4", "tuning_steps=2") for w in ("--set", word)]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return images(tmp_path_factory.mktemp("data") / "good", 40)


def test_a_model_tells_its_story(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "model"
    code, _, error = run(capsys, "train", data, "--detector", "fanogan", *TINY, *FEW, "--out", out)
    assert code == 0, error
    assert {p.name for p in out.iterdir()} == {
        *("weights.safetensors", "model.json", "log.jsonl", "training.png"),
        *("samples-WGAN-GP.png", "samples-encoder.png", "samples-tuning.png"),
    }
    told = json.loads((out / "model.json").read_bytes())
    assert told["settings"]["gan_steps"] == 6
    assert "device" not in told["settings"]
    rows = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    assert [r["run"] for r in rows if r["step"] == 1 and r["what"] == "losses"] == ["WGAN-GP", "encoder", "tuning"]
    with Image.open(out / "samples-WGAN-GP.png") as picture:
        assert np.ptp(np.asarray(picture.convert("L"))) > 50


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("depth=3", "no such setting"),
        ("width=wide", "a value like 0.25"),
        ("rates=1", "a value like 0."),
        ("gan_steps=-3", "-3 steps"),
        ("gan=biggan", "no GAN 'biggan'"),
        ("x", "NAME="),
    ],
)
def test_settings_that_there_are_not(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], change: str, said: str
) -> None:
    refused(capsys, ["train", data, "--detector", "fanogan", "--set", change, "--out", tmp_path / "m"], 2, said)
    assert not list(tmp_path.iterdir())


def test_several_numbers_may_stand_in_brackets() -> None:
    for words in ("rates=1e6,1e5", "rates=(1e6, 1e5)", "rates=[1e6,1e5]"):
        assert Training.named("fanogan", "quick", changes=[words]).changes == {"rates": (1e6, 1e5)}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (["--seed", 6], r"seed \(0, now 6\)"),
        (["--set", "rate=0.5"], r"rate \(0.001, now 0.5\)"),
        (["--calibration", 0.5], "other images"),
    ],
)
def test_an_interrupted_training_is_not_lost_to_a_changed_command(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], change: list[object], said: str
) -> None:
    words = ["train", data, "--detector", "vae", *TINY[:4], "--set", "steps=4", "--out", tmp_path / "m"]
    state = FolderCheckpoint(tmp_path / ".m.training")
    kept = interrupted(data, state)
    code, _, error = run(capsys, *words, *change)
    assert code == 2
    assert re.search(said, error.replace("\n", " ")), error
    assert state.load("VAE") == kept
    state.save("origin", b"\x00\x01")
    assert run(capsys, *words)[0] == 2
    assert state.load("VAE") == kept
    assert run(capsys, *words, "--no-resume")[0] == 0


def interrupted(data: Path, state: FolderCheckpoint) -> bytes:
    """A training of TINY[:4] that ended after its second step; returns its checkpoint."""

    def stop(step: str, done: int, total: int, note: str = "") -> None:
        if step == "VAE" and done == 2:
            signal.raise_signal(signal.SIGINT)

    training = Training.named("vae", "quick", changes=[*TINY[1:4:2], "steps=4"])
    healthy = healthy_images(data)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a background process is started without it
    try:
        with pytest.raises(KeyboardInterrupt):
            train(healthy, training, state.folder.with_name("m"), progress=stop)
    finally:
        signal.signal(signal.SIGINT, before)
    kept = state.load("VAE")
    assert kept is not None
    return kept


def test_another_span_than_that_of_the_training_is_refused() -> None:
    model = StoredModel(Pca(), "pca", {}, {"span": [20.0, 60.0]}, "")
    for span in (None, (20.0, 60.0)):
        assert Frames(Path(), span=span).camera(model).span == (20.0, 60.0)
    with pytest.raises(UsageError, match=r"30 to 45 degC, and the model was trained on 20 to 60"):
        Frames(Path(), span=(30.0, 45.0)).camera(model)


def test_models_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    code, said, _ = run(capsys, "models")
    assert code == 0
    for count in ("1,430,209", "3,039,041", "5,697,347"):
        assert count in said


def test_generators_side_by_side(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, gan in (("a", "wgan_gp"), ("b", "dcgan")):
        words = [
            "--detector",
            "anogan",
            *TINY,
            "--set",
            "gan_steps=4",
            "--set",
            "search_steps=2",
            "--set",
            f"gan={gan}",
        ]
        assert run(capsys, "train", data, *words, "--set", f"gan={gan}", "--out", tmp_path / name)[0] == 0
    code, said, error = run(
        capsys, "generators", data, tmp_path / "a", tmp_path / "b", "--images", 32, "--out", tmp_path / "g.png"
    )
    assert code == 1, error  # 40 images are too few to compare 32 with 32
    more = images(tmp_path / "more", 70)
    code, said, _ = run(
        capsys, "generators", more, tmp_path / "a", tmp_path / "b", "--images", 32, "--out", tmp_path / "g.png"
    )
    assert code == 0
    assert "recall" in said
    assert set(json.loads((tmp_path / "g.json").read_bytes())) == {"real images, other ones", "a", "b"}


@pytest.mark.slow
def test_a_killed_training_ends_in_the_same_bytes(data: Path, tmp_path: Path) -> None:
    words = ["train", str(data), "--detector", "fanogan", *TINY, "--set", "gan_steps=60"]
    words += ["--set", "encoder_steps=30", "--set", "tuning_steps=0"]
    start([*words, "--out", str(tmp_path / "whole")]).wait(300)
    cut = start([*words, "--out", str(tmp_path / "cut")])
    state = tmp_path / ".cut.training"
    wait_for(lambda: (state / "WGAN-GP.safetensors").exists())
    os.kill(cut.pid, signal.SIGKILL)
    cut.wait(30)
    assert not (tmp_path / "cut").exists()
    assert start([*words, "--out", str(tmp_path / "cut")]).wait(300) == 0
    a, b = (load_file(tmp_path / name / "weights.safetensors") for name in ("whole", "cut"))
    for key, value in a.items():
        np.testing.assert_array_equal(b[key], value, err_msg=key)


def start(words: list[str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-m", "layerwatch.cli", *words], stderr=subprocess.DEVNULL)


def wait_for(there: object, limit: float = 180.0) -> None:
    end = time.monotonic() + limit
    while not there():  # type: ignore[operator] # a callable
        assert time.monotonic() < end, "nothing came"
        time.sleep(0.02)


def test_a_diverging_training_says_why_and_keeps_the_last_good_state(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["train", data, "--detector", "vae", "--set", "size=32", "--set", "width=0.125", "--set", "steps=20"]
    refused(capsys, [*words, "--set", "rate=1e30", "--out", tmp_path / "m"], 1, "diverged at step", "learning rate")
    assert not (tmp_path / "m").exists()


def test_a_full_disk_leaves_the_last_checkpoint_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state = FolderCheckpoint(tmp_path / "state")
    state.save("run", b"good")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UsageError, match="No space left on device"):
        state.save("run", b"newer")
    assert state.load("run") == b"good"
    assert [p.name for p in (tmp_path / "state").iterdir()] == ["run.safetensors"]
