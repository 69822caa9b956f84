"""Two files that guard each other: what comes back, and what a changed bit does."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from layerwatch.records import DataError
from layerwatch.sealed import Form

FORM = Form("layerwatch thing 1", "thing.safetensors", "thing.json", "thing_sha256", "a thing", "make it again")
ARRAYS: dict[str, np.ndarray] = {"a": np.arange(6, dtype=np.float32).reshape(2, 3), "b": np.ones(1, np.int64)}


@given(
    words=st.dictionaries(
        st.text(min_size=1).filter(lambda k: k not in {"format", "sha256", "thing_sha256"}), st.integers()
    )
)
def test_words_and_arrays_come_back_as_they_were(words: dict[str, int]) -> None:
    sealed = FORM.unseal(FORM.seal(words, ARRAYS), "there")
    assert {key: sealed.told[key] for key in words} == words
    assert all(np.array_equal(sealed.arrays[key], value) for key, value in ARRAYS.items())


def test_an_array_in_another_order_comes_back_the_same() -> None:
    turned = {"a": ARRAYS["a"].T}
    assert np.array_equal(FORM.unseal(FORM.seal({}, turned), "there").arrays["a"], turned["a"])


@given(
    place=st.floats(0, 1, exclude_max=True),
    bit=st.integers(0, 7),
    file=st.sampled_from([FORM.arrays, FORM.description]),
)
def test_no_changed_bit_goes_unseen(place: float, bit: int, file: str) -> None:
    files = FORM.seal({"n": 12345}, ARRAYS)
    data = bytearray(files[file])
    data[int(place * len(data))] ^= 1 << bit
    if file == FORM.description and _same(bytes(data), files[file]):
        return  # white space
    with pytest.raises(DataError, match=r"^there.*(changed|broken|of format).*make it again"):
        FORM.unseal({**files, file: bytes(data)}, "there")


@pytest.mark.parametrize("file", [FORM.arrays, FORM.description])
def test_a_missing_file_is_named(file: str) -> None:
    files = {name: data for name, data in FORM.seal({}, ARRAYS).items() if name != file}
    with pytest.raises(DataError, match=f"there: {file} is missing; a thing is a folder with"):
        FORM.unseal(files, "there")


def test_the_files_of_two_things_do_not_go_together() -> None:
    one, other = FORM.seal({}, ARRAYS), FORM.seal({}, {"a": ARRAYS["a"] + 1})
    with pytest.raises(DataError, match=r"thing\.safetensors was changed"):
        FORM.unseal({**one, FORM.arrays: other[FORM.arrays]}, "there")


def _same(data: bytes, other: bytes) -> bool:
    try:
        return bool(json.loads(data) == json.loads(other))
    except ValueError:
        return False
