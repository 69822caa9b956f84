"""Both sides are measured alike; masks, unread files and defective jobs are left out, and that is said."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from layerwatch.job.machine import default_machine
from layerwatch.job.ranges import paper
from layerwatch.journeys.layer_runs import Given, open_source
from layerwatch.journeys.ranges import Lesson, study
from layerwatch.records import DataError, UsageError
from tests.journeys.test_cli import refused, run
from tests.journeys.test_ranges import MACHINE, pictures, printed


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return printed(tmp_path_factory.mktemp("shelves") / "archive", paper(), jobs=4, layers=4, burn_in=4)


def test_an_archive_has_no_gap_to_its_own_frames_without_plans(archive: Path, tmp_path: Path) -> None:
    given = Given(archive / "frames", machine=MACHINE)
    found = study(given, tmp_path / "out", Lesson(sample=16), against=archive)
    assert found.gaps
    for gap in found.gaps:
        assert gap.ks == 0, gap
        assert gap.advice == ""
    assert any("the plans of archive are not looked at either" in line for line in found.lines)


def spoil(archive: Path, job: str) -> None:
    """Call the first layer of a job defective."""
    truth = archive / "truth" / f"{job}.json"
    rows = json.loads(truth.read_text())
    rows[0]["label"] = "crack"
    truth.write_text(json.dumps(rows))
    frame = next((archive / "plans" / job).glob("[0-9]*[0-9].png"))
    mask = archive / "truth" / job / f"{rows[0]['layer']:05d}.png"
    mask.parent.mkdir(exist_ok=True)
    shutil.copy(frame, mask)


def test_defective_jobs_are_learnt_neither_from_an_archive_nor_from_its_frames(archive: Path, tmp_path: Path) -> None:
    own = tmp_path / "own"
    shutil.copytree(archive, own)
    spoil(own, "job-2")
    for given in (Given(own), Given(own / "frames"), Given(own / "frames", own / "plans")):
        source = open_source(given, MACHINE)
        assert set(source.shelf.jobs) == {"job-0", "job-1", "job-3"}
        assert any(line.startswith("1 of 4 jobs are defective by the truth of") for line in source.said)


def test_masks_beside_frames_and_unread_files_are_left_out_and_said(tmp_path: Path) -> None:
    folder = pictures(tmp_path / "frames", 3)
    Image.fromarray(255 * np.eye(40, dtype=np.uint8)).save(folder / "1_mask.png")
    Image.fromarray(np.arange(1600, dtype=np.uint8).reshape(40, 40)).save(folder / "2_mask.png")  # no mask but a frame
    Image.fromarray(np.zeros((40, 40), np.uint8)).save(folder / "3.gif")
    source = open_source(Given(folder), default_machine())
    assert source.shelf.jobs == {".": 4}
    assert "masks beside frames are left out: 1_mask.png" in source.said
    assert "files that are not read: 1 (.gif); save them as PNG or TIFF" in source.said


def test_a_folder_of_masks_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "masks"
    folder.mkdir()
    for number in range(3):
        Image.fromarray(np.eye(40, dtype=np.uint8) * np.uint8(255)).save(folder / f"{number}.png")
    refused(
        capsys, ["ranges", folder, "--out", tmp_path / "out"], 1, "0.png: two grey levels only", "looks like a mask"
    )


def classes(folder: Path, *names: str) -> Path:
    folder.mkdir()
    for name in names:
        pictures(folder / name, 2)
    return folder


def test_sub_folders_are_jobs_and_a_healthy_name_chooses(tmp_path: Path) -> None:
    plain = open_source(Given(classes(tmp_path / "a", "job1", "job2")), default_machine())
    assert any(line.startswith("2 sub-folders are taken as jobs, all as healthy: job1, job2") for line in plain.said)
    named = classes(tmp_path / "b", "No-Anomaly", "Crack")
    source = open_source(Given(named), default_machine())
    assert list(source.shelf.jobs) == ["No-Anomaly"]
    assert "sub-folders that are healthy by their names: No-Anomaly; left out: Crack" in source.said
    assert list(open_source(Given(named, good=("crack",)), default_machine()).shelf.jobs) == ["Crack"]
    with pytest.raises(UsageError, match="no sub-folder called fine; there are: Crack, No-Anomaly"):
        open_source(Given(named, good=("fine",)), default_machine())


def test_mixed_sizes_in_sub_folders_suggest_one(tmp_path: Path) -> None:
    folder = classes(tmp_path / "a", "x")
    pictures(folder / "y", 2, size=50)
    with pytest.raises(DataError, match="give one sub-folder, such as x"):
        study(Given(folder), tmp_path / "out")


def test_the_lines_reach_the_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = pictures(tmp_path / "frames", 3)
    Image.fromarray(255 * np.eye(40, dtype=np.uint8)).save(folder / "1_mask.png")
    code, told, _ = run(capsys, "ranges", folder, "--out", tmp_path / "out")
    assert code == 0
    assert "masks beside frames are left out: 1_mask.png" in told
    assert "masks beside frames are left out" in (tmp_path / "out/ranges.toml").read_text()
