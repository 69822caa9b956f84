"""TIFF in every form: strips and tiles, one page or many, classic or big, plain or packed; lies are found out."""

from __future__ import annotations

import io
import struct
import zlib
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from layerwatch.images.readers.tiff import Tiff
from layerwatch.records import DataError

SIXTEEN = (np.arange(40 * 52, dtype=np.uint16).reshape(40, 52) * 31) ^ 5
EIGHT = (SIXTEEN // 256).astype(np.uint8)
FLOAT = (SIXTEEN / np.float32(7)).astype(np.float32)
KINDS = [SIXTEEN, EIGHT, FLOAT, FLOAT.astype(np.float64), (FLOAT / 10).astype(np.float16)]


def tiff(pixels: np.ndarray, **how: Any) -> bytes:
    file = io.BytesIO()
    tifffile.imwrite(file, pixels, **({"photometric": "minisblack", "metadata": None} | how))
    return file.getvalue()


def by_libtiff(pixels: np.ndarray, compression: str, **tags: Any) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "TIFF", compression=compression, **tags)
    return file.getvalue()


@pytest.mark.parametrize("pixels", KINDS, ids=lambda p: p.dtype.name)
@pytest.mark.parametrize("byteorder", "<>")
@pytest.mark.parametrize("bigtiff", [False, True])
@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("place", [{}, {"rowsperstrip": 7}, {"tile": (16, 32)}], ids=["strip", "strips", "tiles"])
def test_every_layout_gives_the_same_pixels(
    pixels: np.ndarray, byteorder: str, bigtiff: bool, compression: str | None, place: dict[str, Any]
) -> None:
    data = tiff(pixels, byteorder=byteorder, bigtiff=bigtiff, compression=compression, **place)
    read = Tiff().read(data, "frame")
    assert read.dtype == (np.float32 if pixels.dtype.kind == "f" else pixels.dtype)
    np.testing.assert_array_equal(read, pixels.astype(read.dtype))


@pytest.mark.parametrize(
    ("compression", "predictor", "pixels"),
    [(c, 1, p) for c in ("tiff_lzw", "packbits", "tiff_adobe_deflate", "raw") for p in (SIXTEEN, EIGHT, FLOAT)]
    + [(c, 2, p) for c in ("tiff_lzw", "tiff_adobe_deflate") for p in (SIXTEEN, EIGHT)]
    + [(c, 3, FLOAT) for c in ("tiff_lzw", "tiff_adobe_deflate")],
)
def test_what_libtiff_packs_is_unpacked(compression: str, predictor: int, pixels: np.ndarray) -> None:
    data = by_libtiff(pixels, compression, tiffinfo={317: predictor} if predictor > 1 else {})
    np.testing.assert_array_equal(Tiff().read(data, "frame"), pixels)


@given(st.integers(8, 70), st.integers(8, 70), st.integers(1, 80), st.booleans())
@settings(max_examples=40, deadline=None)
def test_any_size_in_any_strips(height: int, width: int, rows: int, is_packed: bool) -> None:
    pixels = np.random.default_rng([height, width]).integers(0, 65536, (height, width), np.uint16)
    data = tiff(pixels, rowsperstrip=rows, compression="zlib" if is_packed else None)
    np.testing.assert_array_equal(Tiff().read(data, "frame"), pixels)


def test_every_page_is_a_picture() -> None:
    stack = np.stack([SIXTEEN, SIXTEEN[::-1], SIXTEEN // 2])
    for data in (tiff(stack), pages_by_libtiff(stack, "tiff_lzw")):
        found = Tiff().pictures(data, "stack")
        assert [(p.page, p.pages) for p in found] == [(0, 3), (1, 3), (2, 3)]
        for picture, pixels in zip(found, stack, strict=True):
            np.testing.assert_array_equal(picture.pixels, pixels)
        np.testing.assert_array_equal(Tiff().pictures(data, "stack", 1)[0].pixels, stack[1])
        with pytest.raises(DataError, match="no picture 3, it holds 0 to 2"):
            Tiff().pictures(data, "stack", 3)


def pages_by_libtiff(stack: np.ndarray, compression: str) -> bytes:
    file, pages = io.BytesIO(), [Image.fromarray(one) for one in stack]
    pages[0].save(file, "TIFF", compression=compression, save_all=True, append_images=pages[1:])
    return file.getvalue()


def test_a_thumbnail_is_no_page() -> None:
    file = io.BytesIO()
    with tifffile.TiffWriter(file) as writer:
        writer.write(SIXTEEN, photometric="minisblack", metadata=None)
        writer.write(SIXTEEN[::4, ::4], photometric="minisblack", metadata=None, subfiletype=1)
    np.testing.assert_array_equal(Tiff().read(file.getvalue(), "frame"), SIXTEEN)


def test_where_zero_is_white_the_picture_is_turned_about() -> None:
    np.testing.assert_array_equal(Tiff().read(tiff(SIXTEEN, photometric="miniswhite"), "x"), 65535 - SIXTEEN)
    np.testing.assert_array_equal(Tiff().read(tiff(EIGHT, photometric="miniswhite"), "x"), 255 - EIGHT)
    for pixels, most in ((SIXTEEN, 65535), (EIGHT, 255)):
        for compression in ("tiff_lzw", "packbits"):
            data = retagged(by_libtiff(pixels, compression), 262, 0)
            np.testing.assert_array_equal(Tiff().read(data, "x"), most - pixels)


def retagged(data: bytes, tag: int, value: int) -> bytes:
    """The same little-endian file with another value of one short tag of the first page."""
    place = struct.unpack_from("<I", data, 4)[0]
    for entry in range(struct.unpack_from("<H", data, place)[0]):
        at = place + 2 + 12 * entry
        if struct.unpack_from("<H", data, at)[0] == tag:
            changed = bytearray(data)
            struct.pack_into("<I", changed, at + 8, value)
            return bytes(changed)
    raise AssertionError(f"no tag {tag}")


def test_colour_becomes_luminance_and_32_bits_of_small_numbers_16() -> None:
    colour = tiff(np.stack([EIGHT] * 3, -1), photometric="rgb")
    np.testing.assert_array_equal(Tiff().read(colour, "x"), EIGHT)
    np.testing.assert_array_equal(Tiff().read(tiff(SIXTEEN.astype(np.uint32)), "x"), SIXTEEN)
    with pytest.raises(DataError, match="beyond 16 bits"):
        Tiff().read(tiff(SIXTEEN.astype(np.uint32) + 70000), "x")
    with pytest.raises(DataError, match="signed numbers"):
        Tiff().read(tiff(SIXTEEN.astype(np.int16)), "x")


def test_units_are_what_the_file_can_mean() -> None:
    units = [Tiff().pictures(tiff(p), "x")[0].unit for p in (EIGHT, SIXTEEN, FLOAT, FLOAT / FLOAT.max())]
    assert units == ["grey", "counts", "counts", "grey"]


def test_tags_and_time_come_along() -> None:
    data = tiff(SIXTEEN, description='{"job": "core"}', datetime="2026:01:02 03:04:05")
    picture = Tiff().pictures(data, "x")[0]
    assert picture.tags["ImageDescription"] == '{"job": "core"}'
    assert picture.time is None  # DateTime is of the last change, not of the exposure


@pytest.mark.parametrize(
    ("tag", "value", "message"),
    [
        (256, 2**31, "more than the"),
        (273, 2**31, "beyond its end"),
        (279, 10, "has 10 bytes where"),
        (278, 3, "1 of 14 pieces"),
        (258, 11, "11 bits a sample"),
        (262, 0x8023, "photometric 32803"),
        (259, 34712, "compression 34712"),
    ],
)
def test_a_lie_in_the_head_is_found_out(tag: int, value: int, message: str) -> None:
    with pytest.raises(DataError, match=message):
        Tiff().read(retagged(tiff(SIXTEEN), tag, value), "frame")


def test_pages_in_a_circle_are_refused() -> None:
    data = bytearray(tiff(SIXTEEN))
    place = struct.unpack_from("<I", data, 4)[0]
    struct.pack_into("<I", data, place + 2 + 12 * struct.unpack_from("<H", data, place)[0], place)
    with pytest.raises(DataError, match="in a circle"):
        Tiff().read(bytes(data), "frame")


def test_a_strip_that_unfolds_further_than_its_picture_is_cut_there() -> None:
    """The first rows are right, so they are read; the gigabyte behind them is never unfolded."""
    long = zlib.compress(SIXTEEN.astype("<u2").tobytes() + bytes(2**24))
    data = bytearray(tiff(SIXTEEN, compression="zlib"))
    place = len(data)
    data += long
    for tag, value in ((273, place), (279, len(long))):
        data = bytearray(retagged(bytes(data), tag, value))
    np.testing.assert_array_equal(Tiff().read(bytes(data), "frame"), SIXTEEN)


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_a_spoiled_file_is_read_or_refused_and_nothing_else(data: st.DataObject) -> None:
    made = [tiff(SIXTEEN, tile=(16, 16), compression="zlib", bigtiff=True), by_libtiff(EIGHT, "tiff_lzw")]
    changed = bytearray(data.draw(st.sampled_from(made)))
    for _ in range(data.draw(st.integers(1, 4))):
        changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
    with suppress(DataError):
        assert Tiff().pictures(bytes(changed), "x")
