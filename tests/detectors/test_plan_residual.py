"""What makes it that detector: it looks past what the plan explains, and hears each kind of defect."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from layerwatch.detectors.plan_residual import PlanResidual
from layerwatch.detectors.signals.outline import explain
from layerwatch.records import LayerImage
from layerwatch.testing.images import healthy_images

TRAIN, FRESH = healthy_images(60, 64), healthy_images(10, 64, first=60)
FITTED = PlanResidual().fit(TRAIN)


def scores(images: tuple[LayerImage, ...]) -> np.ndarray:
    return np.array([reading.score for reading in FITTED.read(images)])


def changed(image: LayerImage, change: np.ndarray) -> LayerImage:
    return replace(image, pixels=np.clip(image.pixels + change, 0, 1).astype(np.float32))


def test_another_level_of_the_part_or_of_everything_is_no_defect() -> None:
    part = [changed(i, 0.04 * (np.asarray(i.plan) > 0)) for i in FRESH]
    everything = [changed(i, np.full(i.pixels.shape, 0.1)) for i in FRESH]
    base = scores(FRESH)
    assert np.abs(scores(tuple(everything)) - base).max() < 0.05
    assert np.median(scores(tuple(part)) - base) < 0.5


@pytest.mark.parametrize("kind", ["blob", "line", "step", "shift"])
def test_each_question_is_heard(kind: str) -> None:
    spoiled = []
    for image in FRESH:
        size = image.pixels.shape[0]
        y, x = np.indices(image.pixels.shape)
        plan = np.asarray(image.plan) > 0
        if kind == "shift":
            moved = ndimage.shift(image.pixels, (1.5, 0), order=3, mode="nearest").astype(np.float32)
            spoiled.append(replace(image, pixels=np.clip(moved, 0, 1)))
            continue
        change = {
            "blob": 0.05 * np.exp(-((x - 20) ** 2 + (y - 20) ** 2) / 4),
            "line": 0.02 * (np.abs(x - size // 2) < 1),
            "step": 0.06 * (y > size // 2) * plan,
        }[kind]
        spoiled.append(changed(image, change))
    assert np.mean(scores(tuple(spoiled)) > scores(FRESH)) >= 0.9


def test_the_outline_is_found_where_it_is_printed() -> None:
    found = [
        explain(replace(i, pixels=ndimage.shift(i.pixels, (0.0, 1.0), order=3, mode="nearest"))).shift for i in FRESH
    ]
    healthy = [explain(i).shift for i in FRESH]
    assert np.median(found) == pytest.approx(1.0, abs=0.4)
    assert np.median(healthy) < 0.15


def test_the_heat_map_is_brightest_where_the_defect_is() -> None:
    image = FRESH[0]
    y, x = np.indices(image.pixels.shape)
    (reading,) = FITTED.read([changed(image, 0.08 * np.exp(-((x - 40) ** 2 + (y - 30) ** 2) / 6))])
    assert reading.heat is not None
    row, column = np.unravel_index(int(np.argmax(np.abs(reading.heat))), reading.heat.shape)
    assert np.hypot(row - 30, column - 40) < 3


def test_a_layer_without_a_part_is_read_too() -> None:
    empty = replace(FRESH[0], plan=np.zeros((64, 64), np.uint8), pixels=np.full((64, 64), 0.5, np.float32))
    assert np.isfinite(scores((empty,))).all()
