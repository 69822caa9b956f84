"""Nominal outlines, layer by layer -> what they add to a frame: levels, place, sharpness, heat of earlier layers.

Heat of earlier layers fades like the sum of a few leaky integrators (one-dimensional conduction into the bed); how
strongly each is seen is fitted, so nothing is assumed but the rates.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Complex64, Float32
from scipy import ndimage

from layerwatch.detectors.signals.filters import gaussian
from layerwatch.detectors.signals.planes import Image, back, forward

_OPTICS = 0.7  # px, blur of the outline
_BLURS = (1.3, 2.2, 4.0)  # px
_RATES = (0.27, 0.80, 0.95)  # left after one more layer
_CREEP = 0.7  # px, lateral spread in a layer time
PLACE, LEVEL, HEAT_PLACE = (0, 1), 2, (12, 13)  # where place, level, and the place of earlier heat stand among them
FRESH = (2, 3, 4, 5, 6, 7, 8)  # level, blurs, curvature: what this layer's own outline adds
EACH_LAYER = 4  # so many of them, the first, may differ from layer to layer: place, level, sharpness


@dataclass(frozen=True, eq=False)
class PlanTerms:
    """What one outline can add to a frame."""

    share: Image  # of the part, through the optics
    terms: Float32[np.ndarray, "k h w"]  # place (2), level, blurs (3), curvature (3), earlier heat (3), its place (2)
    edges: Float32[
        np.ndarray, "_ h w"
    ]  # in [0, 1]: on the outline, where it has just moved; then, where nothing is known


@dataclass(eq=False)
class Heat:
    """Earlier layers of the running job, as they shine through."""

    _state: Complex64[np.ndarray, "i h f"] | None = None
    _share: Image | None = None
    _layer: int = -1

    def lay(self, coverage: Image, layer: int) -> PlanTerms:
        """The next layer's outline; where layers are missing, all before are taken to be like it, down to layer 0.

        Args:
            coverage: share of each pixel inside the nominal outline.
            layer: its number in the job.
        """
        shape = coverage.shape
        fresh, soft, creep = forward(coverage), gaussian(shape, _OPTICS, _OPTICS), gaussian(shape, _CREEP, _CREEP)
        left = np.array(_RATES, np.float32)[:, None, None] * creep
        is_first = self._state is None or layer != self._layer + 1 or self._state.shape[1:] != fresh.shape
        if is_first or self._state is None:
            before = left * fresh * ((1 - left ** np.float32(max(layer, 0))) / (1 - left))
        else:
            before = left * self._state
        self._state, self._layer = np.asarray(before + fresh, np.complex64), layer
        blurs = np.stack([soft, *(gaussian(shape, b, b) for b in _BLURS)])
        made = back(np.concatenate([fresh * blurs, before * soft]), shape[1])
        share, earlier = made[0], made[4:]
        gone = np.zeros_like(share) if is_first or self._share is None else np.abs(share - self._share)
        self._share = share
        rows, columns = _slopes(share)
        curved = np.stack([_slope(rows, 0), _slope(rows, 1), _slope(columns, 1)])
        terms = np.concatenate([[rows, columns], made[:4], curved, earlier, _slopes(earlier[0])])
        steep = np.clip(4 * (rows**2 + columns**2), 0, 1)
        return PlanTerms(share, np.asarray(terms, np.float32), np.stack([steep, np.minimum(gone, 1)]))


def _slope(image: Image, axis: int) -> Image:
    return np.asarray(ndimage.correlate1d(image, np.array([-0.5, 0, 0.5]), axis=axis, mode="nearest"), np.float32)


def _slopes(image: Image) -> Float32[np.ndarray, "2 h w"]:
    return np.stack([_slope(image, 0), _slope(image, 1)])


def smooth_terms(shape: tuple[int, int]) -> Float32[np.ndarray, "6 h w"]:
    """Level and slow change over the frame, a quadratic in place."""
    v, u = (np.indices(shape, np.float32) + 0.5) / np.array(shape, np.float32).reshape(2, 1, 1) - 0.5
    return np.stack([np.ones(shape, np.float32), v, u, v * v, u * u, u * v]).astype(np.float32)
