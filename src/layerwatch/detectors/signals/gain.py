"""Contrast that differs from place to place -> what it adds where a layer's outline is not that of the reference."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float32

from layerwatch.detectors.signals.filters import blurred
from layerwatch.detectors.signals.planes import Image, Spectrum, back, forward

_SPREAD = 0.1  # standard deviation of the contrast from place to place
_AROUND = 4.0  # px around a place that share its contrast


@dataclass(eq=False)
class Gain:
    """How much more or less contrast a place has than the job on the whole: swaths, optics, light.

    Recursive least squares with a prior (ridge), each place by what lies around it.
    """

    _gain: Image = field(default_factory=lambda: np.zeros((0, 0), np.float32))
    _told: Float32[np.ndarray, "h w"] = field(default_factory=lambda: np.zeros((0, 0), np.float32))

    def of(self, fresh: Image) -> Image:
        """What it adds to a layer.

        Args:
            fresh: what the plan explains of the layer, less what it explains of the reference.
        """
        return np.asarray(self._gain * fresh, np.float32) if self._gain.size else np.zeros_like(fresh)

    def learn(self, fresh: Image, solved: Image, mixed: Spectrum) -> None:
        """Take what a layer tells.

        Args:
            fresh: as in ``of``.
            solved: C^-1 times the layer's residual, what was known of the gain taken away.
            mixed: spectrum of C.
        """
        weighed = back(forward(fresh) / mixed, fresh.shape[1])
        area = np.float32(4 * np.pi * _AROUND**2)
        told, seen = blurred(np.stack([np.maximum(fresh * weighed, 0), fresh * solved]), _AROUND) * area
        self._told = self._told + told if self._told.size else told
        step = seen / (self._told + np.float32(1 / _SPREAD**2))
        self._gain = self._gain + step if self._gain.size else step
