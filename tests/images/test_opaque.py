from __future__ import annotations

import io

import numpy as np
from PIL import Image

from layerwatch.images.opaque import without_alpha


def test_every_pixel_stays_as_it_is_and_only_alpha_goes() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (60, 80, 4), dtype=np.uint8)
    pixels[..., 3] = 255
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    opaque = without_alpha(file.getvalue())
    assert len(opaque) < len(file.getvalue())
    assert opaque == without_alpha(file.getvalue())
    with Image.open(io.BytesIO(opaque)) as back:
        assert back.mode == "RGB"
        np.testing.assert_array_equal(np.asarray(back), pixels[..., :3])
