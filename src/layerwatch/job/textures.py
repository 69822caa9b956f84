"""Correlation lengths in px -> random fields of unit variance with a known power spectrum."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from jaxtyping import Complex64, Float32, Float64, Int64
from scipy import fft

_STOPPED = 1e-3  # of the strongest amplitude


@dataclass(frozen=True, eq=False)
class Texture:
    """A stationary Gaussian field on a periodic grid, band-limited by a Gaussian transfer function."""

    along_rows: Float32[np.ndarray, "h 1"]  # its transfer function of white noise is the product of both
    along_columns: Float32[np.ndarray, " w"]

    @classmethod
    def of(cls, height: int, width: int, length: tuple[float, float]) -> Texture:
        """A texture of correlation lengths (rows, columns) in px; the field's variance is 1."""
        v, u = _gaussian(height, length[0] / 2), _gaussian(width, length[1] / 2)
        v, u = v / np.sqrt(np.mean(v**2)), u / np.sqrt(np.mean(u**2))
        return cls(v.astype(np.float32)[:, None], u.astype(np.float32))

    def pair(self, rng: np.random.Generator) -> Float32[np.ndarray, "2 h w"]:
        """Two independent draws: the real and the imaginary part of one complex field.

        Frequencies that the transfer function all but stops are not drawn; they hold a millionth of the power.
        """
        v, u = _passed(self.along_rows[:, 0]), _passed(self.along_columns)
        white = rng.standard_normal((len(v), len(u), 2), np.float32).view(np.complex64)[..., 0]
        white *= self.along_rows[v]
        size = (len(self.along_rows), len(self.along_columns))
        white *= self.along_columns[u] * np.float32(np.sqrt(size[0] * size[1]))
        spectrum = np.zeros(size, np.complex64)
        spectrum[v[:, None], u] = white
        field = fft.ifft2(spectrum, overwrite_x=True)
        return np.stack([field.real, field.imag])

    def spectrum(self) -> Float64[np.ndarray, "h f"]:
        """Expected squared modulus of a draw's real transform divided by the number of pixels."""
        half = self.along_columns[: len(self.along_columns) // 2 + 1]
        return np.asarray((self.along_rows.astype(np.float64) * half) ** 2)


def _passed(transfer: Float32[np.ndarray, " n"]) -> Int64[np.ndarray, " k"]:
    """Frequencies at which a transfer function of one axis is felt."""
    return np.flatnonzero(transfer > _STOPPED * transfer[0])


def gaussian_transfer(shape: tuple[int, ...], sigma: float) -> Float32[np.ndarray, "h f"]:
    """Transfer function of a Gaussian blur of sigma px of images (rows, columns), on the half plane of a transform."""
    v, u = _gaussian(shape[0], sigma), _gaussian(shape[1], sigma)[: shape[1] // 2 + 1]
    return np.asarray(v.astype(np.float32)[:, None] * u.astype(np.float32))


def _gaussian(size: int, sigma: float) -> Float64[np.ndarray, " n"]:
    """Transfer of a blur of sigma px along one axis, at all its frequencies."""
    return np.asarray(np.exp(sigma**2 * _exponents(size)))


@cache
def _exponents(size: int) -> Float64[np.ndarray, " n"]:
    return np.asarray(-2 * (np.pi * fft.fftfreq(size)) ** 2)


def transformed(image: Float32[np.ndarray, "*n h w"]) -> Complex64[np.ndarray, "*n h f"]:
    """Real Fourier transform of images, in 32 bit."""
    return np.asarray(fft.rfft2(image), np.complex64)


def imaged(spectrum: Complex64[np.ndarray, "*n h f"], width: int) -> Float32[np.ndarray, "*n h w"]:
    """The images of real Fourier transforms."""
    return np.asarray(fft.irfft2(spectrum, s=(spectrum.shape[-2], width)), np.float32)


def blurred(
    image: Float32[np.ndarray, "*n h w"], transfer: Float32[np.ndarray, "h f"]
) -> Float32[np.ndarray, "*n h w"]:
    """Images through a transfer function, on the periodic grid."""
    return imaged(np.asarray(transformed(image) * transfer, np.complex64), image.shape[-1])
