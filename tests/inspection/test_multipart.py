"""The parts of a stream are the same however its bytes were cut, and what is no such stream is refused."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layerwatch.inspection.multipart import Parts, boundary_of
from layerwatch.records import DataError

DATA = st.lists(st.binary(max_size=300), min_size=1, max_size=6)


def body(parts: list[bytes], mark: bytes, with_length: bool, first: bytes = b"") -> bytes:
    out = first
    for part in parts:
        length = b"Content-length: %d\r\n" % len(part) if with_length else b""
        out += mark + b"\r\nContent-Type: image/jpeg\r\n" + length + b"\r\n" + part + b"\r\n"
    return out + mark + b"--\r\n"


def outcome(data: bytes, cuts: list[int], most: int = 2**20) -> tuple[list[bytes], str]:
    """The parts that came, and what was said."""
    parts, found = Parts("frame", most), list[bytes]()
    places = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    try:
        for begin, end in pairwise(places):
            found += parts.feed(data[begin:end])
    except DataError as error:
        return found, str(error)
    return found, "ended" if parts.ended else ""


@given(DATA, st.lists(st.integers(0, 10**6), max_size=30), st.booleans(), st.sampled_from([b"", b"hello\r\n", b"\r\n"]))
def test_any_cut_gives_the_same_parts(parts: list[bytes], cuts: list[int], with_length: bool, first: bytes) -> None:
    data = body(parts, b"--frame", with_length, first)
    assert outcome(data, cuts) == outcome(data, []) == (parts, "ended")


@given(DATA, st.data(), st.booleans())
def test_any_cut_of_a_broken_stream_says_the_same(parts: list[bytes], told: st.DataObject, with_length: bool) -> None:
    data = bytearray(body(parts, b"--frame", with_length))
    for _ in range(told.draw(st.integers(1, 4))):
        place = told.draw(st.integers(0, len(data) - 1))
        data[place : place + told.draw(st.integers(0, 3))] = told.draw(st.binary(max_size=3))
    cuts = told.draw(st.lists(st.integers(0, 10**6), max_size=30))
    assert outcome(bytes(data), cuts, 200) == outcome(bytes(data), [], 200)
    assert outcome(bytes(data), list(range(len(data))), 200) == outcome(bytes(data), [], 200)


def test_a_boundary_that_already_has_its_dashes_is_found() -> None:
    parts = Parts("--frame")
    assert list(parts.feed(body([b"a", b"b"], b"--frame", False))) == [b"a", b"b"]
    parts = Parts("--frame")
    assert list(parts.feed(body([b"a", b"b"], b"----frame", False))) == [b"a", b"b"]


@pytest.mark.parametrize("with_length", [True, False])
def test_a_part_too_large_is_refused_before_it_is_held(with_length: bool) -> None:
    data, parts = body([b"x" * 5000], b"--frame", with_length), Parts("frame", 1000)
    said, most = "", 0
    for at in range(0, len(data), 10):
        try:
            list(parts.feed(data[at : at + 10]))
        except DataError as error:
            said = str(error)
            break
        most = max(most, len(parts._held))
    assert "1,000" in said
    assert most <= 1100


def test_endless_heads_are_refused() -> None:
    assert "headers" in outcome(b"--frame\r\n" + b"a: b\r\n" * 5000, [])[1]
    assert "no part begins" in outcome(b"hello " * 5000, [])[1]


@pytest.mark.parametrize(
    "told",
    ["multipart/x-mixed-replace;boundary=frame", 'multipart/mixed; boundary="frame"', "Multipart/A;boundary=frame"],
)
def test_the_boundary_is_told_by_the_type(told: str) -> None:
    assert boundary_of(told) == "frame"


@pytest.mark.parametrize("told", ["", "text/html", "multipart/x-mixed-replace", "multipart/a; boundary=", "image/jpeg"])
def test_what_is_no_stream_is_refused(told: str) -> None:
    with pytest.raises(DataError, match="multipart"):
        boundary_of(told)
