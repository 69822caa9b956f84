from __future__ import annotations

import io

import numpy as np
from PIL import Image

from layerwatch.images.archive import encode_png
from layerwatch.images.palette import with_palette


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
