"""PCA: the directions of largest variance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Float64

from layerwatch.verdict.reductions.base import Reduction


@dataclass
class Pca(Reduction):
    """The linear kernel."""

    summary: ClassVar[str] = "directions of largest variance"
    source: ClassVar[str] = "Pearson 1901; by the Gram matrix: Turk and Pentland 1991"
    label: ClassVar[str] = "PCA"

    def kernel(self, X: Float64[np.ndarray, "m d"], Y: Float64[np.ndarray, "n d"]) -> Float64[np.ndarray, "m n"]:
        """``x y``."""
        return np.asarray(X @ Y.T)
