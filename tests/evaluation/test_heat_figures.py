"""The picture of one layer: the same bytes each time, red and blue where the map says so, also without a plan."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from layerwatch.evaluation.heat_figures import heat_figure
from layerwatch.testing.images import healthy_image


def colours(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).astype(int)


def test_red_is_more_and_blue_is_less() -> None:
    image = healthy_image(1, 48)
    heat = np.zeros((48, 48), np.float32)
    heat[10:16, 10:16], heat[30:36, 30:36] = 8, -8
    made = heat_figure(image.pixels, image.plan, heat, "job / 1.png: score 2.00\nspot")
    assert made == heat_figure(image.pixels, image.plan, heat, "job / 1.png: score 2.00\nspot")
    picture = colours(made)[:, 400:700]
    red = (picture[..., 0] - picture[..., 2] > 60).nonzero()
    blue = (picture[..., 2] - picture[..., 0] > 60).nonzero()
    assert len(red[0])
    assert len(blue[0])
    assert red[0].mean() < blue[0].mean()
    assert red[1].mean() < blue[1].mean()


def test_without_a_plan_with_holes_and_without_any_heat() -> None:
    image = healthy_image(2, 40)
    pixels = image.pixels.copy()
    pixels[3:6] = np.nan
    picture = colours(heat_figure(pixels, None, np.zeros((40, 40), np.float32), "nothing"))
    assert picture.shape[1] == 800


def test_the_axes_are_in_the_given_unit() -> None:
    pixels, heat = healthy_image(3, 32).pixels, np.zeros((32, 32), np.float32)
    assert heat_figure(pixels, None, heat, "t", 0.25, "mm") != heat_figure(pixels, None, heat, "t", 0.5, "mm")
