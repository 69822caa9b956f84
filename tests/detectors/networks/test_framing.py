"""Tiles cover a frame, and maps of tiles have no seams."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layerwatch.detectors.fanogan import Fanogan
from layerwatch.detectors.networks.framing import Framing
from layerwatch.detectors.networks.inputs import Window
from layerwatch.records import LayerImage
from layerwatch.testing.images import healthy_images

WINDOW = Window(0.0, 1.0)


@settings(max_examples=25, deadline=None)
@given(st.integers(32, 150), st.integers(32, 150), st.integers(0, 1000))
def test_cut_then_join_gives_the_frame_back(height: int, width: int, seed: int) -> None:
    frame = np.random.default_rng(seed).random((height, width)).astype(np.float32)
    framing = Framing(32, is_tiled=True)
    tiles = framing.cut([LayerImage("job", 0, frame)] * 2, WINDOW)
    assert len(tiles) == 2 * framing.count(frame.shape)
    if framing.count(frame.shape) > 1:
        joined = framing.join(tiles[:, 0], frame.shape, WINDOW)
        np.testing.assert_allclose(joined, np.stack([frame, frame]), atol=1e-5)


def test_a_map_of_equal_tiles_is_flat() -> None:
    framing = Framing(32, is_tiled=True)
    joined = framing.join(np.ones((framing.count((100, 80)), 32, 32), np.float32), (100, 80), Window(0.0, 0.5))
    np.testing.assert_allclose(joined, 0.5, rtol=1e-5)


def test_not_tiled_a_frame_is_shrunk() -> None:
    assert Framing(32).count((512, 512)) == 1
    assert Framing(32).cut(healthy_images(2, 64), WINDOW).shape == (2, 1, 32, 32)


def test_a_frame_in_tiles_gets_one_reading_of_its_worst_tile() -> None:
    frames = healthy_images(10, 96)
    few = Fanogan(size=32, width=0.125, z_dim=8, batch=8, gan_steps=2, encoder_steps=2, tuning_steps=0, tiles=True)
    readings = few.fit(frames).read(frames[:2])
    assert [r.layer for r in readings] == [i.layer for i in frames[:2]]
    spoiled = frames[0].pixels.copy()
    spoiled[40:56, 40:56] = 5.0
    (bad,) = few.read([LayerImage("job", 0, spoiled)])
    assert bad.heat is not None
    assert bad.heat.shape == (96, 96)
    assert bad.A_R is not None
    assert readings[0].A_R is not None
    assert bad.A_R > readings[0].A_R


def test_training_takes_some_tiles_of_every_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("layerwatch.detectors.networks.framing._MOST", 20)
    chosen = Framing(32, is_tiled=True).some(healthy_images(10, 96), WINDOW, seed=0)
    assert len(chosen) == 20
    again = Framing(32, is_tiled=True).some(healthy_images(10, 96), WINDOW, seed=0)
    np.testing.assert_array_equal(chosen, again)


def test_a_levelled_frame_does_not_tell_how_warm_the_bed_is() -> None:
    frames = healthy_images(4, 48)
    warmer = [replace(frame, pixels=frame.pixels + np.float32(0.2)) for frame in frames]
    levelled, kept = Framing(32, is_levelled=True), Framing(32)
    window, whole = levelled.window(frames), kept.window([*warmer, *frames])
    np.testing.assert_allclose(levelled.cut(warmer, window), levelled.cut(frames, window), atol=1e-5)
    assert (kept.cut(warmer, whole) > kept.cut(frames, whole)).all()
    assert window.high - window.low < whole.high - whole.low


def test_a_levelling_detector_gives_a_warmer_frame_the_same_score() -> None:
    frames = healthy_images(12, 32)
    few = Fanogan(size=32, width=0.125, z_dim=8, batch=8, gan_steps=2, encoder_steps=2, tuning_steps=0, levelled=True)
    few.fit(frames)
    warmer = replace(frames[0], pixels=frames[0].pixels + np.float32(0.1))
    np.testing.assert_allclose(few.read([warmer])[0].score, few.read(frames[:1])[0].score, rtol=1e-4)
