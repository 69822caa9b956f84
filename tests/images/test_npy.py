from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from layerwatch.images.readers.npy import Npy
from layerwatch.records import DataError


def saved(array: np.ndarray, **how: Any) -> bytes:
    file = io.BytesIO()
    np.lib.format.write_array(file, array, **how)
    return file.getvalue()


@given(
    hnp.arrays(
        st.sampled_from([np.dtype(name) for name in ("|u1", "<u2", ">u2", "<f4", ">f4")]),
        st.tuples(st.integers(1, 3), st.integers(8, 20), st.integers(8, 20)),
        elements={"min_value": 0, "max_value": 200},
    ),
    st.booleans(),
    st.sampled_from([(1, 0), (2, 0), (3, 0)]),
)
@settings(max_examples=60, deadline=None)
def test_saved_then_read_is_the_same(stack: np.ndarray, is_fortran: bool, version: tuple[int, int]) -> None:
    data = saved(np.asfortranarray(stack) if is_fortran else stack, version=version)
    found = Npy().pictures(data, "x")
    assert [p.pages for p in found] == [len(stack)] * len(stack)
    for picture, pixels in zip(found, stack, strict=True):
        assert picture.pixels.dtype == stack.dtype.newbyteorder("=")
        np.testing.assert_array_equal(picture.pixels, pixels)


def test_one_frame_needs_no_third_axis() -> None:
    frame = np.arange(120, dtype=np.int64).reshape(10, 12) * 500
    read = Npy().read(saved(frame), "x")
    assert read.dtype == np.uint16
    np.testing.assert_array_equal(read, frame)


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.full((8, 8), None, object), "an array of object"),
        (np.zeros((8, 8), np.complex64), "an array of complex64"),
        (np.zeros((8, 8), [("a", "u2")]), "an array of"),
        (np.zeros(64, np.uint8), "an array of 64"),
        (np.zeros((2, 2, 8, 8), np.uint8), "2 x 2 x 8 x 8"),
        (np.zeros((64, 48, 3), np.uint8), r"64 x 48 x 3, so its last axis holds colours .* array\[:, :, 0\]"),
        (np.zeros((64, 48, 1), np.uint8), "save one of them as h x w"),
        (np.zeros((4, 4), np.uint8), "too few"),
        (np.full((8, 8), -1), "beyond 16 bits"),
    ],
)
def test_what_is_no_frame_is_refused(array: np.ndarray, message: str) -> None:
    with pytest.raises(DataError, match=message):
        Npy().read(saved(array), "x")


def test_a_head_that_lies_about_the_size_is_found_out() -> None:
    data = saved(np.zeros((16, 16), np.uint16))
    for lie in (data[:-1], data + b"\0", data.replace(b"(16, 16)", b"(99, 99)")):
        with pytest.raises(DataError, match="are not its size"):
            Npy().read(lie, "x")
    for head in (b"__imp__ ", b"(16,    ", b"(16\n16) ", b"\0" * 8):
        with pytest.raises(DataError, match="broken in its head"):
            Npy().read(data.replace(b"(16, 16)", head), "x")
