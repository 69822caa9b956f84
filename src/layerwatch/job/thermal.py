"""Fresh temperatures of each layer -> what is seen while earlier layers still shine through, in K or degC."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32


@dataclass
class HeatMemory:
    """``H_k = (1 - decay) T_k + decay H_{k-1}``: the temperature decay from layer to layer of the paper's Figure 3."""

    decay: float
    _seen: Float32[np.ndarray, "h w"] | None = None

    def see(self, fresh: Float32[np.ndarray, "h w"]) -> Float32[np.ndarray, "h w"]:
        """Lay a fresh layer down; returns what the camera would see."""
        before = fresh if self._seen is None else self._seen
        self._seen = np.asarray((1 - self.decay) * fresh + self.decay * before, np.float32)
        return self._seen


def texture_share(decay: float, memory: float) -> float:
    """Variance of a texture after the heat memory, as a share of its fresh variance.

    The texture is a first-order autoregressive series over the layers with correlation ``memory``.
    """
    return (1 - decay) * (1 + memory * decay) / ((1 + decay) * (1 - memory * decay))
