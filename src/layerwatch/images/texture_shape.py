"""A picture without levels and outlines -> standard deviation, correlation lengths and spectrum of its texture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int64
from scipy import fft, ndimage, optimize

from layerwatch.images.smoothing import smoothed

Image = Float32[np.ndarray, "h w"]
Mask = Bool[np.ndarray, "h w"]

_REACH = 24  # px, longest lag of the autocovariance
_TALL = np.array([1.0, -4.0, 6.0, -4.0, 1.0])  # passes the highest frequencies only
_CELLS = 1.0  # variance of a standard deviation from one independent cell; measured, a half would be ideal
_SHORTEST = 0.05  # px squared, half the square of the shortest correlation length
_LONGEST = 1.2  # times the reach, the longest one
_MOST = 20.0  # times the covariance of neighbours, the largest variance
_FIELD = 2.7  # times the scale of detrending, taken for the width of the lamp's field
_BINS = 24  # of the radial spectrum


@dataclass(frozen=True, eq=False)
class Covariance:
    """Autocovariance inside a region at lags of -reach to reach px in both directions."""

    values: Float64[np.ndarray, "m m"]
    pairs: Float64[np.ndarray, "m m"]  # of pixels behind each

    @property
    def reach(self) -> int:
        """Longest lag, px."""
        return len(self.values) // 2

    @classmethod
    def pooled(cls, some: Sequence[Covariance]) -> Covariance:
        """That of several layers together."""
        pairs = np.sum([one.pairs for one in some], 0)
        sums = np.sum([one.values * one.pairs for one in some], 0)
        return cls(sums / np.maximum(pairs, 1), pairs)


@dataclass(frozen=True)
class TextureShape:
    """A Gaussian autocovariance fitted to a texture: v exp(-(x / length_x)^2 - (y / length_y)^2)."""

    std: float  # unit of the picture, without the camera's noise
    length_x: float  # px, lag at which the correlation has fallen to 1 / e
    length_y: float  # px
    error: float  # relative standard error of ``std``, and about that of the lengths

    @property
    def length(self) -> float:
        """Geometric mean of both lengths, px."""
        return float(np.sqrt(self.length_x * self.length_y))

    def error_of(self, covariance: Covariance) -> float:
        """Relative standard error of a standard deviation, by the independent cells of the region."""
        pairs = float(covariance.pairs[covariance.reach, covariance.reach])
        return float(np.sqrt(_CELLS / max(pairs / (np.pi * self.length_x * self.length_y / 2), 1.0)))


def detrended(picture: Image, scale: float) -> Image:
    """The picture minus its mean over a Gaussian window of that many px."""
    return np.asarray(picture - smoothed(picture, scale), np.float32)


def texture_shape(covariance: Covariance, scale: float, *, lamp: bool = True) -> TextureShape | None:
    """Standard deviation and correlation lengths of a texture.

    Args:
        covariance: of a picture as ``detrended`` gives it, of one or of many layers.
        scale: px, as in ``detrended``; what it took away is put back by the model.
        lamp: something of the lamp's field may be left in it.

    Returns:
        The shape; None where there is no texture above the noise, or none whose length can be told.
    """
    values, pairs, reach = covariance.values, covariance.pairs, covariance.reach
    first = [values[reach, reach + 1], values[reach + 1, reach]]
    if not min(first) > 0.02 * values[reach, reach] > 0:
        return None
    y, x = _lags(reach)
    near = _near(values, reach)
    chosen = (np.hypot(x / near[1], y / near[0]) <= 1) & (pairs > 0.2 * pairs[reach, reach]) & (np.hypot(x, y) > 0)
    chosen &= (y > 0) | ((y == 0) & (x > 0))  # the other half is the same
    xs, ys, seen, top = x[chosen].astype(float), y[chosen].astype(float), values[chosen], float(np.max(first))

    wide = (_FIELD * scale) ** 2
    left = _model(xs, ys, wide, wide, scale) if lamp else np.zeros(len(xs))

    def misfit(p: Float64[np.ndarray, " 4"]) -> Float64[np.ndarray, " n"]:
        v, a, b, field = np.exp(p)
        return np.asarray((v * _model(xs, ys, a, b, scale) + field * left - seen) / top)

    longest = (_LONGEST * reach) ** 2 / 2
    low = np.log([top / 3, _SHORTEST, _SHORTEST, 1e-6 * top])
    high = np.log([_MOST * top, longest, longest, _MOST * top])
    start = np.log([1.2 * top, (near[1] / 2.2) ** 2, (near[0] / 2.2) ** 2, 0.1 * top])
    start = np.clip(start, low + 1e-3, high - 1e-3)
    found = optimize.least_squares(misfit, start, bounds=(low, high), max_nfev=60)
    v, a, b, _ = np.exp(found.x)
    length_x, length_y = float(np.sqrt(2 * a)), float(np.sqrt(2 * b))
    if max(a, b) > 0.98 * longest or v > 0.98 * _MOST * top:
        return None
    shape = TextureShape(float(np.sqrt(v)), length_x, length_y, 0.0)
    return replace(shape, error=shape.error_of(covariance))


def texture_std(covariance: Covariance, shape: TextureShape, scale: float) -> float:
    """Standard deviation of a texture whose lengths are known, for regions too small to show them."""
    reach = covariance.reach
    y, x = _lags(reach)
    near = (np.hypot(x / shape.length_x, y / shape.length_y) <= 1) & (np.hypot(x, y) > 0)
    chosen = near & (covariance.pairs > 0.1 * covariance.pairs[reach, reach])
    a, b = shape.length_x**2 / 2, shape.length_y**2 / 2
    model = _model(x[chosen].astype(float), y[chosen].astype(float), a, b, scale)
    weights = covariance.pairs[chosen]
    share = float((weights * model * covariance.values[chosen]).sum()) / max(float((weights * model**2).sum()), 1e-12)
    return float(np.sqrt(max(share, 0.0)))


def autocovariance(texture: Image, region: Mask) -> Covariance:
    """Autocovariance of a detrended picture inside a region, up to 24 px or a third of a small picture's side."""
    h, w = texture.shape
    reach = int(min(_REACH, h // 3, w // 3))
    shape = (fft.next_fast_len(h + reach, real=True), fft.next_fast_len(w + reach, real=True))
    mask = region.astype(np.float64)
    signal = (texture.astype(np.float64) - float(texture[region].mean())) * mask
    lags = np.arange(-reach, reach + 1)
    sums, pairs = (fft.irfft2(np.abs(fft.rfft2(a, shape)) ** 2, shape)[np.ix_(lags, lags)] for a in (signal, mask))
    pairs = np.maximum(np.rint(pairs), 0.0)
    return Covariance(np.where(pairs > 0, sums / np.maximum(pairs, 1), 0.0), pairs)


def noise_of(picture: Image, region: Mask) -> float:
    """Standard deviation of what differs from pixel to pixel, from fourth differences along both axes."""
    fine = ndimage.correlate1d(ndimage.correlate1d(picture, _TALL, 0), _TALL, 1) / 70.0
    inner = ndimage.binary_erosion(region, np.ones((5, 5), bool))
    values = fine[inner if inner.sum() >= 100 else region].astype(np.float64)
    if not len(values):
        return float("nan")
    for _ in range(3):  # specks and scratches are no noise
        values = values[np.abs(values) <= 4 * values.std() + 1e-15]
    return float(values.std())


def radial_spectrum(texture: Image, region: Mask) -> Float64[np.ndarray, " f"]:
    """Mean power density at 24 radial frequencies from 0 to half a cycle a px, unit squared times px squared."""
    h, w = texture.shape
    window = ndimage.gaussian_filter(region.astype(np.float64), 1.0) * region
    signal = (texture - float(texture[region].mean())) * window
    power = np.abs(fft.fft2(signal)) ** 2 / max(float((window**2).sum()), 1.0)
    v, u = np.meshgrid(fft.fftfreq(h), fft.fftfreq(w), indexing="ij")
    number = np.minimum((np.hypot(u, v) / 0.5 * _BINS).astype(int), _BINS).ravel()
    sums = np.bincount(number, power.ravel(), _BINS + 1)[:_BINS]
    return np.asarray(sums / np.maximum(np.bincount(number, minlength=_BINS + 1)[:_BINS], 1))


def radial_frequencies() -> Float64[np.ndarray, " f"]:
    """Middles of the bins of ``radial_spectrum``, cycles a px."""
    return (np.arange(_BINS) + 0.5) / _BINS / 2


def _lags(reach: int) -> tuple[Int64[np.ndarray, "m m"], Int64[np.ndarray, "m m"]]:
    """Lags along rows and columns of an autocovariance, px."""
    y, x = np.meshgrid(np.arange(-reach, reach + 1), np.arange(-reach, reach + 1), indexing="ij")
    return y, x


def _near(covariance: Float64[np.ndarray, "m m"], reach: int) -> tuple[float, float]:
    """Lags (rows, columns) in px up to which the fit looks: about twice where the correlation falls to 1 / e."""
    ends = []
    for line in (covariance[reach:, reach], covariance[reach, reach:]):
        below = np.flatnonzero(line[1:] < line[1] * np.exp(-1))
        ends.append(float(np.clip(1.8 * (below[0] + 1) if len(below) else reach, 2.5, reach)))
    return ends[0], ends[1]


def _model(
    x: Float64[np.ndarray, " n"], y: Float64[np.ndarray, " n"], a: float, b: float, scale: float
) -> Float64[np.ndarray, " n"]:
    """Autocovariance of a detrended texture of unit variance and variances a, b in px squared along x and y."""

    def spread(more: float) -> Float64[np.ndarray, " n"]:
        wide_a, wide_b = a + more, b + more
        return np.asarray(np.sqrt(a * b / (wide_a * wide_b)) * np.exp(-(x**2) / (2 * wide_a) - y**2 / (2 * wide_b)))

    return np.asarray(spread(0.0) - 2 * spread(scale**2) + spread(2 * scale**2))
