"""Kernel PCA with the polynomial kernel of degree 3."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Float64

from layerwatch.verdict.reductions.base import Reduction


@dataclass
class PolyKpca(Reduction):
    """scikit-learn's defaults, which the paper names no others for."""

    summary: ClassVar[str] = "kernel PCA, polynomial of degree 3"
    source: ClassVar[str] = "Schoelkopf, Smola and Mueller 1997; scikit-learn"
    label: ClassVar[str] = "poly kPCA"

    degree: int = 3
    offset: float = 1.0

    def kernel(self, X: Float64[np.ndarray, "m d"], Y: Float64[np.ndarray, "n d"]) -> Float64[np.ndarray, "m n"]:
        """``(x y / d + offset) ** degree``."""
        return np.asarray((X @ Y.T / X.shape[1] + self.offset) ** self.degree)
