"""The reproduction's WGAN-GP and some images -> AnoGAN's search: time an image, suitable reconstructions, scores."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass

import numpy as np

from layerwatch.detectors.storage.model_files import settings_of
from layerwatch.journeys.reproduction.workshop import Workshop
from layerwatch.journeys.train import Training, new_detector
from layerwatch.records import LayerImage

_IMAGES = 16  # healthy ones, searched at once


@dataclass(frozen=True)
class Searched:
    """What so many steps reach."""

    seconds: float  # an image, searched in one batch
    unsuitable: float  # share of images with a higher A than f-AnoGAN's
    images: int


def searched(shop: Workshop, steps: int) -> Searched:
    """Search z of some held-out healthy images, with the networks that f-AnoGAN has."""
    return Searched(**shop.remembered(f"anogan-{steps}", lambda: asdict(_measured(shop, steps))))


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
    ours = np.array([reading.score for reading in anogan.read(images)])
    took = (time.perf_counter() - started) / len(images)
    theirs = np.array([reading.score for reading in fanogan.read(images)])
    return Searched(took, float((ours > theirs).mean()), len(images))
