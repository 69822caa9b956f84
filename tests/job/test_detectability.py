from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from layerwatch.job.detectability import HealthyCovariance, amount_for
from layerwatch.job.layout import fill_bed
from layerwatch.job.printing import DefectOrder, JobSettings, healthy_covariance, print_job
from layerwatch.job.ranges import PRESETS, Interval, Ranges
from layerwatch.job.textures import Texture
from tests.job.conftest import machine_of, ring_layers

SIZE = 16


def covariance() -> HealthyCovariance:
    m = np.zeros((SIZE, SIZE), np.float32)
    m[4:12, 3:13] = 1
    texture = Texture.of(SIZE, SIZE, (3.0, 4.0)).spectrum()
    flat = np.ones((SIZE, SIZE))
    return HealthyCovariance(m, 0.09 * texture, 0.04 * texture, 0.05, np.stack([flat, m]), np.array([0.2, 0.1]))


def dense(c: HealthyCovariance) -> np.ndarray:
    columns = [c.times(row.reshape(SIZE, SIZE)).ravel() for row in np.eye(SIZE**2, dtype=np.float32)]
    return np.asarray(columns).reshape(SIZE**2, SIZE**2)


def test_conjugate_gradients_agree_with_the_matrix_itself() -> None:
    c, rng = covariance(), np.random.default_rng(0)
    C = dense(c)
    np.testing.assert_allclose(C, C.T, atol=1e-6)
    for _ in range(3):
        S = rng.normal(size=(SIZE, SIZE)).astype(np.float32)
        exact = float(np.sqrt(S.ravel() @ np.linalg.solve(C, S.ravel())))
        assert c.detectability(S) == pytest.approx(exact, rel=6e-3)
        assert np.sqrt((S * c.matched_filter(S)).sum()) == pytest.approx(exact, rel=1e-3)


def test_a_signal_along_what_healthy_layers_do_anyway_is_hardly_seen() -> None:
    c = covariance()
    level = c.coverage
    shape = np.random.default_rng(1).normal(size=level.shape).astype(np.float32)
    shape *= np.linalg.norm(level) / np.linalg.norm(shape)
    assert c.detectability(level) < 0.1 * c.detectability(shape)
    assert c.detectability(np.zeros_like(level)) == 0


def one_job(preset: str) -> Ranges:
    """The preset with all that belongs to a job held, and no camera errors that last over a job."""
    ranges = PRESETS[preset]()
    middle = {
        name: Interval(*[(value.low + value.high) / 2] * 2)
        for name, value in vars(ranges).items()
        if isinstance(value, Interval) and name not in {"lamp", "sand", "binder", "chamber", "place"}
    }
    held = {
        name: Interval(m - getattr(ranges, name).reach, m + getattr(ranges, name).reach, 1.0)
        for name in ("lamp", "sand", "binder", "chamber", "place")
        for m in [(getattr(ranges, name).low + getattr(ranges, name).high) / 2]
    }
    nothing = dict.fromkeys(("uneven", "swaths", "fixed_pattern", "drift", "emissivity_step"), Interval(0.0, 0.0))
    return replace(ranges, pauses=0.0, hot_part=0.0, **{**middle, **held, **nothing})  # type: ignore[arg-type] # by name


@pytest.mark.parametrize(("preset", "burn_in"), [("paper", 4), ("physical", 12)])
def test_severity_is_what_a_matched_filter_measures_on_many_printed_jobs(preset: str, burn_in: int) -> None:
    """Mean shift over spread of the filter's answers on frames of other jobs under the same conditions."""
    machine = machine_of(48)
    parts = fill_bed(ring_layers(), machine)
    job = JobSettings("job", (0,), machine, parts, 20, 1, one_job(preset), burn_in=burn_in)
    sick = replace(job, orders=(DefectOrder("striation", 4.0, 20, 1),))
    low, high = machine.span
    degC = (high - low) / 65535

    healthy, spoiled = (next(iter(print_job(s))) for s in (job, sick))
    signal = ((spoiled.frame.astype(float) - healthy.frame) * degC).astype(np.float32)
    w = healthy_covariance(job, 20).matched_filter(signal)
    others = [next(iter(print_job(replace(job, seed=(number,))))).frame * degC for number in range(1, 161)]
    measured = float((w * signal).sum()) / float(np.std([(w * frame).sum() for frame in others]))
    assert spoiled.truth.defects[0].severity == pytest.approx(4.0, rel=0.02)
    assert measured == pytest.approx(40, rel=0.15)


def test_the_amount_is_found_or_cut() -> None:
    assert amount_for(lambda a: 5 * a, 40, linear=True, most=12) == 8
    assert amount_for(lambda a: 5 * a, 400, linear=True, most=12) == 12
    assert amount_for(lambda a: a**2, 9, linear=False, most=12) == pytest.approx(3, rel=0.01)
    assert amount_for(lambda a: a, 40, linear=False, most=12) == 12
