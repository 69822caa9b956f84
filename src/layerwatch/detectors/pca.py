"""PCA: the reconstruction error of a linear model of healthy images, the plain base line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from jaxtyping import Float32
from scipy import ndimage

from layerwatch.detectors.base import Checkpoint, Detector, check_images
from layerwatch.records import LayerImage, Progress, Reading, silent


@dataclass
class Pca(Detector):
    """Projects onto the strongest principal components of healthy images; A_R is the mean squared rest."""

    summary: ClassVar[str] = "reconstruction error of principal components, the plain base line"
    source: ClassVar[str] = "Pearson 1901; Turk and Pentland 1991 for images"

    size: int = 32  # px, images are resized to size x size
    components: int = 64
    mean_: Float32[np.ndarray, " d"] = field(default_factory=lambda: np.empty(0, np.float32), repr=False)
    axes_: Float32[np.ndarray, "k d"] = field(default_factory=lambda: np.empty((0, 0), np.float32), repr=False)

    def fit(
        self,
        images: Sequence[LayerImage],
        *,
        seed: int = 0,
        progress: Progress = silent,
        checkpoint: Checkpoint | None = None,
    ) -> Pca:
        """See Detector."""
        check_images(images)
        X = self._vectors(images)
        self.mean_ = X.mean(0)
        centred = (X - self.mean_).astype(np.float64)
        _, vectors = np.linalg.eigh(centred.T @ centred)
        count = min(self.components, len(images) - 1)
        self.axes_ = np.asarray(vectors[:, ::-1][:, :count].T, np.float32)
        progress("PCA", 1, 1)
        return self

    def read(self, images: Sequence[LayerImage]) -> tuple[Reading, ...]:
        """See Detector."""
        centred = self._vectors(images) - self.mean_
        rest = centred - (centred @ self.axes_.T) @ self.axes_
        return tuple(self._reading(image, row) for image, row in zip(images, rest, strict=True))

    def arrays(self) -> dict[str, np.ndarray]:
        """See Detector."""
        return {"mean": self.mean_, "axes": self.axes_}

    def restore(self, arrays: dict[str, np.ndarray]) -> Pca:
        """See Detector."""
        self.mean_, self.axes_ = arrays["mean"], arrays["axes"]
        return self

    def _vectors(self, images: Sequence[LayerImage]) -> Float32[np.ndarray, "n d"]:
        return np.stack([resized(image.pixels, (self.size, self.size)).ravel() for image in images])

    def _reading(self, image: LayerImage, rest: Float32[np.ndarray, " d"]) -> Reading:
        A_R = float((rest**2).mean())
        heat = resized(rest.reshape(self.size, self.size), image.pixels.shape)
        return Reading(image.job, image.layer, A_R, A_R=A_R, heat=heat)


def resized(pixels: Float32[np.ndarray, "h w"], shape: tuple[int, ...]) -> Float32[np.ndarray, "a b"]:
    """Resize by linear interpolation after an area-true blur when shrinking."""
    zoom = [new / old for new, old in zip(shape, pixels.shape, strict=True)]
    smooth = ndimage.uniform_filter(pixels, [max(round(1 / z), 1) for z in zoom], mode="nearest")
    out = ndimage.zoom(smooth, zoom, order=1, mode="nearest", grid_mode=True)
    return np.asarray(out, np.float32)
