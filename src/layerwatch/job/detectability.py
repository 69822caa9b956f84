"""A defect's signal and the healthy covariance -> detectability d', and the amount that reaches a wanted severity.

Severity s means that a matched filter that knows the very defect has d' = 10 s on one frame:

    d'^2 = S^T C^-1 S,   C = m T_p m + (1 - m) T_b (1 - m) + n^2 + B diag(b^2) B^T

S is the spoiled minus the healthy frame in K, before noise. C is the covariance of healthy frames of that layer: m is
the share of each pixel that is printed; T_p and T_b are the textures of part and bed, known by their power spectra; n
is the camera's noise; and a few directions B differ from layer to layer as a whole, with standard deviations b: the
levels of bed and part, and the place of the outline. C is never built: C^-1 S is found by conjugate gradients, with the
spectrum of the mean texture as preconditioner.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Complex64, Float32, Float64
from scipy import fft

Image = Float32[np.ndarray, "h w"]
Planes = Float32[np.ndarray, "*n h w"]
_TOLERANCE = 1e-3  # of the residual's norm
_SETTLED, _LAST = 1e-2, 4  # share of d'^2 that the last rounds may add, and how many rounds those are
_MOST_ROUNDS = 300
_CLOSE, _MOST_GUESSES = 5e-3, 20  # of the amount of a defect whose d' is not proportional to it


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
        """Compute d' of a matched filter for this signal, in K; right to about half a per cent."""
        return float(np.sqrt(self._solved(signal, _SETTLED)[1]))

    def matched_filter(self, signal: Image) -> Float64[np.ndarray, "h w"]:
        """Apply C^-1 to a signal in K; summed over a frame times this, the signal stands out best."""
        return self._solved(signal, 0.0)[0]

    def _solved(self, signal: Image, settled: float) -> tuple[Float64[np.ndarray, "h w"], float]:
        """C^-1 S and S^T C^-1 S by preconditioned conjugate gradients in 32 bit.

        Each round adds to S^T C^-1 S, less and less (Hestenes and Stiefel 1952); ``settled`` is the share that the last
        few rounds may add. The other end is a small residual.
        """
        size = float(np.sqrt((signal.astype(np.float64) ** 2).sum()))
        if size == 0:
            return np.zeros(signal.shape), 0.0
        gain = (1 / self._mixed).astype(np.float32)
        r: Image = (signal / np.float32(size)).astype(np.float32)
        x: Image = np.zeros_like(r)
        z = _filtered(r, gain)
        p, rho, added = z, float((r * z).sum()), list[float]()
        for _ in range(_MOST_ROUNDS):
            q = self.times(p)
            step = rho / float((p * q).sum())
            x += np.float32(step) * p
            r -= np.float32(step) * q
            added.append(step * rho)
            small = len(added) > _LAST and sum(added[-_LAST:]) <= settled * sum(added)
            if small or float((r * r).sum()) <= _TOLERANCE**2:
                break
            z = _filtered(r, gain)
            fresh = float((r * z).sum())
            p, rho = np.asarray(z + np.float32(fresh / rho) * p, np.float32), fresh
        return np.asarray(x.astype(np.float64) * size), sum(added) * size**2

    def about(self, spectrum: Complex64[np.ndarray, "h f"]) -> float:
        """Compute d' as if part and bed were evenly mixed everywhere; from a signal's half-plane transform, in K."""
        h, f = spectrum.shape
        width = 2 * (f - 1) if self.coverage.shape[1] % 2 == 0 else 2 * f - 1
        power = (np.abs(spectrum) ** 2 / self._mixed).sum(0)
        whole = 2 * power.sum() - power[0] - (power[-1] if width % 2 == 0 else 0)
        return float(np.sqrt(whole / (h * width)))

    @property
    def _mixed(self) -> Float64[np.ndarray, "h f"]:
        """Spectrum of the textures where part and bed are evenly mixed, and noise."""
        m = float(self.coverage.mean())
        return np.asarray(m * self.part_spectrum + (1 - m) * self.bed_spectrum + self.noise**2)

    def times(self, v: Image) -> Image:
        """Product with the covariance."""
        shares, spectra = self._operator
        told = shares * _filtered(shares * v, spectra)
        total = told[0] + told[1] + np.float32(self.noise**2) * v
        for direction in self._scaled:
            total += direction * np.float32((direction * v).sum(dtype=np.float64))
        return np.asarray(total, np.float32)

    @cached_property
    def _operator(self) -> tuple[Float32[np.ndarray, "2 h w"], Float32[np.ndarray, "2 h f"]]:
        """Shares of part and bed at each pixel, and their textures' spectra."""
        m = self.coverage.astype(np.float32)
        return np.stack([m, 1 - m]), np.stack([self.part_spectrum, self.bed_spectrum]).astype(np.float32)

    @cached_property
    def _scaled(self) -> Float32[np.ndarray, "b h w"]:
        """The directions times their standard deviations, in K."""
        return np.asarray(self.spreads[:, None, None] * self.directions, np.float32)


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
    low, high, amount = (0.0, 0.0), (most, detectability(most)), most / 8
    if high[1] <= wanted:
        return most
    for _ in range(_MOST_GUESSES):
        found = detectability(amount)
        if abs(found - wanted) <= _CLOSE * wanted:
            break
        low, high = (low, (amount, found)) if found > wanted else ((amount, found), high)
        along = wanted / found * amount if low[0] == 0 else np.interp(wanted, (low[1], high[1]), (low[0], high[0]))
        amount = float(along if low[0] < along < high[0] else (low[0] + high[0]) / 2)
    return amount
