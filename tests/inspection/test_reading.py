"""A frame that cannot be judged says what is really so: its colour, its size, or its plan's."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from layerwatch.images.archive import encode_png
from layerwatch.inspection.deliveries import Identity
from layerwatch.inspection.journal.entries import Frame
from layerwatch.inspection.reading import FrameReader, Planned, no_plans
from layerwatch.inspection.spool import Spool
from layerwatch.records import Fault, LayerImage


def read(
    folder: Path,
    data: bytes,
    name: str = "1.png",
    plan: tuple[int, int] | None = None,
    size: tuple[int, int] | None = None,
    binning: int = 1,
) -> LayerImage | Fault:
    (folder / name).write_bytes(data)
    plans = no_plans if plan is None else lambda job, layer: Planned(np.zeros(plan, np.uint8))
    frame = Frame(1, Identity("p", "j", 1), "", name, name, 0.0, None, "", "waiting")
    return FrameReader(Spool(folder), plans, binning=binning, size=size).read(frame)


def jpeg(pixels: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=95)
    return file.getvalue()


def png(height: int, width: int) -> bytes:
    return encode_png(np.arange(height * width, dtype=np.uint16).reshape(height, width))


def test_a_colour_picture_without_content_is_called_one_and_not_black(tmp_path: Path) -> None:
    found = read(tmp_path, jpeg(np.full((64, 64, 3), (200, 30, 30), np.uint8)), "1.jpg")
    assert isinstance(found, Fault)
    assert (found.kind, "grey frames are wanted" in found.evidence) == ("colour image", True)


@pytest.mark.parametrize("channels", [1, 3])
def test_a_grey_picture_is_none_however_it_is_stored(tmp_path: Path, channels: int) -> None:
    flat = np.full((64, 64, 3), 90, np.uint8)
    found = read(tmp_path, jpeg(flat if channels == 3 else flat[..., 0]), "1.jpg")
    assert isinstance(found, LayerImage)  # the gate says that every pixel is the same


def test_a_colour_picture_with_content_becomes_luminance(tmp_path: Path) -> None:
    ramp = np.linspace(0, 255, 64, dtype=np.uint8)[None, :].repeat(64, 0)
    found = read(tmp_path, jpeg(np.stack([ramp, ramp // 2, ramp // 3], axis=2)), "1.jpg")
    assert isinstance(found, LayerImage)


def test_a_frame_of_another_size_is_named_with_the_size_that_is_wanted(tmp_path: Path) -> None:
    found = read(tmp_path, png(48, 64), plan=(64, 96), size=(64, 96))
    assert isinstance(found, Fault)
    assert found.kind == "wrong size"
    assert "the frame is 64 x 48 pixels, the plan 96 x 64, and the model wants frames of 96 x 64" in found.evidence
    found = read(tmp_path, png(48, 64), plan=(64, 96), size=(16, 24), binning=4)
    assert isinstance(found, Fault)
    assert "the model wants frames of 96 x 64" in found.evidence
    found = read(tmp_path, png(48, 64), plan=(64, 96))
    assert isinstance(found, Fault)
    assert (found.kind, found.evidence) == ("wrong size", "the frame is 64 x 48 pixels, the plan 96 x 64")


def test_a_plan_of_another_size_beside_a_frame_that_fits_is_the_plans_fault(tmp_path: Path) -> None:
    found = read(tmp_path, png(48, 64), plan=(64, 96), size=(48, 64))
    assert isinstance(found, Fault)
    assert found.kind == "unusable plan"
    assert "the frame is 64 x 48 pixels, the plan 96 x 64, and the model wants such frames" in found.evidence
    assert isinstance(read(tmp_path, png(48, 64), plan=(48, 64), size=(48, 64)), LayerImage)
