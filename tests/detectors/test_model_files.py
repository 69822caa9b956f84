from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layerwatch.detectors.pca import Pca
from layerwatch.detectors.storage.model_files import DESCRIPTION, WEIGHTS, pack, unpack
from layerwatch.records import DataError
from layerwatch.testing.images import healthy_images

IMAGES = healthy_images(24)
FILES = pack(Pca(size=16, components=4).fit(IMAGES), "pca", {"scores": np.arange(5.0)}, {"seed": 3})


def test_what_is_packed_comes_back() -> None:
    stored = unpack(FILES, "model")
    assert stored.name == "pca"
    assert stored.provenance == {"seed": 3}
    np.testing.assert_array_equal(stored.calibration["scores"], np.arange(5.0))
    original = Pca(size=16, components=4).fit(IMAGES)
    assert [r.score for r in stored.detector.read(IMAGES)] == [r.score for r in original.read(IMAGES)]


@given(st.sampled_from([WEIGHTS, DESCRIPTION]), st.floats(0, 0.999), st.integers(1, 255))
@settings(max_examples=60, deadline=None)
def test_one_flipped_byte_anywhere_is_noticed(file: str, place: float, flip: int) -> None:
    data = bytearray(FILES[file])
    index = int(place * len(data))
    data[index] ^= flip
    try:
        same = json.loads(bytes(data)) == json.loads(FILES[file]) if file == DESCRIPTION else False
    except ValueError:
        same = False
    if same:  # white space in the description carries nothing
        return
    with pytest.raises(DataError, match="model"):
        unpack({**FILES, file: bytes(data)}, "model")


def test_a_missing_file_is_named() -> None:
    with pytest.raises(DataError, match=r"weights\.safetensors is missing"):
        unpack({DESCRIPTION: FILES[DESCRIPTION]}, "model")


def test_weights_of_another_model_are_refused() -> None:
    other = pack(Pca(size=16, components=4).fit(healthy_images(24, first=50)), "pca", {}, {})
    with pytest.raises(DataError, match="was changed"):
        unpack({**FILES, WEIGHTS: other[WEIGHTS]}, "model")


def test_no_file_of_a_model_is_a_pickle() -> None:
    assert set(FILES) == {WEIGHTS, DESCRIPTION}
    header = int.from_bytes(FILES[WEIGHTS][:8], "little")
    assert json.loads(FILES[WEIGHTS][8 : 8 + header])
