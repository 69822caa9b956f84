"""Real and generated images -> whether a generator covers what it was to learn, or copies, or has collapsed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64, Int64
from sklearn.decomposition import PCA
from sklearn.neighbors import NearestNeighbors

Images = Float32[np.ndarray, "n s s"]
_DIMENSIONS = 32  # principal components of real images in which neighbours are looked for


@dataclass(frozen=True)
class Coverage:
    """How generated images lie among real ones."""

    spread: float  # mean standard deviation of a pixel, over that of real images; near 0: mode collapse
    precision: float  # share of generated images that lie among real ones
    recall: float  # share of real images that lie among generated ones
    nearest: float  # median root mean square distance to the nearest real image, over that among real ones; 0: copies


def coverage_of(real: Images, generated: Images, neighbours: int = 3) -> Coverage:
    """Spread, and precision and recall by nearest neighbours (Kynkaanniemi et al. 2019) in principal components.

    Args:
        real: healthy images, in any fixed range; at least ``neighbours + 2``.
        generated: as many, in the same range.
        neighbours: the k-th nearest real image gives the radius within which an image counts as like it.
    """
    flat_real, flat_generated = (images.reshape(len(images), -1) for images in (real, generated))
    count = min(_DIMENSIONS, len(real) - 1, flat_real.shape[1])
    axes = PCA(count, svd_solver="full").fit(flat_real)
    R, F = (np.asarray(axes.transform(some), np.float64) for some in (flat_real, flat_generated))
    return Coverage(
        spread=float(flat_generated.std(0).mean() / max(float(flat_real.std(0).mean()), 1e-12)),
        precision=_share_within(R, F, neighbours),
        recall=_share_within(F, R, neighbours),
        nearest=_nearness(flat_real, flat_generated),
    )


def nearest_of(real: Images, generated: Float32[np.ndarray, "m s s"]) -> Int64[np.ndarray, " m"]:
    """For each generated image the number of the real one that is nearest, pixel by pixel."""
    flat_real, flat_generated = (images.reshape(len(images), -1) for images in (real, generated))
    found = NearestNeighbors(n_neighbors=1).fit(flat_real).kneighbors(flat_generated)[1]
    return np.asarray(found[:, 0], np.int64)


def _nearness(real: Float32[np.ndarray, "n p"], generated: Float32[np.ndarray, "m p"]) -> float:
    """How far from any real image the generated ones lie, where 1 is as far as real ones from one another."""
    neighbours = NearestNeighbors(n_neighbors=2).fit(real)
    own = np.median(neighbours.kneighbors(real)[0][:, 1])
    return float(np.median(neighbours.kneighbors(generated)[0][:, 0]) / max(float(own), 1e-12))


def _share_within(ground: Float64[np.ndarray, "n d"], asked: Float64[np.ndarray, "m d"], k: int) -> float:
    """Share of ``asked`` that lie within the k-th-neighbour radius of any point of the ground."""
    radius = NearestNeighbors(n_neighbors=k + 1).fit(ground).kneighbors(ground)[0][:, -1]
    distance = np.sqrt(np.maximum(((asked[:, None] - ground[None]) ** 2).sum(2), 0))
    return float((distance <= radius[None]).any(1).mean())
