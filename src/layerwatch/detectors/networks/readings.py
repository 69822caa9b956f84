"""Both terms of equation 1 of each image or tile -> one reading a frame; of tiles the worst counts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from jaxtyping import Float32

from layerwatch.detectors.base import anomaly_score
from layerwatch.records import LayerImage, Reading


def readings_of(
    images: Sequence[LayerImage],
    A_R: Float32[np.ndarray, " m"],
    A_D: Float32[np.ndarray, " m"],
    heats: Float32[np.ndarray, "n h w"],
    features: Float32[np.ndarray, "m 2 d"],
    lam: float,
) -> Iterator[Reading]:
    """Readings in the order of the frames; each has as many rows as it has tiles."""
    each = len(A_R) // len(images)
    A = np.array([anomaly_score(r, d, lam) for r, d in zip(A_R.tolist(), A_D.tolist(), strict=True)])
    worst = A.reshape(-1, each).argmax(1) + each * np.arange(len(images))
    for image, at, heat in zip(images, worst.tolist(), heats, strict=True):
        yield Reading(image.job, image.layer, float(A[at]), float(A_R[at]), float(A_D[at]), heat, features[at])
