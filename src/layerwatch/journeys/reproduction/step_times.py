"""Networks -> processor seconds of one step of their training, measured in turn within one process."""

from __future__ import annotations

import time
from collections.abc import Sequence

from layerwatch.detectors.base import Detector
from layerwatch.detectors.storage.model_files import settings_of
from layerwatch.journeys.reproduction.workshop import Network, Workshop
from layerwatch.records import LayerImage

_SHORT, _LONG = 10, 30  # steps; both look at held-out images ten times, so the difference is steps alone
_IMAGES = 128  # more would change nothing: a batch has a fixed size
_UNTIMED = {"search_steps"}  # not of a training


def step_keys(detector: Detector) -> tuple[str, ...]:
    """The settings that say how many steps the parts of a training have; none where it is not trained by steps."""
    settings = settings_of(detector)
    return tuple(key for key, value in settings.items() if _is_steps(key) and value)


def seconds_a_step(shop: Workshop, networks: Sequence[Network], key: str, rounds: int = 3) -> list[list[float]]:
    """Processor seconds of one more step, for each network and round; a round has all networks in turn.

    What else the machine does weighs little on them, as it would not on the wall times of whole trainings.

    Args:
        shop: where the layers come from.
        networks: what is timed; of each two short trainings, whose difference in length is the steps that count.
        key: which steps, such as ``gan_steps``.
        rounds: how often.
    """
    took: list[list[float]] = [[] for _ in networks]
    for number in range(rounds):
        for own, network in zip(took, networks, strict=True):
            images = shop.healthy(network.seed, network.learn).fit[:_IMAGES]
            short, long = (_trained(shop, network, key, steps, images) for steps in (_SHORT, _LONG))
            own.append((long - short) / (_LONG - _SHORT))
        shop.progress(f"time of {key}", number + 1, rounds)
    return took


def estimated(shop: Workshop, network: Network) -> float:
    """Processor seconds of a whole training: every part's steps times the shortest time of one."""
    detector = shop.untrained(network)
    settings = settings_of(detector)
    each = {key: min(seconds_a_step(shop, [network], key, rounds=2)[0]) for key in step_keys(detector)}
    return float(sum(settings[key] * max(seconds, 0.0) for key, seconds in each.items()))


def _trained(shop: Workshop, network: Network, key: str, steps: int, images: Sequence[LayerImage]) -> float:
    """Processor seconds of a training in which ``key`` has so many steps and every other part ten."""
    others = [f"{name}={_SHORT}" for name in step_keys(shop.untrained(network)) if name != key]
    detector = shop.untrained(network, *others, f"{key}={steps}")
    started = time.process_time()
    detector.fit(images, seed=network.seed)
    return time.process_time() - started


def _is_steps(key: str) -> bool:
    return (key == "steps" or key.endswith("_steps")) and key not in _UNTIMED
