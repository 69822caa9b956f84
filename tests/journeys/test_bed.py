"""corners, rectify and register as a user calls them: files in, JSON and TIFF out, nothing half-written."""

from __future__ import annotations

import base64
import io
import json
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from layerwatch.images.archive import Archive, Header, StoredLayer, write_archive
from layerwatch.images.folder import read_pixels
from layerwatch.images.homography import mapped
from layerwatch.job.layout import fill_bed
from layerwatch.job.machine import read_machine, shipped_text
from layerwatch.job.printing import JobSettings, print_job
from layerwatch.job.ranges import PRESETS
from layerwatch.job.view import View
from tests.job.conftest import ring_layers
from tests.journeys.test_cli import refused, run

CAMERA = """[bed]
x = 480.0
y = 480.0
[camera]
width = 96
height = 96
corners = [[8.0, 6.0], [90.0, 8.0], [94.0, 92.0], [3.0, 90.0]]
"""


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tilted camera's archive of two layers, with its camera file."""
    folder = tmp_path_factory.mktemp("tilted")
    machine = read_machine(shipped_text("tilted_camera"), "tilted")
    job = JobSettings("job", (1,), machine, fill_bed(ring_layers(), machine), 20, 2, PRESETS["paper"]())
    layers = [StoredLayer(p.layer, p.z, p.frame, p.plan, p.truth, p.coverage) for p in print_job(job)]
    write_archive(folder / "archive", Header(machine.mm_per_px, machine.span), ["job"], lambda _: layers)
    x, y = machine.bed[:2]
    corners = mapped(View(machine).homography, np.array([[0, 0], [x, 0], [x, y], [0, y]])).tolist()
    (folder / "camera.toml").write_text(
        f"[bed]\nx = {x}\ny = {y}\n[camera]\nwidth = {machine.width}\nheight = {machine.height}\ncorners = {corners}\n"
    )
    return folder


def test_frame_and_plan_of_a_tilted_camera_rectified_and_registered(
    printed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    archive, camera = printed / "archive", printed / "camera.toml"
    rectify = (
        "rectify",
        archive / "frames",
        "--camera",
        camera,
        "--mm-per-px",
        2.5,
        "--out",
        tmp_path / "bed",
        "--json",
    )
    code, out, _ = run(capsys, *rectify)
    told = json.loads(out)
    assert code == 0
    assert (told["width"], told["height"], told["mm_per_px"]) == (320, 200, 2.5)
    assert told == json.loads((tmp_path / "bed" / "rectified.json").read_bytes())
    frame = tmp_path / "bed" / "job" / "00020.tiff"
    assert read_pixels(frame).dtype == np.uint16
    plans = tmp_path / "plans"
    plans.mkdir()
    shutil.copyfile(archive / "plans" / "job" / "00020.coverage.png", plans / "00020.png")
    assert run(capsys, "rectify", plans, "--camera", camera, "--mm-per-px", 2.5, "--out", tmp_path / "p")[0] == 0
    picture = tmp_path / "shown.png"
    plan = tmp_path / "p" / "00020.tiff"
    code, out, _ = run(capsys, "register", frame, "--plan", plan, "--json", "--picture", picture)
    answer = json.loads(out)
    assert code == 0
    assert answer["registered"]
    assert answer["reason"] == ""
    assert np.hypot(*answer["shift_mm"]) < 0.6
    assert abs(answer["rotation_deg"]) < 0.2
    assert abs(answer["scale"] - 1) < 4e-3
    assert answer["outline_placed_mm"]["seen"] > 0.8
    assert read_pixels(picture).shape == (400, 640)


def test_a_frame_of_an_archive_and_its_plan(printed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    archive = printed / "archive"
    assert Archive.open(archive).header.mm_per_px == 2.5
    frame = archive / "frames" / "job" / "00021.tiff"
    code, out, _ = run(capsys, "register", frame, "--plan", archive / "plans" / "job" / "00021.png")
    assert code == 0
    assert "shift x" in out
    empty = Image.fromarray(np.zeros((200, 320), np.uint8))
    empty.save(printed / "empty.png")
    code, out, _ = run(capsys, "register", frame, "--plan", printed / "empty.png", "--json")
    answer = json.loads(out)
    assert code == 1
    assert answer["registered"] is False
    assert answer["reason"] == "the plan of this layer is empty"
    assert "shift_mm" not in answer


def test_a_picture_turned_dark_and_of_other_pixels_is_the_same_plan(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fine = np.zeros((960, 960), bool)
    fine[200:600, 150:800] = True
    fine[300:400, 300:500] = False
    share = fine.reshape(96, 10, 96, 10).mean((1, 3))
    noise = np.random.default_rng(0).normal(0, 1.0, (96, 96))
    Image.fromarray((120 - 40 * share + noise).astype(np.uint8)).save(tmp_path / "frame.png")
    Image.fromarray(np.where(np.rot90(fine), 0, 255).astype(np.uint8)).save(tmp_path / "slice.bmp")
    options = ("--plan-mm-per-px", 0.1, "--plan-turn", 90, "--plan-dark", "--mm-per-px", 1.0, "--json")
    code, out, error = run(capsys, "register", tmp_path / "frame.png", "--plan", tmp_path / "slice.bmp", *options)
    assert code == 0, error
    answer = json.loads(out)
    assert np.abs(answer["shift_mm"]).max() < 0.1
    assert answer["contrast"] < -0.1


def test_a_part_is_drawn_at_its_place(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from tests.journeys.test_cli import box

    part = box(tmp_path / "box.stl", 40.0, 20.0, 3.0)
    share = np.zeros((96, 96))
    share[30:50, 25:65] = 1
    noise = np.random.default_rng(0).normal(0, 1.0, (96, 96))
    Image.fromarray((120 - 40 * share + noise).astype(np.uint8)).save(tmp_path / "frame.png")
    call = ("register", tmp_path / "frame.png", "--plan", part, "--mm-per-px", 1.0, "--unit", "mm", "--json")
    code, out, error = run(capsys, *call, "--layer", 3, "--plan-at", "24x31")
    assert code == 0, error
    np.testing.assert_allclose(json.loads(out)["shift_mm"], (1.0, -1.0), atol=0.1)
    refused(capsys, call, 2, "--layer")
    refused(capsys, (*call, "--layer", 99), 2, "layers 0 to 9")


def test_temperatures_survive_rectification(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "camera.toml").write_text(CAMERA)
    heat = np.linspace(25.0, 55.0, 96 * 96, dtype=np.float32).reshape(96, 96)
    tifffile.imwrite(tmp_path / "heat.tiff", heat)
    tifffile.imwrite(tmp_path / "counts.tiff", np.round((heat + 273.15) / 0.01).astype(np.uint16))
    words = ("--camera", tmp_path / "camera.toml", "--mm-per-px", 5.0)
    celsius = ("--scale", "float-degC")
    refused(capsys, ("rectify", tmp_path / "heat.tiff", *words, *celsius, "--out", tmp_path / "x"), 1, "span")
    found = []
    for name, scale in (("heat", celsius), ("counts", ("--scale", "mono16-10mK"))):
        out = tmp_path / name
        code, _, error = run(
            capsys, "rectify", tmp_path / f"{name}.tiff", *words, *scale, "--span", 20.0, 60.0, "--out", out
        )
        assert code == 0, error
        assert json.loads((out / "rectified.json").read_text())["span"] == [20.0, 60.0]
        found.append(20 + 40 * read_pixels(out / f"{name}.tiff").astype(float) / 65535)
    np.testing.assert_allclose(found[0], found[1], atol=0.01)
    assert 25 < np.percentile(found[0], 5) < np.percentile(found[0], 95) < 55


def test_a_broken_frame_of_a_folder_is_left_out_and_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "camera.toml").write_text(CAMERA)
    frames, out = tmp_path / "frames", tmp_path / "out"
    frames.mkdir()
    for name in ("1", "3"):
        Image.fromarray(np.full((96, 96), 90, np.uint8)).save(frames / f"{name}.png")
    (frames / "2.png").write_bytes(b"\x89PNG half a file")
    Image.fromarray(np.zeros((48, 96), np.uint8)).save(frames / "4.png")
    words = ("rectify", frames, "--camera", tmp_path / "camera.toml", "--mm-per-px", 5.0, "--out", out, "--json")
    code, told, error = run(capsys, *words)
    answer = json.loads(told)
    assert code == 1
    assert sorted(answer["files"]) == ["1.tiff", "3.tiff"] == sorted(path.name for path in out.glob("*.tiff"))
    assert sorted(Path(source).name for source in answer["refused"]) == ["2.png", "4.png"]
    assert "not a PNG file" in answer["refused"][str(frames / "2.png")]
    assert "2.png" in error
    assert "96 x 48 pixels" in error
    assert answer == json.loads((out / "rectified.json").read_bytes())
    for name in ("1", "3"):
        (frames / f"{name}.png").write_bytes(b"")
    refused(capsys, (*words[:-2], tmp_path / "none"), 1, "none of 4 frames", "1.png")
    assert not (tmp_path / "none").exists()


def test_corners_outside_the_frame_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    beside = CAMERA.replace(
        "[[8.0, 6.0], [90.0, 8.0], [94.0, 92.0], [3.0, 90.0]]", "[[208, 6], [290, 8], [294, 92], [203, 90]]"
    )
    (tmp_path / "camera.toml").write_text(beside)
    Image.fromarray(np.zeros((96, 96), np.uint8)).save(tmp_path / "frame.png")
    words = ("rectify", tmp_path / "frame.png", "--camera", tmp_path / "camera.toml", "--mm-per-px", 5.0)
    code, _, error = run(capsys, *words, "--out", tmp_path / "out")
    assert code in (1, 2)
    assert "corners" in error
    assert not (tmp_path / "out").exists()


def test_bad_calls_are_one_line_and_leave_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "camera.toml").write_text(CAMERA)
    frame = tmp_path / "frame.png"
    Image.fromarray(np.zeros((96, 96), np.uint8)).save(frame)
    Image.fromarray(np.zeros((48, 96), np.uint8)).save(tmp_path / "small.png")
    out, camera = tmp_path / "out", ("--camera", tmp_path / "camera.toml")
    size = ("--mm-per-px", 5.0)
    refused(capsys, ("rectify", frame, *size, "--out", out), 2, "--camera")
    refused(capsys, ("rectify", tmp_path / "no.png", *camera, *size, "--out", out), 2, "no such file")
    refused(capsys, ("rectify", tmp_path / "small.png", *camera, *size, "--out", out), 1, "96 x 48 pixels", "small.png")
    refused(capsys, ("rectify", frame, *camera, "--mm-per-px", 0.0, "--out", out), 2, "mm per pixel")
    refused(capsys, ("rectify", frame, *camera, *size, "--bed", "480x480", "--out", out), 2, "leave --bed away")
    refused(capsys, ("rectify", frame, *camera, *size, "--border", 2.0, "--out", out), 2, "--border")
    refused(capsys, ("rectify", frame, *camera, *size, "--out", tmp_path), 2, "not empty")
    refused(capsys, ("register", frame, "--plan", frame), 2, "--mm-per-px")
    refused(capsys, ("register", frame, "--plan", tmp_path / "no.stl", *size), 2, "no such file")
    refused(capsys, ("register", frame, "--plan", frame, *size, "--max-shift", -1.0), 2, "--max-shift")
    refused(capsys, ("register", frame, "--plan", frame, *size, "--plan-turn", 45), 2, "--plan-turn")
    refused(capsys, ("register", frame, "--plan", frame, *size, "--plan-at", "here"), 2, "--plan-at")
    before = frame.read_bytes()
    refused(capsys, ("register", frame, "--plan", frame, *size, "--picture", frame), 2, "is read itself")
    refused(capsys, ("register", tmp_path, "--plan", frame, *size), 2, "this is a folder")
    refused(capsys, ("corners", "--out", tmp_path), 2, "is a folder")
    refused(capsys, ("corners", "--out", tmp_path / "camera.toml"), 2, "ends in .html")
    assert frame.read_bytes() == before
    assert (tmp_path / "camera.toml").read_text() == CAMERA
    assert not out.exists()
    assert not list(tmp_path.glob(".*"))


def test_the_page_is_one_file_without_a_network_whose_lines_are_a_camera_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "corners.html"
    assert run(capsys, "corners", "--out", page)[0] == 0
    text = page.read_text("utf-8")
    assert not re.search(r"(src|href)\s*=|https?://|import\s|@import|url\(", text.replace("image.src = url", ""))
    for key in ("[bed]", "[camera]", "width = ", "height = ", "corners = ["):
        assert key in text
    _check_script(text, tmp_path)


def _check_script(text: str, folder: Path) -> None:
    if shutil.which("node"):
        script = text.partition("<script>")[2].partition("</script>")[0]
        (folder / "page.js").write_text(script, "utf-8")
        done = subprocess.run(["node", "--check", str(folder / "page.js")], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr


def test_a_frame_that_no_browser_shows_is_put_into_the_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    frame, page = tmp_path / "</script>.tiff".replace("/", "_"), tmp_path / "corners.html"
    pixels = np.full((30, 40), 30000, np.uint16)
    pixels[10:20, 5:25] = 30100  # of 65,536 levels
    tifffile.imwrite(frame, pixels)
    code, _, error = run(capsys, "corners", "--frame", frame, "--out", page)
    assert code == 0, error
    text = page.read_text("utf-8")
    _check_script(text, tmp_path)
    found = re.search(r'const GIVEN = (\{"name": .*?\});', text)
    assert found is not None
    told = json.loads(found[1])
    assert told["name"] == frame.name
    assert frame.name not in found[1]
    shown = np.asarray(Image.open(io.BytesIO(base64.b64decode(told["image"].partition(",")[2]))))
    np.testing.assert_array_equal(shown, np.where(pixels == 30100, 255, 0))
    (tmp_path / "broken.tiff").write_bytes(b"II")
    refused(
        capsys, ("corners", "--frame", tmp_path / "broken.tiff", "--out", tmp_path / "b.html"), 1, "broken.tiff", "TIFF"
    )
    refused(capsys, ("corners", "--frame", frame, "--out", frame), 2, "ends in .html")
    assert not (tmp_path / "b.html").exists()
    assert read_pixels(frame).shape == (30, 40)
