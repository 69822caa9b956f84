"""``layerwatch read``: what a file holds, which frame it is, or why it is refused, for people and for programs."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from layerwatch.cli import app
from layerwatch.images.archive import encode_png, encode_tiff
from layerwatch.images.folder import read_picture
from layerwatch.journeys.read import Question, read
from layerwatch.records import UsageError

SAMPLE = Path(__file__).parent.parent / "images" / "samples" / "linear_load.jpg"
FRAME = np.arange(20 * 30, dtype=np.uint16).reshape(20, 30) * 100


@pytest.fixture
def frame(tmp_path: Path) -> Path:
    path = tmp_path / "p1_core_L00012.tiff"
    path.write_bytes(encode_tiff(FRAME))
    return path


def test_json_tells_what_the_file_holds_and_which_frame_it_is(frame: Path) -> None:
    done = CliRunner().invoke(app, ["read", str(frame), "--json", "--pattern", "{printer}_{job}_L{layer}"])
    assert done.exit_code == 0, done.output
    told = json.loads(done.output)
    assert (told["shape"], told["dtype"], told["unit"]) == ([20, 30], "uint16", "counts")
    assert (told["min"], told["max"], told["mean"]) == (0.0, 59900.0, 29950.0)
    assert (told["printer"], told["job"], told["layer"], told["phase"]) == ("p1", "core", 12, None)
    assert told["unidentified"] == "not known: phase, time"
    assert told["refused"] is None


def test_a_refusal_is_told_with_its_reason_and_exit_code_1(tmp_path: Path) -> None:
    (tmp_path / "core_L7.png").write_bytes(b"no image")
    done = CliRunner().invoke(app, ["read", str(tmp_path / "core_L7.png"), "--json", "--pattern", "{job}_L{layer}"])
    assert done.exit_code == 1
    told = json.loads(done.output)
    assert "not a PNG file" in told["refused"]
    assert told["shape"] is None
    assert (told["job"], told["layer"]) == ("core", 7)
    plain = CliRunner().invoke(app, ["read", str(tmp_path / "core_L7.png")])
    assert plain.exit_code == 1
    assert "not a PNG file" in plain.output


def test_a_radiometric_jpeg_is_in_degrees(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["read", str(SAMPLE)])
    assert done.exit_code == 0
    assert "120 x 120 px, float32, 30.0051 to 89.107, mean 36.3121 degC" in done.output
    out = tmp_path / "frame.tiff"
    assert not read(SAMPLE, Question(span=(20.0, 100.0), out=out)).refused
    celsius = read_picture(SAMPLE).pixels
    np.testing.assert_allclose(read_picture(out).pixels / 65535 * 80 + 20, celsius, atol=80 / 65535)


def test_a_scale_is_chosen_and_never_guessed(frame: Path) -> None:
    assert read(frame, Question()).picture.unit == "counts"  # type: ignore[union-attr] # it is read
    found = read(frame, Question(scale="mono16-10mK"))
    assert found.figures is not None
    assert found.figures.max == pytest.approx(599 - 273.15, abs=1e-3)
    with pytest.raises(UsageError, match="no scale"):
        read(frame, Question(scale="warm"))


def test_sixteen_bits_are_written_as_they_are(frame: Path, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(encode_png(FRAME))
    assert not read(tmp_path / "a.png", Question(out=tmp_path / "out.tiff")).refused
    np.testing.assert_array_equal(read_picture(tmp_path / "out.tiff").pixels, FRAME)


def test_temperatures_without_a_span_are_not_written(tmp_path: Path) -> None:
    answer = read(SAMPLE, Question(out=tmp_path / "out.tiff"))
    assert "need a fixed span" in answer.refused
    assert not (tmp_path / "out.tiff").exists()


@pytest.mark.parametrize(
    ("question", "message"),
    [
        (Question(span=(20.0, 60.0)), "give --out FRAME"),
        (Question(span=(60.0, 20.0), out=Path("x.tiff")), "lower end first"),
        (Question(out=Path("x.png")), "ends in .tiff"),
        (Question(pattern="{shift}"), "give some of"),
    ],
)
def test_a_call_that_cannot_work_is_refused(question: Question, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        read(SAMPLE, question)


def test_nothing_is_written_over_the_file_that_is_read(frame: Path) -> None:
    before = frame.read_bytes()
    with pytest.raises(UsageError, match="is the file that is read"):
        read(frame, Question(out=frame))
    assert frame.read_bytes() == before


def test_pages_are_chosen_by_their_number(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.stack([FRAME, FRAME * 0]))
    assert read(tmp_path / "a.npy", Question(page=1)).figures.max == 0  # type: ignore[union-attr] # it is read
    assert "no picture 2, it holds 0 to 1" in read(tmp_path / "a.npy", Question(page=2)).refused
    assert "picture 1 of 2" in read(tmp_path / "a.npy", Question(page=1)).lines[0]


def test_contradictions_are_told(frame: Path) -> None:
    frame.with_suffix(".json").write_text('{"layer": 13}')
    answer = read(frame, Question(pattern="{printer}_{job}_L{layer}"))
    assert answer.found.identity.layer == 13
    assert "contradiction: layer: sidecar says 13, name says 12" in answer.lines


def test_a_file_without_a_single_value_is_refused(tmp_path: Path) -> None:
    pixels = np.full((16, 16), np.nan, np.float32)
    np.save(tmp_path / "a.npy", pixels)
    done = CliRunner().invoke(app, ["read", str(tmp_path / "a.npy"), "--json"])
    assert done.exit_code == 1
    assert "every pixel is NaN or infinite" in json.loads(done.output)["refused"]
    pixels[3, 4:6] = 0.25, 0.75
    np.save(tmp_path / "a.npy", pixels)
    answer = read(tmp_path / "a.npy", Question())
    assert "0.25 to 0.75, mean 0.5" in answer.lines[0]
    assert "254 pixels without a value" in answer.lines[0]
    assert json.loads(answer.as_json())["mean"] == 0.5


@pytest.mark.parametrize("name", [".", "", ".."])
def test_a_folder_without_a_name_is_refused_as_any_other(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(Path(__file__).parent)
    done = CliRunner().invoke(app, ["read", name, "--pattern", "{job}/{layer}"])
    assert done.exit_code == 1
    assert "this is a folder; give one file" in done.output
