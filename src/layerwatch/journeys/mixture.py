"""Real and synthetic healthy images -> one set to learn from, with a chosen share of synthetic ones."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from layerwatch.journeys.sources import Healthy
from layerwatch.records import DataError, LayerImage, UsageError


def mixed(real: Healthy, synthetic: Healthy, share: float, *, seed: int = 0) -> Healthy:
    """Real images to learn from, joined by synthetic ones until these are ``share`` of all; calibration stays real.

    At a share of 1 all synthetic images are learnt from, and no real one but for the threshold. Else every real image
    stays, and synthetic ones are drawn at random.

    Args:
        real: what is to be judged looks like these.
        synthetic: images of the data factory, in either of its groups.
        share: of the images to learn from, in (0, 1].
        seed: of the draw.

    Raises:
        UsageError: a share outside (0, 1].
        DataError: images of another size, or too few synthetic ones for that share.
    """
    if not 0 < share <= 1:
        raise UsageError(f"a share of {share:g} synthetic images; give one above 0 and up to 1, such as 0.5")
    others = tuple(replace(image, job=f"also-{image.job}") for image in (*synthetic.fit, *synthetic.calibration))
    _check_sizes(real.fit[0], others)
    if share == 1:
        return replace(real, fit=others)
    wanted = round(len(real.fit) * share / (1 - share))
    if not 0 < wanted <= len(others):
        raise DataError(
            f"a share of {share:g} beside {len(real.fit)} real images takes {wanted} synthetic ones, and there are "
            f"{len(others)}; print more, or choose another share"
        )
    chosen = np.sort(np.random.default_rng(seed).choice(len(others), wanted, replace=False)).tolist()
    return replace(real, fit=(*real.fit, *(others[number] for number in chosen)))


def _check_sizes(real: LayerImage, others: tuple[LayerImage, ...]) -> None:
    for image in others:
        if image.pixels.shape != real.pixels.shape:
            (h, w), (height, width) = image.pixels.shape, real.pixels.shape
            raise DataError(
                f"{image.name} is {w} x {h} pixels, the real images are {width} x {height}; print layers of that size"
            )
