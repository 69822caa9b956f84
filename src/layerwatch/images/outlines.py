"""A picture and the coverage of its part -> how sharp, how strong and where the outlines really are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, Float64
from scipy import ndimage, optimize

from layerwatch.images.smoothing import smoothed

Image = Float32[np.ndarray, "h w"]
Mask = Bool[np.ndarray, "h w"]

_NEAR = 3.0  # px on either side of an outline that are looked at
_ENOUGH = 40  # px
_WIDEST = 0.06  # of the shorter side, widest blur looked for
_PIXEL = 1 / 12  # px squared, variance of a box of one pixel, which a plan of whole pixels lacks
_STEEPEST = 1.5  # contrast over the whole range of the picture, at most
_UNEXPLAINED = 0.8  # share of the variance at an outline that an edge must leave at most
_SURFACE = 0.15  # K, by which another emissivity may set the part off, one standard deviation
_CORRELATED = 16.0  # px along an outline that a texture spoils alike
_FINEST = 0.15  # px, sharpest blur that can be told from none


@dataclass(frozen=True)
class Outline:
    """What the outlines of one image look like."""

    contrast: float  # bed minus part right at the outline, unit of the picture; of one layer where heat is conducted
    surface: float  # the same of what the surface itself adds, such as another emissivity
    blur: float  # px, sigma of the Gaussian that the optics lay over the coverage
    shift_x: float  # px that the outline lies beside the plan, along columns
    shift_y: float  # px, along rows
    blur_error: float  # px, standard error

    @property
    def edge_width(self) -> float:
        """Distance between 10 and 90 % of an edge, px, of blur and pixel."""
        return float(2.563 * np.sqrt(self.blur**2 + _PIXEL))


def fit_outline(
    picture: Image, coverage: Image, steady: Mask, scale: float, *, heat: Image | None = None, whole: bool = False
) -> Outline | None:
    """Fit blur, contrast and place of the outlines by least squares.

    Args:
        picture: the frame.
        coverage: share of each pixel that is part.
        steady: pixels whose coverage was the same on the layers before, or all of them.
        scale: px, over which the picture is detrended.
        heat: what is seen of the binder of this layer and all before it, for one unit of it a layer, where heat is
            conducted; the coverage alone then stands for what the surface itself adds.
        whole: the coverage is a plan of whole pixels.

    Returns:
        The outline; None where too few pixels show one, or what is seen does not look like one.
    """
    near = near_outline(coverage) & steady
    if near.sum() < _ENOUGH:
        return None
    values = (picture - smoothed(picture, scale))[near].astype(np.float64)
    sources = [coverage] if heat is None else [heat, coverage]
    low = [smoothed(source, scale)[near] for source in sources]

    def misfit(sigma: float) -> tuple[float, list[float]]:
        return _misfit(values, [smoothed(source, sigma) for source in sources], low, near)

    # Sharpness is looked for as a logarithm: a real photograph may need 20 px, a coarse camera 0.5.
    widest = max(_WIDEST * min(picture.shape), 2.0)
    bounds = (float(np.log(_FINEST)), float(np.log(widest)))
    found = optimize.minimize_scalar(
        lambda s: misfit(float(np.exp(s)))[0], bounds=bounds, method="bounded", options={"xatol": 5e-3}
    )
    sigma = float(np.exp(found.x))
    best, share = misfit(sigma)
    variance = float(np.sum((values - values.mean()) ** 2))
    is_there = np.isfinite(share).all() and best < _UNEXPLAINED * variance and sigma < 0.98 * widest
    if not is_there or not 0 < abs(share[0]) * float(np.ptp(sources[0])) < _STEEPEST * float(np.ptp(picture)):
        return None
    step = 0.05 * sigma
    bend = max((misfit(sigma - step)[0] + misfit(sigma + step)[0] - 2 * best) / step**2, 1e-12)
    error = float(np.sqrt(2 * best / near.sum() / bend))
    blur = float(np.sqrt(max(sigma**2 - (_PIXEL if whole else 0.0), 0.0)))
    surface = -share[3] if heat is not None else 0.0
    return Outline(-share[0], surface, blur, -share[1] / share[0], -share[2] / share[0], error)


def near_outline(coverage: Image) -> Mask:
    """Pixels close to an outline, and not to the picture's border."""
    edge = ndimage.maximum_filter(coverage, 3) - ndimage.minimum_filter(coverage, 3) > 0.5
    if not edge.any():
        return np.zeros(coverage.shape, bool)
    near = ndimage.distance_transform_edt(~edge) <= _NEAR
    near[:4], near[-4:], near[:, :4], near[:, -4:] = False, False, False, False
    return np.asarray(near)


def _misfit(
    values: Float64[np.ndarray, " n"], soft: Sequence[Image], low: Sequence[Float32[np.ndarray, " n"]], near: Mask
) -> tuple[float, list[float]]:
    """Sum of squares left by the best contrast and shift, and the coefficients."""
    rows, columns = np.gradient(soft[0])
    levels = [image[near] - base for image, base in zip(soft, low, strict=True)]
    A = np.stack([levels[0], columns[near], rows[near], *levels[1:], np.ones(len(values))], 1).astype(np.float64)
    found = np.linalg.lstsq(A, values, rcond=None)[0]
    if len(soft) > 1:  # both contrasts look much alike, so the surface's is held near what emissivities allow
        weight = _CORRELATED * float(np.mean((values - A @ found) ** 2)) / _SURFACE**2
        prior = np.zeros_like(A[:1])
        prior[0, 3] = np.sqrt(weight)
        A, values = np.concatenate([A, prior]), np.append(values, 0.0)
        found = np.linalg.lstsq(A, values, rcond=None)[0]
    return float(np.sum((values - A @ found) ** 2)), [float(c) for c in found[:-1]]
