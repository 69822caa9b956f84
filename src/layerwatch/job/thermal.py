"""Fresh temperatures of each layer -> what is seen while earlier layers still shine through, in K or degC.

Heat is linear in the layers: after n layers a share h_n = sum_i w_i r_i^n of a layer is left, spread by n blurs. One
pair (w, r) = (1 - d, d) is the temperature decay of the paper's Figure 3. Three pairs follow one-dimensional conduction
into the sand, which falls like 1 / (n + 1), within 2 %. Everything runs on the half plane of a real Fourier transform.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from jaxtyping import Complex64, Float32

Spectrum = Complex64[np.ndarray, "h f"]
Spread = Float32[np.ndarray, "h f"]  # transfer function

# Leaky integrators (weights, rates a layer) of one-dimensional conduction, by layer time in s.
_FITTED = {
    8.0: ((0.57, 0.31, 0.12), (0.27, 0.78, 0.95)),
    20.0: ((0.57, 0.37, 0.06), (0.27, 0.83, 0.98)),
}


@dataclass(frozen=True)
class Kernel:
    """How a layer fades: weights w_i and rates r_i a layer of leaky integrators."""

    weights: tuple[float, ...]
    rates: tuple[float, ...]

    @classmethod
    def decay(cls, decay: float) -> Kernel:
        """The paper's: each layer shows ``decay`` of the one before."""
        return cls((1 - decay,), (decay,))

    @classmethod
    @cache
    def conduction(cls, layer_time: float) -> Kernel:
        """Three integrators for a layer time in s, between the fitted ones along its logarithm."""
        times = sorted(_FITTED)
        t = [float(np.log(time)) for time in times]
        at = float(np.log(layer_time))
        rows = [np.concatenate(_FITTED[time]) for time in times]
        values = [float(np.interp(at, t, [row[i] for row in rows])) for i in range(6)]
        return cls(tuple(values[:3]), tuple(values[3:]))

    @property
    def fresh(self) -> float:
        """Share of the newest layer in what is seen, h_0."""
        return float(sum(self.weights))

    def after(self, layers: int) -> float:
        """h_n: the share left after n more layers."""
        return float(sum(w * r**layers for w, r in zip(self.weights, self.rates, strict=True)))

    def correlated(self, memory: float) -> float:
        """Variance of what is seen over that of a fresh quantity, an autoregressive series with that correlation."""
        pairs = [
            (w * v, r, s)
            for w, r in zip(self.weights, self.rates, strict=True)
            for v, s in zip(self.weights, self.rates, strict=True)
        ]
        return float(sum(a * (1 / (1 - r * memory) + 1 / (1 - s * memory) - 1) / (1 - r * s) for a, r, s in pairs))


@dataclass(eq=False)
class HeatMemory:
    """J_i <- r_i g J_i + w_i F, seen: sum_i J_i; g is the lateral spread of heat in a layer time.

    The kernel is given anew with each layer, since its decay may differ a little from layer to layer.
    """

    _state: Complex64[np.ndarray, "i h f"] | None = None

    def settle(self, fresh: Spectrum, kernel: Kernel, spread: Spread, layers: float) -> None:
        """As if that many layers had been laid down before, all alike; infinitely many make their steady state."""
        left = _column(kernel.rates) * spread
        self._state = np.asarray(_column(kernel.weights) * fresh * ((1 - left**layers) / (1 - left)), np.complex64)

    def see(self, fresh: Spectrum, kernel: Kernel, spread: Spread) -> Spectrum:
        """Lay a fresh layer down; returns what is seen."""
        if self._state is None:
            self._state = np.zeros((len(kernel.weights), *fresh.shape), np.complex64)
        self.fade(kernel, spread)
        self._state += _column(kernel.weights) * fresh
        return np.asarray(self._state.sum(0), np.complex64)

    def fade(self, kernel: Kernel, spread: Spread) -> Spectrum:
        """One layer time without a fresh layer; returns what is left to be seen of the earlier ones."""
        if self._state is None:
            return np.zeros(spread.shape, np.complex64)
        self._state *= _column(kernel.rates) * spread
        return np.asarray(self._state.sum(0), np.complex64)

    def rest(self, layers: float, kernel: Kernel, spread: Spread) -> None:
        """Nothing is laid down for that many layer times."""
        if self._state is not None:
            self._state *= (_column(kernel.rates) * spread) ** np.float32(layers)

    @property
    def is_cold(self) -> bool:
        """Nothing was laid down yet."""
        return self._state is None


def _column(values: tuple[float, ...]) -> Float32[np.ndarray, "i 1 1"]:
    return np.array(values, np.float32)[:, None, None]
