"""What is measured is what was drawn: blur, contrast, textures, noise, memory; nothing is found where nothing is."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from layerwatch.images.layer_memory import fit_memory, lag_correlations, moving_outlines, seen_correlation
from layerwatch.images.outlines import fit_outline
from layerwatch.images.properties import look_of, measure_run
from layerwatch.images.regions import regions_of, split_levels
from layerwatch.images.smoothing import seen_through, smoothed
from layerwatch.images.texture_shape import Covariance, autocovariance, detrended, noise_of, texture_shape, texture_std
from layerwatch.job.textures import Texture
from layerwatch.records import DataError, LayerImage

SIZE = 128
EVERYWHERE = np.ones((SIZE, SIZE), bool)


def disc(radius: float, x: float = 64.0, y: float = 64.0) -> np.ndarray:
    """Coverage of a disc, edges between pixels."""
    v, u = np.indices((SIZE, SIZE))
    return np.asarray(np.clip(radius - np.hypot(u - x, v - y) + 0.5, 0, 1), np.float32)


def texture(length: tuple[float, float], seed: int) -> np.ndarray:
    return np.asarray(Texture.of(SIZE, SIZE, length).pair(np.random.default_rng(seed))[0])


@given(st.floats(0.2, 6.0), st.floats(0.2, 6.0))
def test_two_blurs_are_one_and_levels_stay(a: float, b: float) -> None:
    picture = disc(20.0)
    twice = smoothed(smoothed(picture, a), b)
    assert np.abs(twice - smoothed(picture, float(np.hypot(a, b)))).max() < 1e-5
    assert smoothed(picture, a).mean() == pytest.approx(picture.mean(), rel=1e-5)


def test_layers_seen_through_one_another_add_up() -> None:
    old, new = disc(30.0), disc(20.0)
    seen = seen_through([new, old], (0.6, 0.3, 0.1), 2.0)
    expected = 0.6 * new + 0.3 * smoothed(old, 2.0) + 0.1 * smoothed(old, 2.0 * np.sqrt(2))
    assert np.abs(seen - expected).max() < 1e-5
    assert np.abs(seen_through([new], (1.0,), 3.0) - new).max() < 1e-6


@pytest.mark.parametrize("length", [(2.5, 2.5), (4.0, 8.0), (9.0, 5.0)])
def test_a_texture_shows_its_deviation_and_both_lengths(length: tuple[float, float]) -> None:
    rng, scale = np.random.default_rng(1), 10.0
    noisy = [0.3 * texture(length, seed) + 0.05 * rng.standard_normal((SIZE, SIZE)) for seed in range(12)]
    flat = [detrended(picture.astype(np.float32), scale) for picture in noisy]
    found = texture_shape(Covariance.pooled([autocovariance(t, EVERYWHERE) for t in flat]), scale)
    assert found is not None
    assert found.std == pytest.approx(0.3, rel=0.05)
    assert (found.length_y, found.length_x) == pytest.approx(length, rel=0.1)
    small = np.zeros_like(EVERYWHERE)
    small[20:50, 20:50] = True
    own = Covariance.pooled([autocovariance(t, small) for t in flat])
    assert texture_std(own, found, scale) == pytest.approx(0.3, rel=0.12)


def test_noise_has_no_texture_and_its_deviation_is_found() -> None:
    noise = (0.05 * np.random.default_rng(0).standard_normal((SIZE, SIZE))).astype(np.float32)
    assert texture_shape(autocovariance(detrended(noise, 10.0), EVERYWHERE), 10.0) is None
    assert noise_of(noise, EVERYWHERE) == pytest.approx(0.05, rel=0.03)
    smooth = noise + 3 * texture((4.0, 4.0), 0)
    assert noise_of(np.asarray(smooth, np.float32), EVERYWHERE) == pytest.approx(0.05, rel=0.1)
    assert np.isnan(noise_of(noise, ~EVERYWHERE))


@pytest.mark.parametrize(
    ("blur", "contrast", "x", "y"),
    [(0.4, 4.0, 0.0, 0.0), (0.7, -3.0, 0.2, -0.1), (1.2, 4.0, -0.3, 0.3), (3.0, 5.0, 0.1, 0.0)],
)
def test_an_outline_shows_blur_contrast_and_place(blur: float, contrast: float, x: float, y: float) -> None:
    picture = 30 - contrast * smoothed(disc(24.0, 64 + x, 64 + y), blur) + 0.1 * texture((3.0, 3.0), 0)
    found = fit_outline(picture.astype(np.float32), disc(24.0), EVERYWHERE, 10.0)
    assert found is not None
    assert found.blur == pytest.approx(blur, rel=0.05)
    assert found.contrast == pytest.approx(contrast, rel=0.05)
    assert (found.shift_x, found.shift_y) == pytest.approx((x, y), abs=0.08)


def test_a_plan_of_whole_pixels_gives_the_same_blur() -> None:
    coverage = disc(24.3)
    picture = (30 - 4 * smoothed(coverage, 0.8)).astype(np.float32)
    found = fit_outline(picture, (coverage >= 0.5).astype(np.float32), EVERYWHERE, 10.0, whole=True)
    assert found is not None
    assert found.blur == pytest.approx(0.8, rel=0.1)


def test_no_outline_where_the_picture_shows_none() -> None:
    assert fit_outline(texture((4.0, 4.0), 3), disc(24.0), EVERYWHERE, 10.0) is None
    assert fit_outline(disc(24.0), np.zeros((SIZE, SIZE), np.float32), EVERYWHERE, 10.0) is None


@pytest.mark.parametrize("contrast", [-4.0, 4.0])
def test_two_levels_are_told_apart_whichever_is_warmer(contrast: float) -> None:
    coverage = disc(24.0)
    picture = (30 - contrast * smoothed(coverage, 0.7) + 0.2 * texture((4.0, 4.0), 0)).astype(np.float32)
    found = split_levels(picture)
    assert found is not None
    assert np.abs(found - coverage).mean() < 0.005
    regions = regions_of(picture)
    assert regions.source == "split"
    assert not (regions.bed & (coverage > 0)).any()
    assert not (regions.part & (coverage < 1)).any()


@pytest.mark.parametrize(
    "picture", [texture((4.0, 4.0), 0), np.indices((SIZE, SIZE))[0].astype(np.float32)], ids=["texture", "ramp"]
)
def test_one_level_is_not_torn_apart(picture: np.ndarray) -> None:
    assert split_levels(picture) is None
    regions = regions_of(picture)
    assert regions.source == "none"
    assert regions.bed.all()
    assert not regions.has_part


def remembered(memory: float, decay: float, count: int, seed: int) -> list[np.ndarray]:
    """Textures of an autoregressive series, seen through heat of which a share stays."""
    rng, grain = np.random.default_rng(seed), Texture.of(SIZE, SIZE, (3.0, 3.0))
    state = heat = grain.pair(rng)[0]
    seen = []
    for _ in range(count + 8):
        state = memory * state + np.float32(np.sqrt(1 - memory**2)) * grain.pair(rng)[0]
        heat = decay * heat + (1 - decay) * state
        seen.append(heat.astype(np.float32))
    return seen[8:]


@pytest.mark.parametrize(("memory", "decay"), [(0.6, 0.2), (0.4, 0.4), (0.3, 0.0)])
def test_lag_correlations_are_those_of_two_memories(memory: float, decay: float) -> None:
    lags, pairs = lag_correlations(remembered(memory, decay, 24, 0), EVERYWHERE, 8.0, 0.0, 0.0)
    assert lags.tolist() == pytest.approx(seen_correlation(memory, decay).tolist(), abs=0.04)
    assert pairs.tolist() == [23, 22, 21, 20, 19]
    found = fit_memory(lags, np.full(5, 0.01), (decay, 0.02))
    assert found.texture == pytest.approx(memory, abs=0.06)
    assert found.decay == pytest.approx(decay, abs=0.06)


def test_a_moving_outline_shows_decay_and_a_standing_one_does_not() -> None:
    coverages = [disc(16.0 + 0.8 * k) for k in range(8)]
    seen, pictures = coverages[0], []
    for k, coverage in enumerate(coverages):
        seen = np.asarray(0.3 * seen + 0.7 * coverage, np.float32)
        pictures.append((30 - 4 * smoothed(seen, 0.7) + 0.1 * texture((3.0, 3.0), k)).astype(np.float32))
    found = moving_outlines(pictures, coverages, 10.0, 4.0, 0.7, 15.0)
    assert found is not None
    assert found[0] == pytest.approx(0.3, abs=0.05)
    assert moving_outlines(pictures, [coverages[0]] * 8, 10.0, 4.0, 0.7, 15.0) is None


def test_a_run_of_layers_shows_all_at_once_and_a_single_layer_what_it_can() -> None:
    coverage, rng = disc(30.0), np.random.default_rng(0)
    images = []
    for number, grain in enumerate(remembered(0.5, 0.0, 6, 1)):
        heat = 30 + 0.3 * grain - 4 * coverage
        frame = smoothed(heat.astype(np.float32), 0.6) + 0.05 * rng.standard_normal((SIZE, SIZE))
        pixels = ((frame - 20) / 40).astype(np.float32)
        told = np.rint(255 * coverage).astype(np.uint8)
        images.append(LayerImage("job", number, pixels, span=(20.0, 60.0), coverage=told))
    look = look_of(SIZE, SIZE)
    run = measure_run(images, look)
    assert run.together.bed == pytest.approx(30, abs=0.1)
    assert run.together.contrast == pytest.approx(4, rel=0.03)
    assert run.together.blur == pytest.approx(0.6, rel=0.05)
    assert run.noise == pytest.approx(0.05, rel=0.05)
    assert run.fixed_pattern < 0.01
    assert run.lags[0] == pytest.approx(0.5, abs=0.05)
    assert len(run.layers) == len(run.spectra) == 6
    alone = measure_run(images[:1], look)
    assert np.isnan(alone.lags).all()
    assert alone.together.blur == pytest.approx(0.6, rel=0.05)


def test_a_constant_picture_is_refused_by_name() -> None:
    flat = LayerImage("job", 0, np.full((32, 32), 0.5, np.float32), name="flat.png")
    with pytest.raises(DataError, match=r"flat\.png: every pixel is 0\.5"):
        measure_run([flat], look_of(32, 32))
