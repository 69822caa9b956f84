"""How layers fade: the paper's one decay, and conduction into the sand."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from layerwatch.job.textures import imaged, transformed
from layerwatch.job.thermal import HeatMemory, Kernel

FLAT = np.ones((4, 3), np.float32)  # no lateral spread


def series(kernel: Kernel, values: list[float]) -> list[float]:
    memory, seen = HeatMemory(), []
    for value in values:
        spectrum = memory.see(transformed(np.full((4, 4), value, np.float32)), kernel, FLAT)
        seen.append(float(imaged(spectrum, 4)[0, 0]))
    return seen


def test_the_papers_decay_is_a_geometric_series() -> None:
    assert series(Kernel.decay(0.25), [0, 1, 0, 0]) == pytest.approx([0, 0.75, 0.1875, 0.046875])


@pytest.mark.parametrize(("layer_time", "table"), [(20.0, [1, 0.51, 0.35, 0.28, 0.23, 0.19])])
def test_conduction_falls_as_one_over_n_plus_one(layer_time: float, table: list[float]) -> None:
    kernel = Kernel.conduction(layer_time)
    assert [kernel.after(n) for n in range(6)] == pytest.approx(table, abs=0.025)
    assert series(kernel, [1, 0, 0, 0]) == pytest.approx([kernel.after(n) for n in range(4)], rel=1e-4)


def test_the_bed_warms_up_by_half_within_eleven_layers_and_by_nine_tenths_much_later() -> None:
    kernel = Kernel.conduction(20.0)
    rise = np.array(series(kernel, [1.0] * 400))
    share = rise / rise[-1]
    assert 7 <= int(np.argmax(share >= 0.5)) <= 11
    assert 50 <= int(np.argmax(share >= 0.9)) <= 90


@given(st.floats(1, 600))
def test_any_layer_time_gives_a_kernel_that_starts_at_one_and_falls(layer_time: float) -> None:
    kernel = Kernel.conduction(layer_time)
    left = [kernel.after(n) for n in range(50)]
    assert kernel.fresh == pytest.approx(1, abs=1e-9)
    assert all(a > b > 0 for a, b in pairwise(left))


@pytest.mark.parametrize("kernel", [Kernel.decay(0.3), Kernel.conduction(20.0)])
def test_settled_is_what_many_like_layers_end_in(kernel: Kernel) -> None:
    fresh = transformed(np.random.default_rng(0).normal(3, 1, (4, 4)).astype(np.float32))
    spread = np.linspace(1, 0.5, 12, dtype=np.float32).reshape(4, 3)
    slow, quick = HeatMemory(), HeatMemory()
    for _ in range(60):
        slow.see(fresh, kernel, spread)
    quick.settle(fresh, kernel, spread, 60)
    np.testing.assert_allclose(quick.see(fresh, kernel, spread), slow.see(fresh, kernel, spread), rtol=1e-4)


def test_a_pause_is_the_same_as_layers_that_bring_nothing() -> None:
    kernel, fresh = Kernel.conduction(20.0), transformed(np.ones((4, 4), np.float32))
    rested, idle = HeatMemory(), HeatMemory()
    for memory in (rested, idle):
        memory.see(fresh, kernel, FLAT)
    rested.rest(3, kernel, FLAT)
    for _ in range(3):
        idle.fade(kernel, FLAT)
    np.testing.assert_allclose(rested.see(fresh, kernel, FLAT), idle.see(fresh, kernel, FLAT), rtol=1e-5)


@pytest.mark.parametrize(
    ("kernel", "keep"), [(Kernel.decay(0.2), 0.0), (Kernel.decay(0.4), 0.7), (Kernel((0.6, 0.4), (0.3, 0.8)), 0.5)]
)
def test_the_memory_keeps_the_variance_that_the_formula_says(kernel: Kernel, keep: float) -> None:
    rng, memory, seen = np.random.default_rng(0), HeatMemory(), []
    field, flat = np.zeros((64, 64), np.float32), np.ones((64, 33), np.float32)
    for _ in range(500):
        field = (keep * field + np.sqrt(1 - keep**2) * rng.standard_normal((64, 64))).astype(np.float32)
        seen.append(imaged(memory.see(transformed(field), kernel, flat), 64))
    assert np.var(seen[60:]) == pytest.approx(kernel.correlated(keep), rel=0.04)
