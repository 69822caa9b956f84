"""Plans of a running job are laid where its prints are, from the first layer on, or it is said that they cannot be."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from layerwatch.images.job_place import LOOKED_AT, RunningPlace, place_of_job
from layerwatch.records import LayerImage

SIZE = 96


def layer(number: int, shift: tuple[float, float] = (0.0, 0.0)) -> LayerImage:
    """A part of two limbs, drawn beside its plan by ``shift``, rows and columns in px."""
    rng = np.random.default_rng(number)
    part = np.zeros((SIZE, SIZE), np.float32)
    part[20:70, 24:40], part[55:70, 24:76] = 1, 1
    printed = ndimage.shift(part, shift, order=1, mode="nearest")
    noise = ndimage.gaussian_filter(rng.normal(0, 0.05, part.shape), 2) + rng.normal(0, 0.01, part.shape)
    grey = 0.6 - 0.2 * ndimage.gaussian_filter(printed, 0.7) + noise
    coverage = np.rint(255 * part).astype(np.uint8)
    return LayerImage("job", number, grey.astype(np.float32), 1.0, (part > 0.5).astype(np.uint8), coverage=coverage)


def off(laid: LayerImage, shift: tuple[float, float]) -> float:
    """Part of the coverage that does not lie where the print does."""
    true = ndimage.shift(np.asarray(layer(0).coverage, np.float32), shift, order=1, mode="nearest")
    return float(np.abs(np.asarray(laid.coverage, np.float32) - true).sum() / true.sum())


@pytest.mark.parametrize("shift", [(1.0, 0.0), (-0.4, 0.7), (2.3, -1.6)])
def test_each_layer_is_laid_on_its_print(shift: tuple[float, float]) -> None:
    running = RunningPlace()
    for number in range(LOOKED_AT + 2):
        image = layer(number, shift)
        assert off(running.take(image), shift) < 0.5 * off(image, shift)
    assert "were laid onto them" in running.place.note


def test_a_plan_in_its_place_is_left_as_it_is() -> None:
    running, image = RunningPlace(), layer(0)
    assert running.take(image) is image
    assert not running.place.reason


def test_the_place_is_settled_after_a_few_layers() -> None:
    running = RunningPlace()
    for number in range(LOOKED_AT):
        running.take(layer(number, (1.0, 0.0)))
    settled = running.place
    running.take(layer(9, (4.0, 0.0)))
    assert running.place is settled
    whole = place_of_job([layer(number, (1.0, 0.0)) for number in range(LOOKED_AT)], is_scaled=True)
    assert (settled.note, settled.reason) == (whole.note, whole.reason)


def test_the_plan_of_another_part_is_refused() -> None:
    other = np.zeros((SIZE, SIZE), np.uint8)
    other[60:90, 60:70], other[5:10, 5:90] = 1, 1
    running = RunningPlace()
    running.take(replace(layer(0), plan=other, coverage=None))
    assert running.place.reason


def test_layers_without_an_outline_tell_nothing() -> None:
    running, empty = RunningPlace(), np.zeros((SIZE, SIZE), np.uint8)
    for number in range(3):
        blank = replace(layer(number), plan=empty, coverage=empty)
        assert running.take(blank) is blank
    assert not running.place.note
    assert off(running.take(layer(3, (2.0, 0.0))), (2.0, 0.0)) < 0.1
