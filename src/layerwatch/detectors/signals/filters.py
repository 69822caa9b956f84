"""Images and transfer functions -> filtered images: Gaussians, whitening, a bank of blobs and lines. Lengths in px."""

from __future__ import annotations

from functools import cache

import numpy as np
from jaxtyping import Float32
from scipy import fft

Image = Float32[np.ndarray, "h w"]
Transfer = Float32[np.ndarray, "h f"]

_BLOBS = (0.8, 1.5, 3.0, 5.0)  # px, sigma
_LINES = ((0.8, 8.0), (0.8, 24.0), (1.6, 24.0))  # px, sigma across and along


@cache
def gaussian(shape: tuple[int, ...], rows: float, columns: float) -> Transfer:
    """Blur of sigma (rows, columns), on the half plane of a real transform."""
    v, u = fft.fftfreq(shape[0])[:, None], fft.rfftfreq(shape[1])[None, :]
    return np.asarray(np.exp(-2 * np.pi**2 * ((v * rows) ** 2 + (u * columns) ** 2)), np.float32)


@cache
def bank(shape: tuple[int, ...]) -> Float32[np.ndarray, "k h f"]:
    """Matched filters for compact things and for lines along both axes, each of unit energy."""
    blobs = [gaussian(shape, sigma, sigma) for sigma in _BLOBS]
    lines = [gaussian(shape, *pair[::turn]) for pair in _LINES for turn in (1, -1)]
    stack = np.stack(blobs + lines)
    return np.asarray(stack / np.sqrt((stack**2).mean((1, 2), keepdims=True)), np.float32)


def filtered(image: np.ndarray, transfer: np.ndarray) -> Float32[np.ndarray, "*n h w"]:
    """One or many images through one or many transfer functions, on the periodic grid."""
    return np.asarray(fft.irfft2(fft.rfft2(image) * transfer, s=image.shape[-2:]), np.float32)


def power(image: Image) -> Float32[np.ndarray, "h f"]:
    """Squared modulus of the transform divided by the number of pixels."""
    return np.asarray(np.abs(fft.rfft2(image)) ** 2 / image.size, np.float32)


def whitening(mean_power: Float32[np.ndarray, "h f"]) -> Transfer:
    """The filter that gives images of that mean power a flat spectrum of 1."""
    smooth = np.asarray(mean_power, np.float64)
    floor = 1e-6 * float(smooth.mean()) + 1e-30
    return np.asarray(1 / np.sqrt(np.maximum(smooth, floor)), np.float32)


def spread(values: np.ndarray) -> float:
    """Standard deviation of the bulk, by the median absolute value; never 0."""
    return float(1.4826 * np.median(np.abs(values))) + 1e-9
