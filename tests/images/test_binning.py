"""Fewer, larger pixels."""

from __future__ import annotations

from dataclasses import replace

import pytest

from layerwatch.images.binning import binned
from layerwatch.records import DataError
from layerwatch.testing.images import healthy_image


def test_means_and_places_stay() -> None:
    image = replace(healthy_image(1, 64), mm_per_px=0.5)
    small = binned(image, 4)
    assert small.pixels.shape == (16, 16)
    assert small.mm_per_px == 2.0
    assert float(small.pixels.mean()) == pytest.approx(float(image.pixels.mean()), abs=1e-6)
    assert small.pixels[3, 5] == pytest.approx(float(image.pixels[12:16, 20:24].mean()), abs=1e-6)
    assert small.plan is not None
    assert image.plan is not None
    assert small.plan[3, 5] == image.plan[14, 22]


def test_one_changes_nothing_and_too_many_are_refused() -> None:
    image = healthy_image(1, 64)
    assert binned(image, 1) is image
    with pytest.raises(DataError, match="binning"):
        binned(image, 10)
