"""What plan_aware is made of: the covariance is learnt and inverted, answers are z, amplitudes are right."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from layerwatch.detectors.signals import textures as textures_module
from layerwatch.detectors.signals.filters import blurred, gaussian
from layerwatch.detectors.signals.gain import Gain
from layerwatch.detectors.signals.own import Own
from layerwatch.detectors.signals.plan_terms import Heat
from layerwatch.detectors.signals.planes import Image, Spectrum, back, forward, smooth_spectrum, weights, whole_plane
from layerwatch.detectors.signals.since_start import FIRST_LAYERS, SinceStart, Weighed
from layerwatch.detectors.signals.templates import compact, profiles, stripes
from layerwatch.detectors.signals.textures import Covariance, Textures

SHAPE = (48, 60)
NOISE = 0.05
SHARE = np.zeros(SHAPE, np.float32)
SHARE[14:36, 16:44] = 1
SHARE = blurred(SHARE, 0.8).clip(0, 1)
EDGES = np.zeros((3, *SHAPE), np.float32)


def spectrum(px: float, variance: float) -> Spectrum:
    """Of a smooth texture."""
    power = gaussian(SHAPE, px, px) ** 2
    return np.asarray(variance * power / (power * weights(SHAPE)).sum() * SHAPE[0] * SHAPE[1], np.float32)


def truth() -> Covariance:
    return Covariance(SHARE, spectrum(2.5, 0.04), spectrum(2.0, 0.09), np.full(SHAPE, NOISE**2, np.float32))


def times(covariance: Covariance, image: Image) -> Image:
    """C v, as the covariance is defined."""
    m = covariance.share
    spectra = np.stack([covariance.part, covariance.bed])
    part, bed = back(forward(np.stack([m * image, (1 - m) * image])) * spectra, SHAPE[1])
    return np.asarray(m * part + (1 - m) * bed + covariance.noise * image, np.float32)


def drawn(count: int, seed: int = 0) -> list[Image]:
    rng, covariance = np.random.default_rng(seed), truth()
    return [covariance.draw(rng) for _ in range(count)]


def test_solving_is_the_inverse_of_multiplying(monkeypatch: pytest.MonkeyPatch) -> None:
    covariance, residual = truth(), drawn(1, 1)[0]
    soon = covariance.solve(residual)
    monkeypatch.setattr(textures_module, "_ROUNDS", 80)
    solved = covariance.solve(residual)
    np.testing.assert_allclose(times(covariance, solved), residual, atol=0.02 * float(residual.std()))
    assert float(np.vdot(residual, soon)) == pytest.approx(float(np.vdot(residual, solved)), rel=0.1)
    assert float(np.vdot(residual, solved)) == pytest.approx(residual.size, rel=0.1), "chi square of its own draw"


def test_the_covariance_is_learnt_from_residuals() -> None:
    textures, residuals = Textures(np.random.default_rng(2)), drawn(30)
    textures.begin(residuals[0], SHARE)
    for residual in residuals:
        textures.hear(residual)
        covariance = textures.covariance(SHARE, EDGES)
        textures.learn(covariance.solve(residual), covariance, EDGES)
        if textures.frames == 5:
            textures.update(SHARE)
    learnt, true = textures.covariance(SHARE, EDGES), truth()
    assert float(learnt.noise.mean()) == pytest.approx(NOISE**2, rel=0.1)
    for found, wanted, slack in ((learnt.bed, true.bed, 0.35), (learnt.part, true.part, 0.5)):
        share = float((found * weights(SHAPE)).sum() / (wanted * weights(SHAPE)).sum())
        assert abs(np.log(share)) < slack, "the textures' variances"


def test_answers_are_z_of_healthy_residuals() -> None:
    covariance = truth()
    told = np.array(
        [
            [
                a.z
                for a in (*compact(y, covariance)[0], *stripes(y, covariance), *profiles(y, covariance, (Own(), Own())))
            ]
            for y in map(covariance.solve, drawn(60, 3))
        ]
    )
    places = SHAPE[0] * SHAPE[1]
    assert np.median(told[:, 0]) == pytest.approx(stats.norm.isf(0.35 / places), abs=0.8), "blobs: of all places"
    assert np.median(told[:, 2:4]) == pytest.approx(2.3, abs=0.8), "stripes: of some fifty"
    assert np.median(told[:, 4:]) == pytest.approx(1.5, abs=0.8), "steps: of few that differ"


@pytest.mark.parametrize("height", [0.6, -0.6])
def test_a_blobs_place_and_amplitude(height: float) -> None:
    v, u = np.indices(SHAPE)
    blob = height * np.clip(2.2 - np.hypot(v - 10, u - 50) + 0.5, 0, 1)
    covariance = truth()
    answers, heat = compact(covariance.solve((drawn(1, 4)[0] + blob).astype(np.float32)), covariance)
    found = answers[0]
    assert (found.row, found.column) == pytest.approx((10, 50), abs=1.5)
    assert np.sign(found.amplitude) == np.sign(height)
    assert np.sign(heat[10, 50]) == np.sign(height)
    assert abs(found.amplitude) == pytest.approx(0.6, rel=0.6)


def test_a_step_of_the_parts_level_is_found_across_its_axis() -> None:
    step = 0.5 * SHARE * (np.arange(SHAPE[0])[:, None] > 24)
    covariance = truth()
    rows, columns = profiles(covariance.solve((drawn(1, 5)[0] + step).astype(np.float32)), covariance, (Own(), Own()))
    assert rows.z > columns.z + 2
    assert rows.row == pytest.approx(24.5, abs=4)
    assert rows.amplitude > 0


def test_the_half_plane_holds_the_whole() -> None:
    for width in (7, 8):
        image = np.random.default_rng(6).standard_normal((6, width)).astype(np.float32)
        power = np.abs(forward(image)) ** 2
        np.testing.assert_allclose(whole_plane(power, width), np.abs(np.fft.fft2(image)) ** 2, rtol=1e-3, atol=1e-3)
        assert float((power * weights((6, width))).sum()) == pytest.approx(
            float((image**2).sum()) * image.size, rel=1e-4
        )


def test_smoothing_keeps_the_level_of_white_noise() -> None:
    white = np.random.default_rng(7).standard_normal((64, 64)).astype(np.float32)
    level = smooth_spectrum(np.abs(forward(white)) ** 2 / white.size, 1.0, 64, 2.0)
    assert float(np.exp(np.log(level).mean())) == pytest.approx(1.0, rel=0.05)


def test_heat_fades_and_a_first_layer_has_none_below() -> None:
    heat = Heat()
    first = heat.lay(SHARE, 0)
    assert float(np.abs(first.terms[9:]).max()) < 1e-6, "nothing lies below layer 0"
    nothing = np.zeros_like(SHARE)
    left = [float(heat.lay(nothing, layer).terms[9:12].sum()) for layer in (1, 2, 3)]
    assert left[0] > left[1] > left[2] > 0
    assert Heat().lay(SHARE, 50).terms[11].max() > 5, "far up, many layers lie below"


def test_gain_learns_a_contrast_that_differs_from_place_to_place() -> None:
    rng, covariance, gain = np.random.default_rng(8), truth(), Gain()
    true = np.where(np.arange(SHAPE[1]) < 30, 0.1, -0.1).astype(np.float32)
    fresh = 2 * SHARE * (np.arange(SHAPE[1]) % 6 < 3)
    assert not gain.of(fresh).any()
    for _ in range(20):
        residual = covariance.draw(rng) + true * fresh - gain.of(fresh)
        gain.learn(fresh, covariance.solve(np.asarray(residual, np.float32)), covariance.mixed)
    learnt = gain.of(np.ones_like(fresh))[25]
    assert 0.05 < learnt[20:25].mean() < 0.15
    assert -0.15 < learnt[35:40].mean() < -0.05


def test_answers_of_a_job_are_measured_by_its_own() -> None:
    rng, wide, own = np.random.default_rng(5), np.r_[np.full(20, 3.0), np.full(20, 1.0)], Own()
    told = np.array([own.standard(wide * rng.normal(size=40)) for _ in range(40)])
    assert told[20:, :20].std() < 1.6, "filters that always answer loudly are turned down"
    assert told[20:, 20:].std() > 0.6, "others much less"
    odd = Own()
    for layer in range(20):
        odd.standard(np.where(np.arange(40) == 7, 50.0 * (layer > 8), rng.normal(size=40)))
    assert odd.standard(np.full(40, 5.0))[7] > 1.5, "a loud defect of some layers ago does not silence its own filter"


def test_what_is_there_since_the_start_gets_louder_with_each_look() -> None:
    start, line = SinceStart(), np.zeros(SHAPE, np.float32)
    line[8, 6:54] = 0.05
    looks = [start.take(residual + line, SHARE, EDGES) for residual in drawn(FIRST_LAYERS + 6, seed=5)]
    assert [number for number, look in enumerate(looks, 1) if look is not None] == [3, 6, 12, 24]
    loud = [max(a.z for a in compact(w.solved, w.covariance)[0] if a.kind == "line") for w in looks if w is not None]
    assert loud[-1] > loud[0] + 3, loud
    last = [look for look in looks if look is not None][-1]
    found = max((a for a in compact(last.solved, last.covariance)[0] if a.kind == "line"), key=lambda a: a.z)
    assert (abs(found.row - 8) <= 1, found.angle) == (True, 0.0)


def test_healthy_residuals_leave_nothing_since_the_start() -> None:
    start = SinceStart()
    looks = [start.take(residual, SHARE, EDGES) for residual in drawn(FIRST_LAYERS, seed=6)]
    last: Weighed | None = looks[-1]
    assert last is not None
    assert max(a.z for a in compact(last.solved, last.covariance)[0]) < 7
