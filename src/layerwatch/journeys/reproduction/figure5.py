"""DCGAN and WGAN-GP of the same data -> Figure 5: what both make of the same z, and whether either has collapsed."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np

from layerwatch.detectors.base import Generative
from layerwatch.evaluation.generators import coverage_of
from layerwatch.evaluation.training_figures import forms_of_generators
from layerwatch.journeys.reproduction.shown import Shown
from layerwatch.journeys.reproduction.workshop import Network, Workshop
from layerwatch.records import DataError

_COUNT = 256  # images of each side


def networks(shop: Workshop) -> dict[str, Network]:
    """The reproduction's WGAN-GP, and a DCGAN of as many steps."""
    seed = shop.protocol.seeds[0]
    return {
        "DCGAN": shop.network("fanogan", seed, "gan=dcgan", "encoder_steps=1"),
        "WGAN-GP": shop.network("fanogan", seed),
    }


def coverages(shop: Workshop) -> dict[str, dict[str, float]]:
    """Spread, precision, recall and nearness of each generator, and of other real images."""

    def make() -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, (real, other, made) in _images(shop).items():
            found.setdefault("real images", asdict(coverage_of(real, other)))
            found[name] = asdict(coverage_of(real, made))
        return found

    return dict(shop.remembered("figure5", make))


def figure5(shop: Workshop, shown: Shown) -> None:
    """The figure, with what was measured."""
    found, rows = coverages(shop), dict[str, np.ndarray]()
    for name, (real, _, made) in _images(shop).items():
        rows.setdefault("real images", _grey(real[:10]))
        rows[name] = _grey(made[:10])
    told = {name: f"spread {one['spread']:.2f}\nrecall {one['recall']:.2f}" for name, one in found.items()}
    words = "Generated ones share their z, after the training. Spread and recall of real images are of other real ones."
    shown.draw("Figure 5", "figure5", forms_of_generators(rows, told), words)
    shown.tell("figure5", found)


def _images(shop: Workshop) -> dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Real images, other real ones, and generated ones, as each network sees them."""
    seed = shop.protocol.seeds[0]
    pool = shop.healthy(seed).fit
    chosen = np.random.default_rng(seed).permutation(len(pool))[: 2 * _COUNT].tolist()
    found = {}
    for name, network in networks(shop).items():
        detector = shop.model(network).detector
        if not isinstance(detector, Generative):
            raise DataError(f"{network.name} makes no images")
        real = detector.as_seen([pool[i] for i in chosen])
        half = len(real) // 2
        found[name] = (real[:half], real[half:], detector.generate(half, seed))
    return found


def _grey(images: np.ndarray) -> np.ndarray:
    return np.asarray(np.rint(255 * np.clip(images, 0, 1)), np.uint8)
