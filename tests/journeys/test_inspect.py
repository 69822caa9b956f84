"""`layerwatch inspect` on a folder of several jobs, on frames with holes, and on plans that are none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from layerwatch.journeys.commission import CommissionWish, commission
from layerwatch.journeys.score_frames import ScoreSource
from tests.journeys.test_cli import run
from tests.journeys.test_score import MM, change, printed

RATE = ("--false-alarm-rate", "0.1", "--no-gate")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of `layerwatch commission` on two healthy jobs, too short for defects."""
    root = tmp_path_factory.mktemp("inspect")
    for seed in range(2):
        printed(root, f"old{seed}", seed, 8)
    commission(CommissionWish(ScoreSource(root / "frames", root / "masks", MM)), root / "com")
    return root / "com/model"


def inspected(
    capsys: pytest.CaptureFixture[str], folder: Path, plans: Path, model: Path, *more: object
) -> tuple[list[dict[str, Any]], str]:
    out = folder.parent / "v.jsonl"
    words = ("inspect", folder, "--plans", plans, "--model", model, "--mm-per-px", MM, *RATE, "--out", out, *more)
    code, said, error = run(capsys, *words)
    assert code == 0, error
    return [json.loads(line) for line in out.read_text().splitlines()], said


def test_each_sub_folder_is_a_job_of_its_own(capsys: pytest.CaptureFixture[str], tmp_path: Path, model: Path) -> None:
    for number, name in enumerate(("a", "b")):
        printed(tmp_path, name, 20 + number, 4)
    rows, said = inspected(capsys, tmp_path / "frames", tmp_path / "masks", model)
    assert [(row["job"], row["layer"]) for row in rows] == [(name, k) for name in "ab" for k in range(1, 5)]
    assert "8 layers of 2 jobs" in said
    alone, _ = inspected(capsys, tmp_path / "frames/b", tmp_path / "masks/b", model)
    assert [row["score"] for row in alone] == [row["score"] for row in rows[4:]]


def test_few_pixels_without_a_number_are_told_and_a_full_plan_is_refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, model: Path
) -> None:
    printed(tmp_path, "a", 30, 3)
    frame = tmp_path / "frames/a/2.png"
    pixels = (np.asarray(Image.open(frame)) / np.float32(65535)).astype(np.float32)
    pixels[5:9, 5:9] = np.nan
    np.save(frame.with_suffix(".npy"), pixels)
    frame.unlink()
    rows, _ = inspected(capsys, tmp_path / "frames/a", tmp_path / "masks/a", model)
    assert rows[1]["word"] != "FAULT"
    assert "16 pixels are NaN or infinite and say nothing" in rows[1]["reason"]
    change(tmp_path / "masks/a", lambda mask: np.full_like(mask, 255))
    rows, _ = inspected(capsys, tmp_path / "frames/a", tmp_path / "masks/a", model)
    assert {row["word"] for row in rows} == {"FAULT"}
    assert "fills the frame" in rows[0]["reason"]
