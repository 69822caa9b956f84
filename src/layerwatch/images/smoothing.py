"""A picture -> its Gaussian mean over any number of px, the picture mirrored at its borders."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float32
from scipy import fft

Image = Float32[np.ndarray, "h w"]


def smoothed(picture: Image, sigma: float) -> Image:
    """A Gaussian mean of sigma px, exact also for sigma below one pixel and quick for large ones."""
    gains = [np.exp(-0.5 * (np.pi * np.arange(n) * sigma / n) ** 2) for n in picture.shape]
    spectrum = fft.dctn(picture.astype(np.float64), norm="ortho") * gains[0][:, None] * gains[1]
    return np.asarray(fft.idctn(spectrum, norm="ortho"), np.float32)


def seen_through(coverages: Sequence[Image], weights: Sequence[float], spread: float) -> Image:
    """What is still seen of layers that lie on top of one another.

    Args:
        coverages: the newest first; the last one stands for all before it.
        weights: what is left of a layer 0, 1, 2 ... layer times old.
        spread: px, by which heat spreads in each of them.
    """
    shape = coverages[0].shape
    away = [(np.pi * np.arange(n) / n) ** 2 / 2 for n in shape]
    step = np.exp(-(spread**2) * (away[0][:, None] + away[1]))
    power, total, gain = np.ones(shape), np.zeros(shape), np.zeros(shape)
    for age, weight in enumerate(weights):
        gain += weight * power
        power *= step
        if age < len(coverages) - 1 or age == len(weights) - 1:  # the last one is transformed once
            newest = coverages[min(age, len(coverages) - 1)].astype(np.float64)
            total += gain * fft.dctn(newest, norm="ortho")
            gain = np.zeros(shape)
    return np.asarray(fft.idctn(total, norm="ortho"), np.float32)
