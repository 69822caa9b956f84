"""Every reader: what was written comes back in its own depth; what is broken is named."""

from __future__ import annotations

import io
import zlib
from typing import Any

import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from layerwatch.images.folder import readers
from layerwatch.images.grey import to_grey, to_uint8, to_uint16
from layerwatch.records import DataError

SIXTEEN = np.arange(12 * 16, dtype=np.uint16).reshape(12, 16) * 341
EIGHT = (SIXTEEN // 256).astype(np.uint8)


def encoded(pixels: np.ndarray, kind: str) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind)
    return file.getvalue()


def tiff(pixels: np.ndarray, **how: Any) -> bytes:
    file = io.BytesIO()
    tifffile.imwrite(file, pixels, **how)
    return file.getvalue()


@pytest.mark.parametrize(
    ("suffix", "data", "pixels"),
    [
        (".png", encoded(EIGHT, "PNG"), EIGHT),
        (".png", encoded(SIXTEEN, "PNG"), SIXTEEN),
        (".tiff", tiff(SIXTEEN), SIXTEEN),
        (".tif", tiff(SIXTEEN, compression="zlib"), SIXTEEN),
        (".tif", tiff(SIXTEEN, byteorder=">"), SIXTEEN),
        (".tif", tiff(EIGHT), EIGHT),
        (".tif", tiff(SIXTEEN.astype(np.float32) / 65535), SIXTEEN.astype(np.float32) / 65535),
    ],
)
def test_written_then_read_is_the_same_in_depth_and_value(suffix: str, data: bytes, pixels: np.ndarray) -> None:
    read = readers()[suffix].read(data, "frame")
    assert read.dtype == pixels.dtype
    np.testing.assert_array_equal(read, pixels)


def test_a_tiff_that_only_pillow_decodes() -> None:
    file = io.BytesIO()
    Image.fromarray(SIXTEEN).save(file, "TIFF", compression="tiff_lzw")
    np.testing.assert_array_equal(readers()[".tif"].read(file.getvalue(), "frame"), SIXTEEN)


def test_jpeg_is_near_and_colour_becomes_luminance() -> None:
    smooth = np.tile(np.linspace(0, 255, 32).astype(np.uint8), (32, 1))
    assert np.abs(readers()[".jpg"].read(encoded(smooth, "JPEG"), "frame").astype(int) - smooth).max() < 6
    np.testing.assert_array_equal(readers()[".png"].read(encoded(np.stack([EIGHT] * 3, -1), "PNG"), "frame"), EIGHT)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif"])
@pytest.mark.parametrize(
    "data", [b"", b"not an image at all", b"\x89PNG\r\n\x1a\n" + b"\0" * 40, b"II*\0" + b"\xff" * 60]
)
def test_what_is_no_image_is_refused_by_name(suffix: str, data: bytes) -> None:
    with pytest.raises(DataError, match="frame-7"):
        readers()[suffix].read(data, "frame-7")


@pytest.mark.parametrize("data", [encoded(SIXTEEN, "PNG"), tiff(SIXTEEN), encoded(EIGHT, "JPEG")])
def test_a_truncated_file_is_refused(data: bytes) -> None:
    suffix = {b"\x89": ".png", b"I": ".tif", b"\xff": ".jpg"}[data[:1]]
    with pytest.raises(DataError, match="broken or truncated"):
        readers()[suffix].read(data[: len(data) // 2], "frame")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (tiff(np.zeros((3, 16, 16), np.uint16), photometric="minisblack"), "3 pages"),
        (tiff(np.zeros((4, 4), np.uint16)), "too few"),
    ],
)
def test_a_tiff_that_cannot_be_judged_says_why(data: bytes, message: str) -> None:
    with pytest.raises(DataError, match=message):
        readers()[".tif"].read(data, "frame")


def test_a_huge_image_is_refused_before_it_is_decoded() -> None:
    bomb = bytearray(encoded(np.zeros((16, 16), np.uint8), "PNG"))
    bomb[16:24] = (60000).to_bytes(4, "big") * 2
    bomb[29:33] = zlib.crc32(bomb[12:29]).to_bytes(4, "big")
    with pytest.raises(DataError, match="bomb: more pixels than"):
        readers()[".png"].read(bytes(bomb), "bomb")


@given(hnp.arrays(np.uint16, (9, 11), elements=st.integers(0, 65535)))
def test_sixteen_bits_survive_grey(pixels: np.ndarray) -> None:
    np.testing.assert_array_equal(to_uint16(to_grey(pixels, "x")), pixels)


@given(hnp.arrays(np.uint8, (9, 11), elements=st.integers(0, 255)))
def test_eight_bits_survive_grey(pixels: np.ndarray) -> None:
    np.testing.assert_array_equal(to_uint8(to_grey(pixels, "x")), pixels)


@pytest.mark.parametrize(
    ("pixels", "message"),
    [
        (np.full((8, 8), np.nan, np.float32), "64 pixels are NaN"),
        (np.full((8, 8), 300.0, np.float32), "scale them"),
        (np.zeros((8, 8), np.int64), "type int64"),
    ],
)
def test_pixels_without_a_known_scale_are_refused(pixels: np.ndarray, message: str) -> None:
    with pytest.raises(DataError, match=message):
        to_grey(pixels, "frame")


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_colours_of_sixteen_bits_are_refused_and_not_narrowed(suffix: str) -> None:
    colours = np.stack([SIXTEEN] * 3, -1)
    data = tiff(colours, photometric="rgb") if suffix == ".tif" else png_of_colours(colours)
    with pytest.raises(DataError, match="colours of 16 bits"):
        readers()[suffix].pictures(data, "x")


def png_of_colours(pixels: np.ndarray) -> bytes:
    """A PNG of 16 bits a channel, which Pillow cannot write."""
    h, w, _ = pixels.shape
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels)
    head = w.to_bytes(4, "big") + h.to_bytes(4, "big") + b"\x10\x02\0\0\0"
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big") for kind, data in chunks
    )


def test_a_film_is_no_layer() -> None:
    file, frames = io.BytesIO(), [Image.fromarray(EIGHT), Image.fromarray(EIGHT[::-1].copy())]
    frames[0].save(file, "PNG", save_all=True, append_images=frames[1:])
    with pytest.raises(DataError, match=r"film\.png: holds 2 pictures"):
        readers()[".png"].read(file.getvalue(), "film.png")
