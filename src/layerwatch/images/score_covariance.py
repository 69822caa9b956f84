"""Scores of cells, or columns and what they leave -> covariance of their sums when the noise is correlated in space."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32, Float64, Int64
from scipy import fft, stats

from layerwatch.images.soft_plan import Band

Square = Float64[np.ndarray, "k k"]

_LAGS = 16  # px, over which the rest may be correlated


def two_way(
    scores: Float64[np.ndarray, "k g"], row: Int64[np.ndarray, " g"], column: Int64[np.ndarray, " g"]
) -> Square:
    """Covariance of the sum of all cells' scores where cells in one row or one column of cells are correlated.

    Textures of a powder bed run along the image's axes, so what spoils one cell spoils its neighbours along a line
    (two-way clusters, Cameron, Gelbach and Miller 2011; neighbouring lines by Bartlett's weights).
    """
    both = _along(scores, row) + _along(scores, column) - scores @ scores.T / 2
    values, vectors = np.linalg.eigh(both)
    return np.asarray((vectors * np.maximum(values, 0)) @ vectors.T)


def _along(scores: Float64[np.ndarray, "k g"], line: Int64[np.ndarray, " g"]) -> Square:
    of = line - line.min()
    sums = np.stack([np.bincount(of, row) for row in scores])
    beside = sums[:, 1:] @ sums[:, :-1].T / 2
    count = max(len(np.unique(of)), 2)
    student = _student(count - 1)
    return np.asarray((sums @ sums.T + beside + beside.T) * (count / (count - 1)) * student**2)


def _student(known: int) -> float:
    """By how much a standard error from few lines must grow so that twice it holds what it promises."""
    return float(stats.t.ppf(0.97725, known)) / 2


def correlated(
    columns: Float32[np.ndarray, "k n"], rest: Float32[np.ndarray, " n"], weights: Float32[np.ndarray, " n"], band: Band
) -> Square:
    """Covariance of the sums of columns times rest, by the correlation of the rest between the pixels of the band.

    Args:
        columns: with their weights.
        rest: noise as it was seen.
        weights: of the pixels in the correlation.
        band: where the pixels lie.
    """
    top, left = band.rows.min(), band.columns.min()
    shape = (int(band.rows.max() - top + 1), int(band.columns.max() - left + 1))
    padded = tuple(fft.next_fast_len(side + _LAGS, real=True) for side in shape)
    images = np.zeros((len(columns) + 2, *padded), np.float32)
    scale = max(float(np.abs(rest).max()), 1e-30)  # single precision holds no squares of what is very small
    images[:, band.rows - top, band.columns - left] = np.concatenate([columns, [weights * rest / scale, weights]])
    spectra = fft.rfft2(images)
    product, pairs = (fft.irfft2(np.abs(spectra[k]) ** 2, s=padded) for k in (-2, -1))
    lag = [np.minimum(np.arange(side), side - np.arange(side)) for side in padded]
    taper = np.outer(*(np.clip(1 - one / np.float32(_LAGS), 0, None) for one in lag)).astype(np.float32)
    power = np.maximum(fft.rfft2(product / np.maximum(pairs, 1.0) * taper).real, 0)
    double = np.full(spectra.shape[-1], 2.0, np.float32)  # the half plane that a real transform leaves away
    double[0] = 1.0
    if padded[1] % 2 == 0:
        double[-1] = 1.0
    weighed = spectra[:-2] * (power * double * np.float32(scale**2 / np.prod(padded)))
    flat = spectra[:-2].reshape(len(columns), -1)
    return np.asarray((weighed.reshape(flat.shape) @ flat.conj().T).real, np.float64)
