"""The reproduction's WGAN-GP and some images -> AnoGAN's search: time an image, and what A it reaches on each."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from layerwatch.detectors.storage.model_files import settings_of
from layerwatch.journeys.reproduction.workshop import Workshop
from layerwatch.journeys.train import Training, new_detector
from layerwatch.records import LayerImage

_IMAGES = 16  # healthy ones, searched at once
_SAME = 1.05  # an A no more than this times the one after twice the steps has converged


@dataclass(frozen=True)
class Searched:
    """What so many steps reach; the same images and starts whatever the steps."""

    seconds: float  # an image, searched in one batch
    scores: tuple[float, ...]  # A of each image
    passed: tuple[float, ...]  # A of f-AnoGAN, in one pass, of the same images

    @property
    def above_one_pass(self) -> float:
        """Share of images with a higher A than f-AnoGAN's."""
        return float((np.array(self.scores) > np.array(self.passed)).mean())

    def still_falling(self, later: Searched) -> float:
        """Share of images whose A goes on falling, by more than a twentieth, until the steps of ``later``."""
        return float((np.array(self.scores) > _SAME * np.array(later.scores)).mean())


def searched(shop: Workshop, steps: int) -> Searched:
    """Search z of some held-out healthy images, with the networks that f-AnoGAN has."""
    told: dict[str, Any] = shop.remembered(f"anogan-{steps}", lambda: asdict(_measured(shop, steps)))
    return Searched(told["seconds"], tuple(told["scores"]), tuple(told["passed"]))


def _measured(shop: Workshop, steps: int) -> Searched:
    seed = shop.protocol.seeds[0]
    fanogan = shop.model(shop.network("fanogan", seed)).detector
    images: tuple[LayerImage, ...] = shop.healthy(seed).calibration[:: max(shop.protocol.held_jobs // 2, 1)][:_IMAGES]
    plain = new_detector(Training("anogan", shop.protocol.recipe, seed))
    shared = {key: value for key, value in settings_of(fanogan).items() if key in settings_of(plain)}
    search = {"search_steps": steps, "search_batch": _IMAGES, "tolerance": 0.0}
    anogan = type(plain)(**{**settings_of(plain), **shared, **search})
    anogan.restore({key: value for key, value in fanogan.arrays().items() if not key.startswith("E.")})
    started = time.perf_counter()
    ours = tuple(reading.score for reading in anogan.read(images))
    took = (time.perf_counter() - started) / len(images)
    return Searched(took, ours, tuple(reading.score for reading in fanogan.read(images)))
