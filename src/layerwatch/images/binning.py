"""A layer image -> the same of fewer, larger pixels, each the mean of a square of the camera's."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from jaxtyping import Float32, Shaped

from layerwatch.records import DataError, LayerImage


def binned(image: LayerImage, by: int) -> LayerImage:
    """Means over squares of ``by`` x ``by`` pixels; rows and columns that fill no square are left away.

    Noise falls by ``by``, and so does what is smaller than a new pixel. The plan takes the instance in the middle of
    each square, the coverage its mean.

    Raises:
        DataError: the image is smaller than 8 new pixels.
    """
    if by == 1:
        return image
    if min(image.pixels.shape) < 8 * by:
        w, h = image.pixels.shape[::-1]
        raise DataError(f"{image.name} is {w} x {h} pixels, too small for a binning of {by}; give a smaller one")
    cover = None if image.coverage is None else np.rint(_means(image.coverage, by)).astype(np.uint8)
    plan = None if image.plan is None else np.ascontiguousarray(_squares(image.plan, by)[:, by // 2, :, by // 2])
    pixels = _means(image.pixels, by)
    return replace(image, pixels=pixels, plan=plan, coverage=cover, mm_per_px=by * image.mm_per_px)


def _squares(values: Shaped[np.ndarray, "h w"], by: int) -> Shaped[np.ndarray, "r a c b"]:
    rows, columns = (size // by for size in values.shape)
    return values[: rows * by, : columns * by].reshape(rows, by, columns, by)


def _means(values: Shaped[np.ndarray, "h w"], by: int) -> Float32[np.ndarray, "r c"]:
    return np.asarray(_squares(values, by).mean((1, 3), dtype=np.float32), np.float32)
