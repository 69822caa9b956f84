"""Layer images -> batches in one range, and back; and which images are only looked at."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

from layerwatch.detectors.networks.framing import Framing
from layerwatch.detectors.networks.inputs import Window, hold_out, resized
from layerwatch.detectors.networks.tensors import to_heat, to_tensor
from layerwatch.testing.images import healthy_images


def test_images_of_any_size_come_in_one_range_and_heat_goes_back_to_their_size() -> None:
    images = healthy_images(8, 48)
    window = Window.of(images)
    X = to_tensor(images, Framing(32), window)
    assert X.shape == (8, 1, 32, 32)
    assert 0 <= float(X.min()) < float(X.max()) <= 1
    heat = to_heat(torch.ones(8, 1, 32, 32), Framing(32), (48, 48), window)
    assert heat.shape == (8, 48, 48)
    np.testing.assert_allclose(heat, window.high - window.low, rtol=1e-5)


def test_whole_jobs_are_held_out() -> None:
    images = [replace(image, job=f"job {n // 10}") for n, image in enumerate(healthy_images(60))]
    fit, held = hold_out(images)
    assert {image.job for image in held} == {"job 5"}
    assert {image.job for image in fit} == {f"job {n}" for n in range(5)}


def test_of_one_job_every_twentieth_image_is_held_out() -> None:
    images = [replace(image, job="one") for image in healthy_images(60)]
    fit, held = hold_out(images)
    assert (len(fit), len(held)) == (57, 3)
    assert not {id(image) for image in fit} & {id(image) for image in held}


@pytest.mark.parametrize(
    ("old", "new"), [((48, 40), (32, 32)), ((32, 32), (48, 50)), ((17, 90), (64, 32)), ((32, 32), (32, 32))]
)
def test_resizing_is_torchs_area_mean_and_bilinear(old: tuple[int, int], new: tuple[int, int]) -> None:
    images = np.random.default_rng(0).random((2, *old)).astype(np.float32)
    given = torch.from_numpy(images)[:, None]
    rows = functional.interpolate(given, (new[0], old[1]), **_mode(old[0], new[0]))
    both = functional.interpolate(rows, new, **_mode(old[1], new[1]))
    np.testing.assert_allclose(resized(images, new), both[:, 0].numpy(), atol=1e-5)


def _mode(old: int, new: int) -> dict[str, Any]:
    return {"mode": "area"} if new <= old else {"mode": "bilinear", "align_corners": False}
