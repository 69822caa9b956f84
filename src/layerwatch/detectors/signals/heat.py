"""Cleared residuals and what filters answer -> the heat map: where something is, and if it is clear how far it goes.

Matched filters find faint things, but what they give spreads beyond a thing's rim. A thing that stands out of the
residual by itself is shown by that residual instead, in units of its own healthy spread.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from layerwatch.detectors.signals.filters import gaussian
from layerwatch.detectors.signals.planes import Image, Spectrum, back, forward, weights
from layerwatch.detectors.signals.textures import Covariance

_FINE, _WIDE = 0.7, 20.0  # px, blurs between which a residual shows shapes
_CLEAR = 6.0  # spreads, from which it shows one: healthy layers reach 5
_LOUDER = 1.6  # its largest healthy values over those of the filters, of which many are alike


def loudest(a: Image, b: Image) -> Image:
    """At each pixel the one that is further from 0."""
    return np.where(np.abs(b) > np.abs(a), b, a)


def shapes(residual: Image, covariance: Covariance) -> Image:
    """The residual between two blurs, over the standard deviation that healthy ones have there."""
    band, each = _band(residual.shape), weights(residual.shape) / residual.size
    noise = np.float32(covariance.noise.min())
    bed, part = (float((band**2 * (one + noise) * each).sum()) for one in (covariance.bed, covariance.part))
    share = np.clip(covariance.share, 0, 1)  # a sharpened outline overshoots
    spread = np.sqrt(share * np.float32(part) + (1 - share) * np.float32(bed))
    return np.asarray(back(forward(residual) * band, residual.shape[1]) / np.maximum(spread, 1e-12), np.float32)


def heat_of(answers: Image, shape: Image) -> Image:
    """The filters' answers, or the shape where one is clear enough."""
    return np.asarray(shape / np.float32(_LOUDER) if float(np.abs(shape).max()) > _CLEAR else answers, np.float32)


@cache
def _band(shape: tuple[int, ...]) -> Spectrum:
    return np.asarray(gaussian(shape, _FINE, _FINE) - gaussian(shape, _WIDE, _WIDE), np.float32)
