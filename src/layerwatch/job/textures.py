"""Correlation lengths in px -> random fields of unit variance with a known power spectrum."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64
from scipy import fft


@dataclass(frozen=True, eq=False)
class Texture:
    """A stationary Gaussian field on a periodic grid, band-limited by a Gaussian transfer function."""

    transfer: Float32[np.ndarray, "h f"]  # of white noise, on the half plane of a real transform
    width: int  # px

    @classmethod
    def of(cls, height: int, width: int, length: tuple[float, float]) -> Texture:
        """A texture of correlation lengths (rows, columns) in px; the field's variance is 1."""
        transfer = gaussian_transfer(height, width, (length[0] / 2, length[1] / 2))
        power = _full_sum(transfer**2, width) / (height * width)
        return cls((transfer / np.sqrt(power)).astype(np.float32), width)

    def field(self, rng: np.random.Generator) -> Float32[np.ndarray, "h w"]:
        """One draw."""
        white = rng.standard_normal((self.transfer.shape[0], self.width), np.float32)
        return np.asarray(fft.irfft2(fft.rfft2(white) * self.transfer, s=white.shape), np.float32)

    def spectrum(self) -> Float64[np.ndarray, "h f"]:
        """Expected squared modulus of a draw's transform divided by the number of pixels."""
        return self.transfer.astype(np.float64) ** 2


def gaussian_transfer(height: int, width: int, sigma: tuple[float, float]) -> Float64[np.ndarray, "h f"]:
    """Transfer function of a Gaussian blur of sigma (rows, columns) px, on the half plane of a real transform."""
    v, u = fft.fftfreq(height)[:, None], fft.rfftfreq(width)[None, :]
    return np.asarray(np.exp(-2 * np.pi**2 * ((v * sigma[0]) ** 2 + (u * sigma[1]) ** 2)))


def blurred(image: Float32[np.ndarray, "h w"], transfer: Float64[np.ndarray, "h f"]) -> Float32[np.ndarray, "h w"]:
    """The image through a transfer function, on the periodic grid."""
    return np.asarray(fft.irfft2(fft.rfft2(image) * transfer.astype(np.float32), s=image.shape), np.float32)


def _full_sum(half: Float64[np.ndarray, "h f"], width: int) -> float:
    """Sum over the whole frequency plane of what is given on its half."""
    return float((half * column_weights(width)).sum())


def column_weights(width: int) -> Float64[np.ndarray, " f"]:
    """How often each column of the half plane stands in the whole plane: once at 0 and Nyquist, else twice."""
    weights = np.full(width // 2 + 1, 2.0)
    weights[0] = 1
    if width % 2 == 0:
        weights[-1] = 1
    return weights
