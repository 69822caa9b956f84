"""Layer images -> batches in one range, and back; and which images are only looked at."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from layerwatch.detectors.networks.inputs import Window, hold_out, to_heat, to_tensor
from layerwatch.testing.images import healthy_images


def test_images_of_any_size_come_in_one_range_and_heat_goes_back_to_their_size() -> None:
    images = healthy_images(8, 48)
    window = Window.of(images)
    X = to_tensor(images, 32, window)
    assert X.shape == (8, 1, 32, 32)
    assert 0 <= float(X.min()) < float(X.max()) <= 1
    heat = to_heat(torch.ones(8, 1, 32, 32), (48, 48), window)
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
