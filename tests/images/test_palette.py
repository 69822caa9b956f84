from __future__ import annotations

import io

import numpy as np
from PIL import Image

from layerwatch.images.archive import encode_png
from layerwatch.images.palette import with_palette


def test_greys_stay_grey_beside_rare_colours() -> None:
    pixels = np.repeat(np.linspace(0, 255, 25).astype(np.uint8), 400).reshape(100, 100, 1).repeat(3, 2)
    pixels[0, :90] = np.random.default_rng(0).integers(0, 256, (90, 3))  # more colours than the palette holds
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    with Image.open(io.BytesIO(with_palette(file.getvalue()))) as back:
        np.testing.assert_array_equal(np.asarray(back.convert("RGB"))[1:], pixels[1:])


def test_a_flat_picture_stays_as_it_is_and_a_noisy_one_grows_small() -> None:
    rng = np.random.default_rng(0)
    flat = np.repeat(np.arange(30, dtype=np.uint8) * 8, 40).reshape(30, 40)
    with Image.open(io.BytesIO(with_palette(encode_png(flat)))) as back:
        np.testing.assert_array_equal(np.asarray(back.convert("L")), flat)
    file = io.BytesIO()
    Image.fromarray(rng.integers(0, 256, (100, 100, 3), dtype=np.uint8)).save(file, "PNG")
    few = with_palette(file.getvalue())
    assert len(few) < 0.4 * len(file.getvalue())
    assert few == with_palette(file.getvalue())
    with Image.open(io.BytesIO(few)) as back:
        assert back.size == (100, 100)
        assert len(back.getcolors() or ()) <= 64


def test_a_thin_line_among_many_greys_keeps_its_colour() -> None:
    greys = np.random.default_rng(0).integers(0, 256, (120, 120, 1), dtype=np.uint8).repeat(3, 2)
    greys[7, :60] = (230, 159, 0)
    file = io.BytesIO()
    Image.fromarray(greys).save(file, "PNG")
    with Image.open(io.BytesIO(with_palette(file.getvalue()))) as back:
        assert (np.asarray(back.convert("RGB"))[7, :60] == (230, 159, 0)).all()
