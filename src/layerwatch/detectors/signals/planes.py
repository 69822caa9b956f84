"""Real images -> half planes of their Fourier transforms and back, with the smooth spectra that are needed of them."""

from __future__ import annotations

from functools import cache

import numpy as np
from jaxtyping import Complex64, Float32, Float64
from scipy import fft, ndimage
from scipy.special import digamma

Image = Float32[np.ndarray, "h w"]
Spectrum = Float32[np.ndarray, "h f"]

_WHITE = (0.38, 0.5)  # cycles/px, where a camera's noise is all there is


def forward(images: np.ndarray) -> Complex64[np.ndarray, "*n h f"]:
    """Transform of real images on the half plane."""
    return np.asarray(fft.rfft2(images), np.complex64)


def back(spectra: np.ndarray, width: int) -> Float32[np.ndarray, "*n h w"]:
    """Images of half planes."""
    return np.asarray(fft.irfft2(spectra, s=(spectra.shape[-2], width)), np.float32)


@cache
def frequencies(shape: tuple[int, int]) -> tuple[Float64[np.ndarray, "h 1"], Float64[np.ndarray, "1 f"]]:
    """Cycles a pixel along rows and columns, on the half plane."""
    return fft.fftfreq(shape[0])[:, None], fft.rfftfreq(shape[1])[None, :]


@cache
def weights(shape: tuple[int, int]) -> Spectrum:
    """How often each entry of the half plane stands in the whole: sums over the whole plane need them."""
    half: Spectrum = np.full((shape[0], shape[1] // 2 + 1), 2, np.float32)
    half[:, 0] = 1
    if shape[1] % 2 == 0:
        half[:, -1] = 1
    return half


def whole_plane(half: np.ndarray, width: int) -> np.ndarray:
    """The whole plane of a spectrum that is even, from its half."""
    rows = np.r_[0, np.arange(half.shape[0] - 1, 0, -1)]
    return np.concatenate([half, half[rows][:, width - half.shape[1] : 0 : -1]], axis=1)


def smooth_spectrum(power: np.ndarray, frames: float, width: int, over: float) -> Spectrum:
    """A periodogram averaged over some frames, smoothed along its logarithm, where steep flanks stay steep.

    Args:
        power: averaged squared modulus, half plane.
        frames: how many were averaged; the logarithm's bias depends on it (Bartlett and Kendall 1946).
        width: px, of the images.
        over: bins, sigma of the smoothing.
    """
    logs: Float64[np.ndarray, "h w"] = np.log(whole_plane(np.asarray(power, np.float64), width) + 1e-30)
    logs = ndimage.gaussian_filter(logs, over, mode="wrap") - (digamma(frames) - np.log(frames))
    return np.asarray(np.exp(logs[:, : power.shape[1]]), np.float32)


def white_level(image: Image) -> float:
    """Variance of the white noise of one image: the median of its spectrum where nothing else is."""
    power = np.abs(forward(image)) ** 2 / image.size
    return float(np.median(power[_white(image.shape)]) / np.log(2))


@cache
def _white(shape: tuple[int, int]) -> np.ndarray:
    v, u = frequencies(shape)
    radius = np.hypot(v, u)
    return np.asarray((radius > _WHITE[0]) & (radius < _WHITE[1]))
