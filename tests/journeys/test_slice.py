"""`layerwatch slice`: every form, from meshes and layer files; the names are fixed, users' scripts rely on them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from layerwatch.job.machine import default_machine
from layerwatch.journeys.slice import Writing, slice_to_files
from layerwatch.part.formats.svg import Svg
from tests.journeys.test_cli import box, refused, run


@pytest.fixture
def part(tmp_path: Path) -> Path:
    return box(tmp_path / "block.stl", 40.0, 30.0, 3.0)


@pytest.mark.parametrize(("form", "file"), [("svg", "block.svg"), ("svgz", "block.svgz"), ("cli", "block.cli")])
def test_each_form_lies_beside_its_description(
    part: Path, tmp_path: Path, form: str, file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, said, _ = run(capsys, "slice", part, "--unit", "mm", "--format", form, "--out", tmp_path / "o")
    assert code == 0
    assert "10 layers of 0.3 mm" in said
    assert (tmp_path / "o" / file).exists()
    told = json.loads((tmp_path / "o" / "slice.json").read_bytes())
    assert told["size_mm"] == [40.0, 30.0, 3.0]
    assert told["unit"] == "mm"
    assert told["layers"][4] == {"z": 1.5, "slice_z": 1.35, "area_mm2": 1200.0, "contours": 1, "leaks": 0}


def test_masks_are_the_exact_share_of_each_pixel(
    part: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["slice", part, "--unit", "mm", "--format", "masks", "--mm-per-px", 4.0, "--out", tmp_path / "o"]
    assert run(capsys, *words)[0] == 0
    files = sorted((tmp_path / "o" / "masks").iterdir())
    assert [file.name for file in files] == [f"{k:05d}.png" for k in range(10)]
    mask = np.array(Image.open(files[3]))
    assert mask.shape == (8, 10)
    assert (mask[:7] == 255).all()
    assert (mask[7] == 128).all()  # the part ends in the middle of this row
    assert json.loads((tmp_path / "o" / "slice.json").read_bytes())["masks"]["mm_per_px"] == 4.0


def test_one_svg_a_layer(part: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "slice", part, "--unit", "mm", "--per-layer", "--out", tmp_path / "o")[0] == 0
    files = sorted((tmp_path / "o" / "block-layers").iterdir())
    assert len(files) == 10
    assert Svg().read_layers(files[9].read_bytes(), "x.svg")[0].area == pytest.approx(1200)


def test_a_layer_file_is_written_anew(part: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "slice", part, "--unit", "mm", "--out", tmp_path / "a")[0] == 0
    code, said, error = run(capsys, "slice", tmp_path / "a" / "block.svg", "--format", "cli", "--out", tmp_path / "b")
    assert code == 0, error
    assert "10 layers as the file gives them, 40.0 x 30.0 x 3.0 mm" in said
    told = [json.loads((tmp_path / name / "slice.json").read_bytes())["layers"] for name in ("a", "b")]
    assert [row["area_mm2"] for row in told[0]] == pytest.approx([row["area_mm2"] for row in told[1]])
    words = ["slice", tmp_path / "a" / "block.svg", "--layer-height", 0.1, "--out", tmp_path / "c"]
    refused(capsys, words, 2, "layers have their own heights")


def test_a_folder_of_svg_layers_is_read_again(part: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "slice", part, "--unit", "mm", "--per-layer", "--out", tmp_path / "a")[0] == 0
    folder = tmp_path / "a" / "block-layers"
    code, said, error = run(capsys, "slice", folder, "--out", tmp_path / "b")
    assert code == 0, error
    assert "10 layers as the file gives them" in said
    told = [json.loads((tmp_path / name / "slice.json").read_bytes()) for name in ("a", "b")]
    assert told[0]["layers"] == told[1]["layers"]
    assert (tmp_path / "b" / "block.svg").exists()
    (folder / "00003.svg").rename(folder / "00010.svg")
    refused(capsys, ["slice", folder, "--out", tmp_path / "c"], 1, "00010.svg lies at 1.2 mm")
    refused(capsys, ["slice", tmp_path, "--out", tmp_path / "c"], 2, "a folder without SVG files")
    assert not (tmp_path / "c").exists()


def test_a_form_that_cannot_be_written_names_those_that_can(
    part: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for form in ("png", "stl"):
        words = ["slice", part, "--format", form, "--out", tmp_path / "o"]
        refused(capsys, words, 2, f"cannot be written as {form}; choose --format cli, svg, svgz or masks")
    words = ["slice", part, "--mm-per-px", 0.5, "--out", tmp_path / "o"]
    refused(capsys, words, 2, "--mm-per-px goes with --format masks")
    assert not (tmp_path / "o").exists()


def test_what_is_read_is_never_overwritten(part: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "o"
    assert run(capsys, "slice", part, "--unit", "mm", "--out", out)[0] == 0
    assert run(capsys, "slice", part, "--unit", "mm", "--per-layer", "--out", out)[0] == 0
    refused(capsys, ["slice", out / "block.svg", "--out", out], 2, "is what is read")
    refused(capsys, ["slice", out / "block-layers", "--per-layer", "--out", out], 2, "is what is read")
    (out / "block.svg").write_text("broken")
    refused(capsys, ["slice", out / "block.svg", "--out", out], 2, "is what is read")  # before it is opened


def test_ctrl_c_leaves_nothing_half_written(part: Path, tmp_path: Path) -> None:
    def stop(step: str, done: int, total: int, note: str = "") -> None:
        if step == "draw masks":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        slice_to_files(part, tmp_path / "o", default_machine(), Writing("masks"), unit="mm", progress=stop)
    assert not [path for path in (tmp_path / "o").rglob("*") if path.is_file()]


def test_masks_are_drawn_a_few_at_a_time(part: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, few = (tmp_path / name for name in ("whole", "few"))
    slice_to_files(part, whole, default_machine(), Writing("masks", mm_per_px=0.7), unit="mm")
    monkeypatch.setattr("layerwatch.journeys.slice._CHUNK_PIXELS", 1)
    slice_to_files(part, few, default_machine(), Writing("masks", mm_per_px=0.7), unit="mm")
    for file in (whole / "masks").iterdir():
        assert file.read_bytes() == (few / "masks" / file.name).read_bytes()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--format", "stl"), "choose --format cli, svg, svgz or masks"),
        (("--format", "dxf"), "layers cannot be written as dxf"),
        (("--format", "cli", "--per-layer"), "--per-layer goes with --format svg"),
        (("--format", "masks", "--mm-per-px", "0"), "0 mm per pixel"),
        (("--format", "masks", "--mm-per-px", "0.002"), "at most 8192 a side"),
    ],
)
def test_wrong_calls_leave_nothing_behind(
    part: Path, tmp_path: Path, words: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    refused(capsys, ["slice", part, "--unit", "mm", *words, "--out", tmp_path / "o"], 2, said)
    assert not (tmp_path / "o").exists()


def test_a_folder_of_layers_is_printed_like_its_part(
    part: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(capsys, "slice", part, "--unit", "mm", "--per-layer", "--out", tmp_path / "o")[0] == 0
    wish = ["--jobs", 1, "--defective", 0, "--layers", 2, "--crew", "inline"]
    folder = tmp_path / "o" / "block-layers"
    assert run(capsys, "synthesise", "--part", folder, *wish, "--out", tmp_path / "a")[0] == 0
    assert run(capsys, "synthesise", "--part", part, "--unit", "mm", *wish, "--out", tmp_path / "b")[0] == 0
    a, b = ({f.name: f.read_bytes() for f in (tmp_path / x / "frames").rglob("*") if f.is_file()} for x in "ab")
    assert a
    assert a == b


def test_the_cap_on_file_sizes_is_the_users_to_set(
    part: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "large.stl").write_bytes(part.read_bytes() + b" " * 2**20)
    monkeypatch.setenv("LAYERWATCH_MAX_MB", "1")
    refused(capsys, ["slice", tmp_path / "large.stl", "--out", tmp_path / "o"], 1, "LAYERWATCH_MAX_MB")
    monkeypatch.setenv("LAYERWATCH_MAX_MB", "much")
    refused(capsys, ["slice", part, "--out", tmp_path / "o"], 2, "whole number of MiB")
