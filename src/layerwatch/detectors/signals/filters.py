"""Images and transfer functions -> filtered images: Gaussians, blobs and lines, robust spread. Sizes in px."""

from __future__ import annotations

from functools import cache

import numpy as np
from jaxtyping import Bool, Float32, Int64
from scipy import fft

Image = Float32[np.ndarray, "h w"]
Transfer = Float32[np.ndarray, "h f"]

_BLOBS = (0.8, 1.5, 3.0)  # px, sigma
_LINES = ((0.8, 8.0), (0.8, 24.0), (1.6, 24.0))  # px, sigma across and along


@cache
def gaussian(shape: tuple[int, ...], rows: float, columns: float) -> Transfer:
    """Blur of sigma (rows, columns), on the half plane of a real transform."""
    v, u = fft.fftfreq(shape[0])[:, None], fft.rfftfreq(shape[1])[None, :]
    return np.asarray(np.exp(-2 * np.pi**2 * ((v * rows) ** 2 + (u * columns) ** 2)), np.float32)


@cache
def blobs(shape: tuple[int, ...]) -> Float32[np.ndarray, "k h f"]:
    """Matched filters for compact things."""
    return np.stack([gaussian(shape, sigma, sigma) for sigma in _BLOBS])


@cache
def lines(shape: tuple[int, ...]) -> Float32[np.ndarray, "k h f"]:
    """Matched filters for lines along columns and along rows."""
    return np.stack([gaussian(shape, *pair[::turn]) for pair in _LINES for turn in (1, -1)])


def filtered(image: np.ndarray, transfer: np.ndarray) -> Float32[np.ndarray, "*n h w"]:
    """One or many images through one or many transfer functions, on the periodic grid."""
    return np.asarray(fft.irfft2(fft.rfft2(image) * transfer, s=image.shape[-2:]), np.float32)


def blurred(image: np.ndarray, sigma: float) -> Float32[np.ndarray, "*n h w"]:
    """One or many images through a Gaussian."""
    return filtered(image, gaussian(image.shape[-2:], sigma, sigma))


def strongest(image: Image, inside: Bool[np.ndarray, "h w"], bank: Float32[np.ndarray, "k h f"]) -> tuple[float, ...]:
    """Largest answer of each filter inside, in units of that filter's own spread there."""
    if not inside.any():
        return (0.0,) * len(bank)
    answers = np.abs(filtered(image * inside, bank))
    return tuple(float(answer.max()) / spread(answer[inside]) for answer in answers)


def spread(values: np.ndarray) -> float:
    """Standard deviation of the bulk, by the median absolute value; never 0."""
    return float(1.4826 * np.median(np.abs(values))) + 1e-9


def over_spread(image: Image, group: Int64[np.ndarray, "h w"], noise: Image, fewest: int = 30) -> Image:
    """The image in units of the noise's spread within each group of pixels; small groups take the whole noise's."""
    whole = spread(noise)
    members = np.bincount(group.ravel())
    units = [spread(noise[group == g]) if count > fewest else whole for g, count in enumerate(members)]
    return np.asarray(image / np.array(units, np.float32)[group], np.float32)
