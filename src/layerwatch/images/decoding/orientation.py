"""Pixels as a file stores them, and its orientation tag -> the picture upright, as a viewer shows it."""

from __future__ import annotations

import numpy as np
from jaxtyping import Shaped
from PIL import ExifTags, Image

_TURNED = {2: (0, True), 3: (2, False), 4: (2, True), 5: (3, True), 6: (3, False), 7: (1, True), 8: (1, False)}
AS_STORED = 1


def upright(pixels: Shaped[np.ndarray, "a b"], orientation: int) -> Shaped[np.ndarray, "h w"]:
    """Turn and mirror as the tag says; values that TIFF 6.0 and EXIF 2.3 do not have change nothing.

    Args:
        pixels: rows and columns in the order of the file.
        orientation: 1 to 8.
    """
    quarters, mirrored = _TURNED.get(orientation, (0, False))
    turned = np.rot90(pixels, quarters)
    return np.ascontiguousarray(turned[:, ::-1] if mirrored else turned)


def orientation_of(image: Image.Image) -> int:
    """What an opened JPEG or PNG says in its block of EXIF; a broken or missing block says nothing."""
    try:
        exif = Image.Exif()  # not image.getexif(), which also believes XMP, and no browser does
        exif.load(image.info.get("exif", b""))
        return int(exif.get(ExifTags.Base.Orientation, AS_STORED))
    except Exception:  # whatever a broken block makes of the parser
        return AS_STORED
