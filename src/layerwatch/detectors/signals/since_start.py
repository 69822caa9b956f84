"""Residuals of a job's first layers -> their mean, weighed: the pattern that the job has had from its start.

What is there from the first layer on becomes part of the job's own reference, so later layers do not show it. Here it
is looked at by itself; how strong such patterns are on healthy jobs, only other jobs can tell.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float32

from layerwatch.detectors.signals.planes import Image
from layerwatch.detectors.signals.textures import Covariance, Textures

FIRST_LAYERS = 24  # of a job, whose mean is taken
_LOOKS = (3, 6, 12, 24)  # layers, after which it is looked at
_ROUNDS, _MORE_ROUNDS = 4, 1  # of corrections of the covariance, at the first look and at later ones
_JUST_MOVED = 5  # layers, over which an outline that moved is remembered


@dataclass(frozen=True, eq=False)
class Weighed:
    """A mean residual r as C^-1 r, with C."""

    solved: Image
    covariance: Covariance


@dataclass(eq=False)
class SinceStart:
    """The mean of one job so far."""

    _layers: int = 0
    _sum: tuple[Image, Image, Float32[np.ndarray, "3 h w"]] | None = None  # of residuals, shares, edges
    _moved: list[Image] = field(default_factory=list)
    _textures: Textures = field(default_factory=lambda: Textures(np.random.default_rng(2)))

    def take(self, residual: Image, share: Image, edges: Float32[np.ndarray, "3 h w"]) -> Weighed | None:
        """The next layer; the mean where it is looked at again."""
        self._layers += 1
        if self._layers > FIRST_LAYERS:
            return None
        new = (residual, share, edges)
        self._sum = new if self._sum is None else tuple(a + b for a, b in zip(self._sum, new, strict=True))
        self._moved = [*self._moved[1 - _JUST_MOVED :], edges[1]]
        if self._layers not in _LOOKS:
            return None
        mean, share, edges = (one / np.float32(self._layers) for one in self._sum)
        edges[1] = np.max(self._moved, axis=0)
        textures, rounds = self._textures, _MORE_ROUNDS if self._textures.is_begun else _ROUNDS
        if not textures.is_begun:
            textures.begin(mean, share)
        textures.hear(mean)
        for _ in range(rounds):
            covariance = textures.covariance(share, edges)
            textures.learn(covariance.solve(mean), covariance, edges)
            textures.update(share)
        covariance = textures.covariance(share, edges)
        return Weighed(covariance.solve(mean), covariance)
