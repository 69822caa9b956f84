"""A defect's signal and the healthy covariance -> detectability d', and the amount that reaches a wanted severity.

Severity s means that a matched filter that knows the very defect has d' = 10 s on one frame:

    d'^2 = S^T C^-1 S,   C = F^* diag(n P) F + B diag(b^2) B^T

S is the spoiled minus the healthy frame in K, before noise. C is the covariance of healthy frames of that layer: P, the
power spectrum of texture and camera noise, diagonal in the Fourier basis F; and a few directions B that differ from
layer to layer as a whole, with standard deviations b: the levels of bed and part, and the place of the outline. The
texture's variance is the mean of part and bed, weighted by where the signal lies.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Complex128, Float32, Float64
from scipy import fft

from layerwatch.job.textures import column_weights

Image = Float32[np.ndarray, "h w"]


@dataclass(frozen=True, eq=False)
class HealthyCovariance:
    """What varies between healthy frames of one layer, in K."""

    coverage: Image  # of the layer, blurred
    part_spectrum: Float64[np.ndarray, "h f"]  # texture where it is printed, with the camera's noise
    bed_spectrum: Float64[np.ndarray, "h f"]  # the same for the bed
    directions: Float64[np.ndarray, "b h w"]  # K a unit
    spreads: Float64[np.ndarray, " b"]  # standard deviations, in units

    def detectability(self, signal: Image) -> float:
        """Compute d' of a matched filter for this signal, in K."""
        energy = float((signal.astype(np.float64) ** 2).sum())
        if energy == 0:
            return 0.0
        printed = float((signal.astype(np.float64) ** 2 * self.coverage).sum()) / energy
        power = (printed * self.part_spectrum + (1 - printed) * self.bed_spectrum) * signal.size
        weights = column_weights(signal.shape[1]) / power
        S = fft.rfft2(signal.astype(np.float64))
        B = fft.rfft2(self.directions)
        cross = np.array([_inner(b, S, weights) for b in B])
        gram = np.array([[_inner(a, b, weights) for b in B] for a in B])
        known = cross @ np.linalg.solve(np.diag(self.spreads**-2.0) + gram, cross)
        return float(np.sqrt(max(_inner(S, S, weights) - float(known), 0.0)))


def _inner(
    a: Complex128[np.ndarray, "h f"], b: Complex128[np.ndarray, "h f"], weights: Float64[np.ndarray, "h f"]
) -> float:
    """Inner product over the whole frequency plane, each frequency weighted."""
    return float((weights * (a.real * b.real + a.imag * b.imag)).sum())


def amount_for(detectability: Callable[[float], float], wanted: float, *, linear: bool, most: float) -> float:
    """The amount at which d' reaches ``wanted``.

    Args:
        detectability: d' of an amount.
        wanted: d'.
        linear: d' is proportional to the amount; else it is searched by halving.
        most: never more than this, even if d' stays below ``wanted``.
    """
    if linear:
        one = detectability(1.0)
        return min(wanted / one, most) if one > 0 else most
    low, high = 0.0, most
    if detectability(most) <= wanted:
        return most
    for _ in range(24):
        middle = (low + high) / 2
        low, high = (middle, high) if detectability(middle) < wanted else (low, middle)
    return high
