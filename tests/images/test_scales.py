from __future__ import annotations

import numpy as np
import pytest

from layerwatch.images.scales import SCALES, scale_named, scaled
from layerwatch.records import DataError, Picture, UsageError

COUNTS = np.arange(65536, dtype=np.uint16).reshape(256, 256)


@pytest.mark.parametrize(
    ("name", "step", "mask"),
    [
        ("mono16-10mK", 0.01, 0xFFFF),
        ("mono16-100mK", 0.1, 0xFFFF),
        ("mono14-40mK", 0.04, 0x3FFF),
        ("mono14-400mK", 0.4, 0x3FFF),
    ],
)
def test_counts_are_kelvin_in_steps_without_their_flags(name: str, step: float, mask: int) -> None:
    found = scale_named(name).celsius(Picture(COUNTS, "counts"))
    assert (found.unit, found.pixels.dtype.name) == ("degC", "float32")
    np.testing.assert_allclose(found.pixels, (COUNTS & mask) * step - 273.15, rtol=1e-6, atol=1e-4)


def test_a_room_is_a_room_on_every_scale() -> None:
    for name, count in (("mono16-10mK", 29315), ("mono16-100mK", 2932), ("mono14-40mK", 7329 | 0xC000)):
        pixels = np.full((8, 8), count, np.uint16)
        assert scale_named(name).celsius(Picture(pixels, "counts")).pixels[0, 0] == pytest.approx(20.0, abs=0.06)


def test_floats_are_what_the_caller_says() -> None:
    pixels = np.full((8, 8), 300.0, np.float32)
    assert SCALES["float-K"].celsius(Picture(pixels, "counts")).pixels[0, 0] == pytest.approx(26.85, abs=1e-4)
    assert SCALES["float-degC"].celsius(Picture(pixels, "counts")).pixels[0, 0] == 300


def test_a_scale_that_does_not_fit_is_refused() -> None:
    with pytest.raises(UsageError, match="no scale '10mK'; there are: mono16-10mK"):
        scale_named("10mK")
    with pytest.raises(DataError, match="pixels of uint8, but the scale mono16-10mK is for uint16"):
        scale_named("mono16-10mK").celsius(Picture(COUNTS.astype(np.uint8), "grey", name="x"))
    with pytest.raises(DataError, match="in degC by the file itself"):
        scale_named("float-K").celsius(Picture(np.zeros((8, 8), np.float32), "degC", name="x"))


def test_a_reader_of_counts_becomes_one_of_temperatures() -> None:
    def read(name: str) -> tuple[Picture, ...]:
        return (Picture(np.full((2, 2), 29315, np.uint16), "counts", name=name),)

    assert scaled(read, None) is read
    (told,) = scaled(read, "mono16-10mK")("x")
    assert (told.unit, told.name) == ("degC", "x")
    assert told.pixels[0, 0] == pytest.approx(20.0, abs=1e-3)
    with pytest.raises(UsageError, match="no scale"):
        scaled(read, "none")
