"""`layerwatch commission` on small virtual jobs: report, tables, model, and what is refused or said."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from layerwatch.evaluation.pod import Trial, detection_of
from layerwatch.journeys.commissioning.injections import kinds, spoiled
from layerwatch.journeys.commissioning.steps import stepped
from layerwatch.journeys.serving.smallest import read_smallest, told_of
from layerwatch.journeys.train import load_stored
from layerwatch.records import LayerImage
from layerwatch.testing.images import healthy_image
from tests.journeys.test_cli import refused, run
from tests.journeys.test_score import MM, printed, save

OUTS = {"report.html", "healthy.csv", "detection.csv", "commission.json", "model"}


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four healthy jobs, and one to be inspected."""
    root = tmp_path_factory.mktemp("commission")
    for seed in range(4):
        printed(root / "good", f"old{seed}", seed, 14)
    printed(root / "new", "spotted", 9, 14, spot_from=8)
    return root


def commissioned(root: Path, out: Path, capsys: pytest.CaptureFixture[str], *more: object) -> tuple[str, str]:
    words = ("commission", root / "frames", "--plans", root / "masks", "--out", out, "--trials", 2, *more)
    code, said, error = run(capsys, *words)
    assert code == 0, error
    return said, error


def test_a_history_is_commissioned_and_its_model_inspects(
    street: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    said, error = commissioned(street / "good", out, capsys, "--mm-per-px", MM, "--span", 20, 60)
    assert {path.name for path in out.iterdir()} == OUTS
    assert "4 jobs, 56 layers" in said
    assert "at most 20% of healthy jobs raise an alarm" in said
    assert "19 are needed for 5%" in error
    told = json.loads((out / "commission.json").read_text())
    known = read_smallest(out / "model")
    assert known is not None
    assert [one.amount for one in known.found] == [told["detection"][one.defect]["a90"][0] for one in known.found]
    assert "blobs of" in told_of("p1", out / "model", told["line"])
    spot = told["detection"]["small spot"]
    assert spot["unit"] == "K"
    assert 0.05 < spot["a50"][0] < 20
    with (out / "detection.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["job"] for row in rows} <= {f"old{seed}" for seed in range(4)}
    amounts = sorted({float(row["amount"]) for row in rows if row["defect"] == "large spot"})
    shares = [
        np.mean([row["found"] == "1" for row in rows if row["defect"] == "large spot" and float(row["amount"]) == a])
        for a in amounts
    ]
    assert shares[0] < 0.5 < shares[-1], "from hardly found to found"
    assert "found in nine of ten jobs" in said
    verdicts = tmp_path / "verdicts.jsonl"
    new = street / "new"
    code, _, error = run(
        capsys, "inspect", new / "frames/spotted", "--plans", new / "masks/spotted", "--model", out / "model",
        "--mm-per-px", MM, "--span", 20, 60, "--false-alarm-rate", repr(told["inspect_false_alarm_rate"]), "--no-gate",
        "--out", verdicts,
    )  # fmt: skip
    assert code == 0, error
    words = [json.loads(line)["word"] for line in verdicts.read_text().splitlines()]
    assert words[8] == "NOK"
    maxima = load_stored(out / "model").calibration["job_maxima"]
    assert len(maxima) == 4
    assert maxima.max() == pytest.approx(told["line"])
    assert words[:8].count("NOK") <= 1
    rows = [json.loads(line) for line in verdicts.read_text().splitlines()]
    nok = {row["word"] == "NOK" for row in rows if row["score"] > told["line"]}
    assert nok == {True}, "the line of inspection is that of the report"
    assert all(row["word"] == "OK" for row in rows if row["score"] <= told["line"])


def test_one_job_is_followed_by_the_built_in_scale(
    street: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = street / "good"
    words = ("commission", good / "frames/old0", "--plans", good / "masks/old0", "--out", tmp_path / "o", "--trials", 1)
    code, said, error = run(capsys, *words)
    assert code == 0, error
    assert "1 job, 14 layers" in said
    assert "a single job" in error
    assert "from one job: no promise" in said


def test_short_jobs_and_unusable_frames_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for seed in range(2):
        printed(tmp_path, f"job{seed}", seed, 4)
    save(tmp_path / "frames/job0/2.png", np.full((64, 64), 7, np.uint16))
    said, error = commissioned(tmp_path, tmp_path / "out", capsys)
    assert "2 jobs, 7 layers" in said
    assert "too short for defects" in error
    assert "frames that were not used: 1" in error
    assert "uniform" in (tmp_path / "out/report.html").read_text()


def test_what_cannot_be_commissioned_is_refused(
    street: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    frames, masks = street / "good/frames", street / "good/masks"
    for more, word in (
        (("--false-alarms", 1.5), "share of healthy jobs"),
        (("--trials", 0), "one job at least"),
        (("--out", frames / "x"), "lies inside"),
    ):
        words = ("commission", frames, "--plans", masks, "--out", tmp_path / "o", *more)
        refused(capsys, words, 2, word)
    (tmp_path / "empty").mkdir()
    refused(capsys, ("commission", tmp_path / "empty", "--plans", masks, "--out", tmp_path / "o"), 1, "no image")
    assert not (tmp_path / "o").exists()


def layer() -> LayerImage:
    return replace(healthy_image(1), job="job", layer=0)


@pytest.mark.parametrize("kind", kinds("y"), ids=lambda kind: kind.name)
def test_a_defect_is_laid_at_one_place_and_grows_with_its_amount(kind: object) -> None:
    image = layer()
    weak, strong, again = (spoiled(image, image, kind, amount, (1, 2)).pixels for amount in (0.1, 0.2, 0.2))  # type: ignore[arg-type] # a kind
    assert np.array_equal(strong, again)
    one, two = weak - image.pixels, strong - image.pixels
    assert np.abs(two).max() > np.abs(one).max() > 0
    assert np.corrcoef(one.ravel(), two.ravel())[0, 1] > 0.95, "the same shape"
    assert (np.abs(one) < 1e-6).mean() > 0.3, "not everywhere"


def test_lines_run_along_the_heads_travel() -> None:
    image = layer()
    for head, axis in (("y", 0), ("x", 1)):
        line = next(kind for kind in kinds(head) if kind.name == "line along the head's travel")  # type: ignore[arg-type] # an axis
        change = spoiled(image, image, line, 0.1, (3,)).pixels - image.pixels
        assert np.ptp(change, axis=axis).max() < 1e-6


def test_holes_and_sizes(street: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for seed in range(2):
        printed(tmp_path, f"job{seed}", seed, 6)
    first = np.asarray(Image.open(tmp_path / "frames/job0/1.png")) / np.float32(65535)
    first[5:9, 5:9] = np.nan
    np.save(tmp_path / "frames/job0/1.npy", first.astype(np.float32))
    (tmp_path / "frames/job0/1.png").unlink()
    said, _ = commissioned(tmp_path, tmp_path / "out", capsys)
    assert "2 jobs, 12 layers" in said
    for path in [*(tmp_path / "frames/job1").iterdir(), *(tmp_path / "masks/job1").iterdir()]:
        save(path, np.asarray(Image.open(path))[:48])
    words = ("commission", tmp_path / "frames", "--plans", tmp_path / "masks", "--out", tmp_path / "two")
    refused(capsys, words, 1, "64 x 48 and 64 x 64 pixels")
    assert not (tmp_path / "two").exists()


def test_an_interval_spans_the_step_between_the_amounts_tried() -> None:
    trials = [Trial(f"{k}", a, 1.0 if a > 4 else np.inf) for k in range(8) for a in (2.0, 4.0, 8.0)]
    for one in (stepped(detection_of(trials), trials).half, stepped(detection_of(trials), trials).ninety):
        assert one.low <= 4.0 < 8.0 <= one.high
        assert one.low <= one.value <= one.high
    missed = [Trial(f"{k}", a, np.inf) for k in range(8) for a in (2.0, 4.0)]
    assert stepped(detection_of(missed), missed) == detection_of(missed), "above the largest"
