"""What a browser is shown of a frame: its size as it is, its few levels as black to white."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from layerwatch.images.preview import preview
from layerwatch.records import DataError, Picture


def shown(pixels: np.ndarray) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(preview(Picture(pixels, "counts", name="x")))))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_few_levels_become_black_to_white(dtype: type) -> None:
    pixels: np.ndarray = np.repeat(np.arange(100, 110, dtype=dtype), 40).reshape(10, 40)
    np.testing.assert_allclose(shown(pixels)[:, 0], np.linspace(0, 255, 10), atol=1)


def test_pixels_without_a_value_are_black_and_one_level_is_no_fault() -> None:
    pixels = np.full((12, 20), 31.5, np.float32)
    pixels[4:, :] = 40
    pixels[0, 3] = np.nan
    assert shown(pixels)[0, 3] == 0
    assert shown(pixels)[8, 3] == 255
    assert not shown(np.full((12, 20), 7, np.uint16)).any()
    with pytest.raises(DataError, match="every pixel is NaN"):
        preview(Picture(np.full((12, 20), np.nan, np.float32), "degC", name="x"))
