from __future__ import annotations

import numpy as np
import pytest

from layerwatch.job.textures import Texture
from layerwatch.job.thermal import HeatMemory, texture_share


def test_a_texture_has_unit_variance_and_the_spectrum_that_it_promises() -> None:
    texture, rng = Texture.of(64, 96, (4.0, 8.0)), np.random.default_rng(0)
    draws = np.stack([texture.field(rng) for _ in range(300)])
    assert draws.var() == pytest.approx(1, rel=0.05)
    measured = (np.abs(np.fft.rfft2(draws)) ** 2).mean(0) / draws[0].size
    promised = texture.spectrum()
    strong = promised > 0.01 * promised.max()
    assert np.median(measured[strong] / promised[strong]) == pytest.approx(1, rel=0.1)
    along = np.mean(draws[:, :, 1:] * draws[:, :, :-1])
    across = np.mean(draws[:, 1:] * draws[:, :-1])
    assert along > across


def test_heat_memory_is_a_geometric_series() -> None:
    memory = HeatMemory(0.25)
    zero, one = np.zeros((2, 2), np.float32), np.ones((2, 2), np.float32)
    seen = [memory.see(x)[0, 0] for x in (zero, one, zero, zero)]
    assert seen == pytest.approx([0, 0.75, 0.1875, 0.046875])


@pytest.mark.parametrize(("decay", "keep"), [(0.2, 0.0), (0.4, 0.7)])
def test_the_memory_keeps_the_share_of_variance_that_the_formula_says(decay: float, keep: float) -> None:
    rng = np.random.default_rng(0)
    memory, field, seen = HeatMemory(decay), np.zeros((64, 64), np.float32), []
    for _ in range(400):
        field = (keep * field + np.sqrt(1 - keep**2) * rng.standard_normal((64, 64))).astype(np.float32)
        seen.append(memory.see(field))
    assert np.var(seen[20:]) == pytest.approx(texture_share(decay, keep), rel=0.03)
