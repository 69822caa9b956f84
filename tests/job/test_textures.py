from __future__ import annotations

import numpy as np
import pytest

from layerwatch.job.textures import Texture, blurred, gaussian_transfer


def test_a_texture_has_unit_variance_and_the_spectrum_that_it_promises() -> None:
    texture, rng = Texture.of(64, 96, (4.0, 8.0)), np.random.default_rng(0)
    draws = np.concatenate([texture.pair(rng) for _ in range(150)])
    assert draws.var() == pytest.approx(1, rel=0.05)
    measured = (np.abs(np.fft.rfft2(draws)) ** 2).mean(0) / draws[0].size
    promised = texture.spectrum()
    strong = promised > 0.01 * promised.max()
    assert np.median(measured[strong] / promised[strong]) == pytest.approx(1, rel=0.1)
    along = np.mean(draws[:, :, 1:] * draws[:, :, :-1])
    across = np.mean(draws[:, 1:] * draws[:, :-1])
    assert along > across


def test_the_two_textures_of_a_pair_are_independent() -> None:
    texture, rng = Texture.of(64, 64, (3.0, 3.0)), np.random.default_rng(1)
    pairs = np.stack([texture.pair(rng) for _ in range(100)])
    assert abs(np.mean(pairs[:, 0] * pairs[:, 1])) < 0.01


def test_a_blur_keeps_the_mean_and_spreads_a_point_by_sigma() -> None:
    point = np.zeros((65, 64), np.float32)
    point[32, 32] = 1
    seen = blurred(point, gaussian_transfer(point.shape, 2.0))
    assert seen.sum() == pytest.approx(1, abs=1e-5)
    rows = np.arange(65) - 32
    assert (seen.sum(1) * rows**2).sum() == pytest.approx(4.0, rel=0.01)
