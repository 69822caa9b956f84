"""What tells a generator that covers from one that copies or has collapsed."""

from __future__ import annotations

import numpy as np

from layerwatch.evaluation.generators import Images, coverage_of, nearest_of


def images(count: int, seed: int) -> Images:
    """Smooth random images."""
    rng = np.random.default_rng(seed)
    waves = rng.normal(size=(count, 4, 4)).astype(np.float32)
    return np.asarray(np.kron(waves, np.ones((1, 4, 4), np.float32)), np.float32)


def test_other_images_of_the_same_kind_cover() -> None:
    found = coverage_of(images(200, 0), images(200, 1))
    assert abs(found.spread - 1) < 0.1
    assert found.recall > 0.6
    assert abs(found.nearest - 1) < 0.15


def test_one_image_again_and_again_is_a_collapse() -> None:
    found = coverage_of(images(200, 0), np.repeat(images(1, 1), 200, 0))
    assert found.spread < 1e-6
    assert found.recall < 0.1


def test_copies_of_what_was_learnt_have_no_distance() -> None:
    real = images(50, 0)
    assert coverage_of(real, real[::-1].copy()).nearest < 1e-5
    assert nearest_of(real, real[::-1].copy()).tolist() == list(range(50))[::-1]
