"""A defect's signal and the healthy covariance -> detectability d', and the amount that reaches a wanted severity.

Severity s means that a matched filter that knows the very defect has d' = 10 s on one frame:

    d'^2 = S^T C^-1 S,   C = m T_p m + (1 - m) T_b (1 - m) + n^2 + B diag(b^2) B^T

S is the spoiled minus the healthy frame in K, before noise. C is the covariance of healthy frames of that layer: m is
the share of each pixel that is printed; T_p and T_b are the textures of part and bed, known by their power spectra; n
is the camera's noise; and a few directions B differ from layer to layer as a whole, with standard deviations b: the
levels of bed and part, and the place of the outline. C is never built: C^-1 S is found by conjugate gradients, with the
spectrum of the mean texture as preconditioner, and the directions are added by Woodbury's formula.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float32, Float64
from scipy import fft, optimize

Image = Float32[np.ndarray, "h w"]
Planes = Float32[np.ndarray, "*n h w"]
_TOLERANCE = 3e-3  # of the residual's norm; d' is then right to about one part in ten thousand
_MOST_ROUNDS = 300


@dataclass(frozen=True, eq=False)
class HealthyCovariance:
    """What varies between healthy frames of one layer, in K."""

    coverage: Image  # of the layer, blurred
    part_spectrum: Float64[np.ndarray, "h f"]  # of the texture where it is printed, K^2
    bed_spectrum: Float64[np.ndarray, "h f"]  # of the texture of the bed, K^2
    noise: float  # K
    directions: Float64[np.ndarray, "b h w"]  # K a unit
    spreads: Float64[np.ndarray, " b"]  # standard deviations, in units

    def detectability(self, signal: Image) -> float:
        """Compute d' of a matched filter for this signal, in K."""
        return float(np.sqrt(max(float((signal * self.matched_filter(signal)).sum()), 0.0)))

    def matched_filter(self, signal: Image) -> Float64[np.ndarray, "h w"]:
        """Apply C^-1 to a signal in K; summed over a frame times this, the signal stands out best."""
        S, B = signal.astype(np.float64), self.directions
        if not S.any():
            return np.zeros_like(S)
        gram = np.tensordot(self._weighted, B, ((1, 2), (1, 2)))
        known = np.linalg.solve(np.diag(self.spreads**-2.0) + (gram + gram.T) / 2, np.tensordot(self._weighted, S, 2))
        return np.asarray(self._solved(S) - np.tensordot(known, self._weighted, 1))

    def times(self, v: Image) -> Image:
        """Product with the covariance of textures and noise."""
        shares, spectra = self._operator
        told = shares * _filtered(shares * v, spectra)
        return np.asarray(told[0] + told[1] + np.float32(self.noise**2) * v)

    @cached_property
    def _operator(self) -> tuple[Float32[np.ndarray, "2 h w"], Float32[np.ndarray, "2 h f"]]:
        """Shares of part and bed at each pixel, and their textures' spectra."""
        m = self.coverage.astype(np.float32)
        return np.stack([m, 1 - m]), np.stack([self.part_spectrum, self.bed_spectrum]).astype(np.float32)

    @cached_property
    def _weighted(self) -> Float64[np.ndarray, "b h w"]:
        return np.stack([self._solved(direction) for direction in self.directions])

    def _solved(self, right: Float64[np.ndarray, "h w"]) -> Float64[np.ndarray, "h w"]:
        """Apply the inverse covariance of textures and noise, by preconditioned conjugate gradients in 32 bit."""
        size = float(np.sqrt((right**2).sum()))
        m = float(self.coverage.mean())
        gain = (1 / (m * self.part_spectrum + (1 - m) * self.bed_spectrum + self.noise**2)).astype(np.float32)
        r: Image = (right / size).astype(np.float32)
        x: Image = np.zeros_like(r)
        z = _filtered(r, gain)
        p, rho = z, float((r * z).sum())
        for _ in range(_MOST_ROUNDS):
            if float((r * r).sum()) <= _TOLERANCE**2:
                break
            q = self.times(p)
            step = np.float32(rho / float((p * q).sum()))
            x, r = np.asarray(x + step * p, np.float32), np.asarray(r - step * q, np.float32)
            z = _filtered(r, gain)
            fresh = float((r * z).sum())
            p, rho = np.asarray(z + np.float32(fresh / rho) * p, np.float32), fresh
        return np.asarray(x.astype(np.float64) * size)


def _filtered(v: Planes, transfer: Float32[np.ndarray, "*n h f"]) -> Planes:
    return np.asarray(fft.irfft2(fft.rfft2(v) * transfer, s=v.shape[-2:]), np.float32)


def amount_for(detectability: Callable[[float], float], wanted: float, *, linear: bool, most: float) -> float:
    """The amount at which d' reaches ``wanted``.

    Args:
        detectability: d' of an amount.
        wanted: d'.
        linear: d' is proportional to the amount; else it is searched, d' rising with the amount.
        most: never more than this, even if d' stays below ``wanted``.
    """
    if linear:
        one = detectability(1.0)
        return min(wanted / one, most) if one > 0 else most
    reached = detectability(most)
    if reached <= wanted:
        return most

    def beyond(amount: float) -> float:
        return detectability(amount) - wanted

    return float(optimize.brentq(beyond, 0.0, most, xtol=1e-3 * most, rtol=1e-3))
