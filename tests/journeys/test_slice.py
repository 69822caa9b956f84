"""`layerwatch slice`: every form, from meshes and layer files; the names are fixed, users' scripts rely on them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

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
    refused(capsys, words, 2, "a layer file has its own heights")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--format", "stl"), "choose --format svg, svgz, cli or masks"),
        (("--format", "dxf"), "no 'dxf' among part.formats"),
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
