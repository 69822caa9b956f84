"""Radiometric JPEG: every form of a block gives back its counts; temperatures follow FLIR's balance of radiation."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from layerwatch.images.decoding.fff import parse_block
from layerwatch.images.decoding.jpeg_segments import Segments
from layerwatch.images.decoding.planck import Radiometry
from layerwatch.images.folder import read_folder, read_image, read_picture
from layerwatch.images.readers.flir_jpeg import FlirJpeg
from layerwatch.images.readers.jpeg import Jpeg
from layerwatch.records import DataError, UsageError
from layerwatch.testing.flir_files import DEFAULTS, FlirFile

SAMPLE = Path(__file__).parent / "samples" / "linear_load.jpg"
COUNTS = (12000 + 40 * np.add.outer(np.arange(24), np.arange(32)) + np.arange(32) % 7).astype(np.uint16)


def photo() -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.tile(np.arange(32, dtype=np.uint8) * 8, (24, 1))).save(file, "JPEG")
    return file.getvalue()


def plain_celsius(counts: np.ndarray, p: Mapping[int, float], O: int) -> np.ndarray:  # noqa: E741 # FLIR's name
    """The published formulas line by line: what the reader must agree with, written apart from it."""
    celsius = p[0x2C] - 273.15
    water = p[0x3C] * math.exp(1.5587 + 0.06939 * celsius - 0.00027816 * celsius**2 + 0.00000068455 * celsius**3)
    d, h, X = math.sqrt(p[0x24]), math.sqrt(water), p[0x80]
    tau = X * math.exp(-d * (p[0x70] + p[0x78] * h)) + (1 - X) * math.exp(-d * (p[0x74] + p[0x7C] * h))
    e, w = p[0x20], p[0x34]

    def signal(kelvin: float) -> float:
        return p[0x58] / (p[0x30C] * (math.exp(p[0x5C] / kelvin) - p[0x60])) - O

    S = counts / (e * tau * w)
    S = S - (1 - e) / e * signal(p[0x28]) - (1 - tau) / (e * tau) * signal(p[0x2C])
    S = S - (1 - w) / (e * tau * w) * signal(p[0x30])
    return np.asarray(p[0x5C] / np.log(p[0x58] / (p[0x30C] * (S + O)) + p[0x60]) - 273.15)


@pytest.mark.parametrize("header", "<>")
@pytest.mark.parametrize("records", "<>")
@pytest.mark.parametrize("payload", ["raw", "PNG", "swapped PNG"])
@pytest.mark.parametrize("piece", [60_000, 500])
def test_every_form_gives_the_same_counts_and_temperatures(header: str, records: str, payload: str, piece: int) -> None:
    made = FlirFile(header, records, payload)
    data = made.jpeg(COUNTS, photo(), piece)
    block = parse_block(Segments(data).flir_block("x"), "x")
    np.testing.assert_array_equal(block.counts, COUNTS)
    assert (block.payload, block.model) == (payload, "test head")
    found = FlirJpeg().pictures(data, "x")[0]
    assert (found.unit, found.pixels.dtype.name) == ("degC", "float32")
    np.testing.assert_allclose(found.pixels, plain_celsius(COUNTS, DEFAULTS, made.O), atol=0.002)


def test_the_sample_reads_as_other_programs_read_it() -> None:
    picture = read_picture(SAMPLE)
    assert picture.pixels.shape == (120, 120)
    assert (picture.tags["Model"], picture.tags["Payload"]) == ("InfraCAM Wester", "swapped PNG")
    counts = parse_block(Segments(SAMPLE.read_bytes()).flir_block("x"), "x").counts
    assert (counts.min(), counts.max()) == (5610, 10679)  # as exiftool's RawThermalImage has them, swapped
    told = [picture.pixels.min(), picture.pixels.max(), picture.pixels.mean()]
    np.testing.assert_allclose(told, [30.005, 89.107, 36.312], atol=0.01)
    split = FlirJpeg(split=0.5).read(SAMPLE.read_bytes(), "x")  # flyr 5.1.0 gives 30.033, 89.267, 36.356
    np.testing.assert_allclose([split.min(), split.max(), split.mean()], [30.033, 89.267, 36.356], atol=0.01)


@given(
    kelvin=st.floats(230, 900),
    emissivity=st.floats(0.3, 1),
    window=st.floats(0.5, 1),
    distance=st.floats(0, 50),
    split=st.floats(0, 1),
)
@settings(max_examples=60, deadline=None)
def test_what_an_object_sends_comes_back_as_its_temperature(
    kelvin: float, emissivity: float, window: float, distance: float, split: float
) -> None:
    it = Radiometry(
        16327.723, 0.023158347, 1424.8, 1.35, -6872, emissivity, distance, window_transmission=window, split=split
    )
    before, behind = it.air(1 - split), it.air(split)
    seen = emissivity * it.signal(kelvin) + (1 - emissivity) * it.signal(it.reflected)
    seen = before * seen + (1 - before) * it.signal(it.atmosphere)
    seen = window * seen + (1 - window) * it.signal(it.window)
    seen = behind * seen + (1 - behind) * it.signal(it.atmosphere)
    assert it.kelvin(it.of_object(np.array([seen])))[0] == pytest.approx(kelvin, abs=1e-6)


def test_counts_without_a_temperature_are_nan_and_no_grey() -> None:
    counts = COUNTS.copy()
    counts[3, 5] = 0
    found = FlirJpeg().pictures(FlirFile().jpeg(counts, photo()), "x")[0]
    assert np.isnan(found.pixels[3, 5])
    assert np.isfinite(found.pixels).sum() == counts.size - 1


def test_one_level_is_put_right_by_what_the_camera_noted() -> None:
    flat = np.full((16, 16), 0x2EE0, np.uint16)
    for payload in ("PNG", "swapped PNG"):
        data = FlirFile(payload=payload, level=0x2EE0).jpeg(flat, photo())
        np.testing.assert_array_equal(parse_block(Segments(data).flir_block("x"), "x").counts, flat)
    with pytest.raises(DataError, match="byte order of the PNG inside FLIR's block cannot be told"):
        FlirJpeg().read(FlirFile(payload="PNG").jpeg(flat, photo()), "x")


def test_witnesses_that_contradict_one_another_are_no_evidence() -> None:
    coarse = (COUNTS & 0xFF00).astype(np.uint16)  # smooth in the wrong order
    with pytest.raises(DataError, match="byte order"):
        FlirJpeg().read(FlirFile(payload="PNG", level=int(np.median(coarse))).jpeg(coarse, photo()), "x")
    limits = (int(coarse.min()), int(coarse.max()))
    data = FlirFile(payload="PNG", level=int(np.median(coarse)), limits=limits).jpeg(coarse, photo())
    np.testing.assert_array_equal(parse_block(Segments(data).flir_block("x"), "x").counts, coarse)


def test_the_time_of_the_exposure_has_the_cameras_zone() -> None:
    moment = datetime(2013, 4, 12, 10, 24, 1, 131000, timezone(timedelta(hours=-1)))
    made = FlirFile(moment=(int(moment.timestamp()), 131, 60))
    found = FlirJpeg().pictures(made.jpeg(COUNTS, photo()), "x")[0].time
    assert found == moment
    assert found is not None
    assert found.utcoffset() == timedelta(hours=-1)
    assert FlirJpeg().pictures(FlirFile().jpeg(COUNTS, photo()), "x")[0].time is None
    assert read_picture(SAMPLE).time == datetime(1999, 12, 31, 23, 22, 10, 575000, UTC)


def test_a_reader_is_chosen_by_content() -> None:
    assert FlirJpeg().knows(SAMPLE.read_bytes())
    assert not FlirJpeg().knows(photo())


def test_a_photo_stays_grey(tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_bytes(photo())
    picture = read_picture(tmp_path / "photo.jpg")
    assert (picture.unit, picture.pixels.dtype.name) == ("grey", "uint8")


def test_a_folder_of_temperatures_needs_a_span(tmp_path: Path) -> None:
    (tmp_path / "frame.jpg").write_bytes(SAMPLE.read_bytes())
    with pytest.raises(DataError, match=r"frame\.jpg: holds temperatures from 30\.0 to 89\.1 degC, .*--span LOW HIGH"):
        read_folder(tmp_path)
    image = read_folder(tmp_path, span=(20.0, 60.0)).images[0]
    celsius = read_picture(SAMPLE).pixels
    assert image.span == (20.0, 60.0)
    np.testing.assert_allclose(image.pixels, np.clip((celsius - 20) / 40, 0, 1), atol=1e-6)
    with pytest.raises(UsageError, match="give the lower end first"):
        read_image(SAMPLE, span=(60.0, 20.0))


def test_thermal_jpeg_of_dji_is_refused_with_the_reason() -> None:
    segments = b"\xff\xe3\x00\x0araw counts"[:12] + b"\xff\xe4\x00\x0a\xaa\x55\x12\x06\x3a\x43\xa1\xb5"
    data = photo()[:2] + segments + photo()[2:]
    with pytest.raises(DataError, match="DJI without a block of FLIR's"):
        Jpeg().read(data, "x")


@pytest.mark.parametrize(
    ("place", "value", "what"),
    [
        (0x2C, 9000.0, "fit no air"),
        (0x5C, 1e30, "fit no air"),
        (0x20, 0.0, "emissivity"),
        (0x5C, math.nan, "B"),
        (0x34, 2.0, "window"),
        (0x24, -1.0, "distance"),
    ],
)
def test_parameters_that_no_camera_has_are_refused(place: int, value: float, what: str) -> None:
    made = FlirFile(floats={**DEFAULTS, place: value})
    with pytest.raises(DataError, match=what):
        FlirJpeg().read(made.jpeg(COUNTS, photo()), "x")


def test_a_lost_or_doubled_piece_is_named() -> None:
    data = FlirFile().jpeg(COUNTS, photo(), 500)
    first, second = (data.index(b"FLIR\0\x01" + bytes((n,))) for n in (0, 1))
    with pytest.raises(DataError, match="piece 0 of"):
        FlirJpeg().read(data[: first - 4] + data[second - 4 :], "x")
    with pytest.raises(DataError, match="piece 1 of FLIR's block stands there twice"):
        FlirJpeg().read(data[: first + 6] + b"\x01" + data[first + 7 :], "x")


@given(st.integers(0, 3000), st.integers(0, 255))
@settings(max_examples=150, deadline=None)
def test_a_spoiled_block_is_read_or_refused_and_nothing_else(place: int, byte: int) -> None:
    block = bytearray(FlirFile(payload="PNG").block(COUNTS))
    block[place % len(block)] = byte
    with suppress(DataError):
        assert parse_block(bytes(block), "x").counts.size
