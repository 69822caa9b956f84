"""`layerwatch score` on small virtual jobs: the table's columns, what is found, and what is not scored and why."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from layerwatch.job.layout import fill_bed
from layerwatch.job.printing import JobSettings, print_job
from layerwatch.job.ranges import PRESETS
from tests.job.conftest import machine_of, ring_layers
from tests.journeys.test_cli import refused, run

PIXELS, MM = 64, 7.5
COLUMNS = "job,layer,file,score,p_value,p_kind,verdict,type,x_mm,y_mm,extent_mm,amplitude,statistic,part"

Rows = list[dict[str, str]]


def printed(root: Path, job: str, seed: int, layers: int = 8, *, spot_from: int = 99) -> None:
    """Frames in root/frames/JOB and masks in root/masks/JOB, numbered without leading zeros; a warm spot if wanted."""
    machine = machine_of(PIXELS)
    settings = JobSettings(job, (seed, 1), machine, fill_bed(ring_layers(), machine), 10, layers, PRESETS["physical"]())
    for folder in ("frames", "masks"):
        (root / folder / job).mkdir(parents=True, exist_ok=True)
    for number, one in enumerate(print_job(settings)):
        frame = one.frame.astype(np.uint16)
        if number >= spot_from:
            frame[20:24, 30:34] += 4000
        save(root / "frames" / job / f"{number + 1}.png", frame)
        save(root / "masks" / job / f"{number + 1}.png", np.where(one.plan > 0, 255, 0).astype(np.uint8))


def save(path: Path, pixels: np.ndarray) -> None:
    """As an image file."""
    Image.fromarray(pixels).save(path)


def change(folder: Path, how: Callable[[np.ndarray], np.ndarray]) -> None:
    """Every image of a folder."""
    for path in folder.iterdir():
        save(path, how(np.asarray(Image.open(path))))


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two jobs to be scored, one with a spot from its seventh layer on, and four healthy ones."""
    root = tmp_path_factory.mktemp("street")
    printed(root, "calm", 100)
    printed(root, "spotted", 101, 10, spot_from=6)
    for seed in range(4):
        printed(root / "good", f"old{seed}", seed, 6)
    return root


@pytest.fixture
def job(street: Path, tmp_path: Path) -> Path:
    """A copy of one healthy job, to be spoiled."""
    for folder in ("frames", "masks"):
        shutil.copytree(street / folder / "calm", tmp_path / folder / "calm")
    return tmp_path


def scored(root: Path, capsys: pytest.CaptureFixture[str], *more: object, code: int = 0) -> tuple[Rows, str, str]:
    """The rows of the table, and what was said."""
    out = root / "out" / "scores.csv"
    words = ("score", root / "frames", "--out", out, *more)
    found, said, error = run(capsys, *words)
    assert found == code, error
    assert out.read_text().splitlines()[0] == COLUMNS
    with out.open(newline="") as file:
        return list(csv.DictReader(file)), said, error


def masks(root: Path) -> tuple[object, ...]:
    """Options for scoring with plans."""
    return ("--plans", root / "masks", "--mm-per-px", MM)


def test_a_spot_is_found_and_named_with_its_place(street: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows, said, _ = scored(street, capsys, *masks(street))
    assert "built-in" in said
    assert "rests on 0 healthy layers" in said
    assert [row["layer"] for row in rows] == [str(k) for k in (*range(8), *range(10))]
    assert [row["file"] for row in rows[-2:]] == ["9.png", "10.png"]
    spotted = [row for row in rows if row["job"] == "spotted"]
    for row in spotted[6:]:
        assert (row["verdict"], row["type"], row["p_kind"]) == ("NOK", "blob", "tail")
        assert abs(float(row["x_mm"]) - 32 * MM) < MM
        assert abs(float(row["y_mm"]) - 22 * MM) < MM
        assert 2000 < float(row["amplitude"]) < 9000  # of 65535
        assert f"{float(row['amplitude']):+.3g} grey" in row["statistic"]
    assert min(float(row["score"]) for row in spotted[6:]) > max(float(row["score"]) for row in spotted[:6])


def test_a_picture_of_each_layer(job: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(3, 9):
        (job / "frames" / "calm" / f"{number}.png").unlink()
    (job / "frames" / "calm" / "2.png").rename(job / "frames" / "calm" / "1.b.png")
    (job / "frames" / "calm" / "3.jpg").write_bytes(b"no image")
    scored(job, capsys, *masks(job), "--maps", job / "maps", code=1)
    assert [path.name for path in (job / "maps").rglob("*.*")] == ["1.png"]
    with Image.open(job / "maps" / "calm" / "1.png") as picture:
        assert picture.width > 2 * PIXELS


def test_healthy_jobs_give_ranks_and_p_falls_with_the_score(street: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good = ("--healthy", street / "good" / "frames", "--healthy-plans", street / "good" / "masks")
    rows, said, _ = scored(street, capsys, *masks(street), *good)
    assert "24 layers of 4 healthy jobs" in said
    assert "19 of them" in said
    assert {row["p_kind"] for row in rows} == {"rank", "tail"}
    falling = sorted(rows, key=lambda row: float(row["score"]))
    p = [float(row["p_value"]) for row in falling]
    assert p == sorted(p, reverse=True)
    assert all((row["verdict"] == "NOK") == (float(row["p_value"]) < 0.01) for row in rows)


def test_images_alone_need_healthy_ones(street: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows, said, error = scored(street, capsys, "--healthy", street / "good" / "frames")
    assert "pca on the images alone" in said
    assert "in pixels" in error
    assert {row["type"] for row in rows} == {"unlike"}
    refused(capsys, ["score", street / "frames"], 2, "--plans", "--healthy")
    refused(capsys, ["score", street / "frames", "--healthy", street / "frames", *masks(street)], 2, "--healthy-plans")


def test_frames_of_one_job_without_a_sub_folder_and_inverted_masks(
    job: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    expected = [row["score"] for row in scored(job, capsys, *masks(job))[0]]
    change(job / "masks" / "calm", lambda mask: np.asarray(255 - mask))
    frames, plans = job / "frames" / "calm", job / "masks" / "calm"
    out = job / "flat.csv"
    words = ("score", frames, "--plans", plans, "--invert-plans", "--mm-per-px", MM, "--out", out)
    assert run(capsys, *words)[0] == 0
    with out.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["job"] for row in rows} == {"calm"}
    assert [row["score"] for row in rows] == expected


def test_without_a_pixel_size_places_are_in_pixels(job: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows, _, error = scored(job, capsys, "--plans", job / "masks")
    assert "in pixels, not mm" in error
    assert all(" mm" not in row["statistic"] for row in rows)
    assert all(not row["x_mm"] or float(row["x_mm"]) < PIXELS for row in rows)


def test_what_cannot_be_scored_says_so_and_the_others_are(job: Path, capsys: pytest.CaptureFixture[str]) -> None:
    frames, plans = job / "frames" / "calm", job / "masks" / "calm"
    (plans / "1.png").unlink()
    save(plans / "2.png", np.zeros((PIXELS, PIXELS), np.uint8))
    save(plans / "3.png", np.full((PIXELS, PIXELS), 255, np.uint8))
    save(plans / "4.png", np.full((PIXELS, PIXELS // 2), 255, np.uint8))
    (frames / "5.png").write_bytes(b"no image")
    save(frames / "6.png", np.zeros((PIXELS, PIXELS), np.uint16))
    shutil.copyfile(frames / "7.png", frames / "9.png")
    save(frames / "9.png", np.arange(PIXELS * 8, dtype=np.uint16).reshape(8, PIXELS))
    rows, _, error = scored(job, capsys, *masks(job), code=1)
    assert [row["verdict"] for row in rows][:6] == [
        "no plan",
        "no part in the plan",
        "plan fills the frame",
        "unusable plan",
        "unreadable",
        "uniform",
    ]
    assert rows[8]["verdict"] == "wrong size"
    assert [bool(row["score"]) for row in rows] == [False] * 6 + [True, True, False]
    assert {row["p_value"] for row in rows if not row["score"]} == {""}
    for word in ("no mask of that name", "64 x 64 pixels", "not a PNG file"):
        assert word in error


def test_holes_are_told_and_the_frame_is_scored(job: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = job / "frames" / "calm" / "8.png"
    pixels = np.asarray(Image.open(path)).astype(np.float32) / 65535
    path.unlink()
    pixels[:, :2] = np.nan
    np.save(path.with_suffix(".npy"), pixels)
    rows, _, error = scored(job, capsys, *masks(job))
    assert rows[-1]["file"] == "8.npy"
    assert rows[-1]["score"]
    assert "128 pixels are NaN" in error
    pixels[:] = np.nan
    np.save(path.with_suffix(".npy"), pixels)
    assert scored(job, capsys, *masks(job), code=1)[0][-1]["verdict"] == "unreadable"


def test_colours_and_eight_bits(job: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = job / "frames" / "calm"
    for path in list(folder.iterdir()):
        grey = (np.asarray(Image.open(path)) // 257).astype(np.uint8)
        path.unlink()
        save(path.with_suffix(".tif"), np.stack([grey] * 3, -1))
    rows, _, _ = scored(job, capsys, *masks(job))
    assert len(rows) == 8
    assert all(abs(float(row["amplitude"])) < 255 for row in rows)


def test_a_plan_beside_its_print_is_laid_onto_it_or_refused(job: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = [float(row["score"]) for row in scored(job, capsys, *masks(job))[0]]
    change(job / "masks" / "calm", lambda mask: np.roll(mask, 1, axis=1))
    rows, _, error = scored(job, capsys, *masks(job))
    assert "they were laid onto them" in error
    assert np.abs(np.array([float(row["score"]) for row in rows]) - before).max() < 0.5
    change(job / "masks" / "calm", lambda mask: np.roll(mask, 5, axis=1))
    rows, _, error = scored(job, capsys, *masks(job), code=1)
    assert {row["verdict"] for row in rows} == {"plan not registered"}
    assert "beside its plan" in error


def test_a_plan_of_another_part_is_not_registered(job: Path, capsys: pytest.CaptureFixture[str]) -> None:
    y, x = np.mgrid[:PIXELS, :PIXELS]
    bars = np.where((x // 8 % 2 == 0) & (y > 10) & (y < 54), 255, 0).astype(np.uint8)
    change(job / "masks" / "calm", lambda _: bars)
    rows, _, _ = scored(job, capsys, *masks(job), code=1)
    assert {row["verdict"] for row in rows} == {"plan not registered"}
    assert {row["score"] for row in rows} == {""}


def test_a_job_unlike_the_healthy_ones_is_not_judged(job: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rng = np.random.default_rng(0)

    def sparkling(frame: np.ndarray) -> np.ndarray:
        spots = np.zeros(frame.shape, np.int64)
        spots[tuple(rng.integers(4, PIXELS - 4, (2, 3)))] = 20000
        return np.clip(frame + spots, 0, 65535).astype(np.uint16)

    change(job / "frames" / "calm", sparkling)
    rows, _, error = scored(job, capsys, *masks(job))
    scored(job, capsys, *masks(job), "--fail-on-nok", code=3)
    assert {row["verdict"] for row in rows} == {"not calibrated"}
    assert all(row["score"] for row in rows)
    assert "unlike the healthy" in error


def test_one_healthy_layer_only_is_enough_to_go_on(street: Path, job: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for folder in ("frames", "masks"):
        (job / "one" / folder / "a").mkdir(parents=True)
        shutil.copyfile(street / folder / "calm" / "1.png", job / "one" / folder / "a" / "1.png")
    good = ("--healthy", job / "one" / "frames", "--healthy-plans", job / "one" / "masks")
    rows, said, _ = scored(job, capsys, *masks(job), *good)
    assert "1 layer of 1 healthy job," in said
    assert "a p below 0.5 is not counted" in said
    assert all(row["score"] for row in rows)


def test_wrong_calls_write_nothing(job: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = job / "scores.csv"
    words = ["score", job / "frames", *masks(job), "--out", out]
    refused(capsys, ["score", job / "none", *masks(job), "--out", out], 2, "no such folder")
    refused(capsys, [*words, "--alpha", 2], 2, "--alpha 2")
    refused(capsys, [*words, "--healthy-plans", job / "masks"], 2, "--healthy-plans goes with --healthy")
    refused(capsys, ["score", job / "frames", *masks(job), "--out", job / "frames" / "s.csv"], 2, "lies inside")
    refused(capsys, ["score", job / "frames", "--plans", job / "masks", "--mm-per-px", 0], 2, "mm per pixel")
    (job / "empty").mkdir()
    refused(capsys, ["score", job / "empty", *masks(job), "--out", out], 1, "no image in this folder")
    assert not out.exists()


def test_a_line_from_the_first_layer_on_is_a_defect_whatever_it_is_called(
    job: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rng = np.random.default_rng(0)

    def barred(frame: np.ndarray) -> np.ndarray:
        grey = frame.astype(np.int64)
        start = int(rng.integers(8, 40))
        grey[31:33, start : start + 6] += 9000
        return np.clip(grey, 0, 65535).astype(np.uint16)

    change(job / "frames" / "calm", barred)
    rows, _, _ = scored(job, capsys, *masks(job), "--fail-on-nok", code=3)
    assert [row["verdict"] for row in rows].count("NOK") > len(rows) / 2
    assert np.ptp([float(row["x_mm"]) for row in rows if row["x_mm"]]) > 8 * MM


def test_healthy_jobs_are_not_the_frames(job: Path, capsys: pytest.CaptureFixture[str]) -> None:
    frames, plans = job / "frames", job / "masks"
    for one, other in ((frames, frames), (frames / "calm", frames), (frames, frames / "calm")):
        words = ["score", one, "--plans", plans, "--healthy", other, "--healthy-plans", plans]
        refused(capsys, words, 2, "--healthy", "judged by themselves", "of their own")
    linked = job / "linked" / "a"
    linked.mkdir(parents=True)
    (linked / "1.png").symlink_to(frames / "calm" / "1.png")
    words = ["score", frames, "--plans", plans, "--healthy", linked.parent, "--healthy-plans", plans]
    refused(capsys, words, 2, "1 file of it", "judged by themselves")


def test_a_frame_of_another_size_at_the_start_is_the_odd_one(job: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for folder in ("frames", "masks"):
        path = job / folder / "calm" / "1.png"
        save(path, np.asarray(Image.open(path))[:-8])
    rows, _, error = scored(job, capsys, *masks(job), code=1)
    assert [row["verdict"] == "wrong size" for row in rows] == [True] + [False] * 7
    assert "most frames of the job have 64 x 64" in error


def test_one_problem_of_many_frames_is_told_once(job: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for path in list((job / "frames" / "calm").iterdir()):
        np.save(path.with_suffix(".npy"), np.asarray(Image.open(path)) / np.float32(300))
        path.unlink()
    rows, _, error = scored(job, capsys, *masks(job), code=1)
    assert [row["verdict"] for row in rows] == ["unreadable"] * 8
    assert "calm/1.npy, calm/2.npy, calm/3.npy and 5 more (8 frames): unreadable: float pixels" in error
    assert "--scale float-degC" in error
    assert error.count("unreadable") == 1
