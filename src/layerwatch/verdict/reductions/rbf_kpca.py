"""Kernel PCA with the radial basis function."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Float64

from layerwatch.verdict.gram import squared_distances
from layerwatch.verdict.reductions.base import Reduction


@dataclass
class RbfKpca(Reduction):
    """scikit-learn's default width, which the paper names no other for."""

    summary: ClassVar[str] = "kernel PCA, radial basis function"
    source: ClassVar[str] = "Schoelkopf, Smola and Mueller 1997; scikit-learn"
    label: ClassVar[str] = "rbf kPCA"

    def kernel(self, X: Float64[np.ndarray, "m d"], Y: Float64[np.ndarray, "n d"]) -> Float64[np.ndarray, "m n"]:
        """``exp(-|x - y|^2 / d)``."""
        return np.asarray(np.exp(-squared_distances(X, Y) / X.shape[1]))
