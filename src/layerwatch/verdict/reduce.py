"""Long feature vectors -> a few components, by PCA or kernel PCA through the n x n Gram matrix."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float, Float64

Kind = Literal["pca", "poly", "rbf"]


@dataclass(frozen=True, eq=False)
class Reduction:
    """Projection onto components found on a training cohort of n vectors of length d."""

    kind: Kind
    cohort: Float64[np.ndarray, "n d"]  # centred on the mean
    mean: Float64[np.ndarray, " d"]
    gamma: float  # of the kernel, 1 / d as scikit-learn's default
    row_mean: Float64[np.ndarray, " n"]  # of the kernel matrix
    axes: Float64[np.ndarray, "n k"]  # weights of the cohort's kernel values

    def apply(self, X: Float[np.ndarray, "m d"]) -> Float64[np.ndarray, "m k"]:
        """Components of other vectors."""
        K = _kernel(self.kind, X.astype(np.float64) - self.mean, self.cohort, self.gamma)
        return np.asarray(_centred(K, self.row_mean) @ self.axes)


def fit_reduction(kind: Kind, X: Float[np.ndarray, "n d"], components: int) -> Reduction:
    """Find the strongest components; cost O(n^2 d + n^3), never O(d^2)."""
    mean = X.astype(np.float64).mean(0)
    cohort = X.astype(np.float64) - mean
    gamma = 1 / X.shape[1]
    K = _kernel(kind, cohort, cohort, gamma)
    row_mean = K.mean(0)
    values, vectors = np.linalg.eigh(_centred(K, row_mean))
    strongest = np.argsort(values)[::-1][:components]
    values, vectors = values[strongest], vectors[:, strongest]
    keep = values > 1e-10 * max(float(values[0]), 1e-300)
    signs = np.sign(vectors[np.abs(vectors).argmax(0), np.arange(len(strongest))])
    axes = (vectors * signs)[:, keep] / np.sqrt(values[keep])
    return Reduction(kind, cohort, mean, gamma, row_mean, axes)


def components_for(share: float, X: Float[np.ndarray, "n d"], most: int = 200) -> int:
    """How many principal components explain that share of the variance; needs no label."""
    cohort = X.astype(np.float64) - X.astype(np.float64).mean(0)
    values = np.clip(np.linalg.eigvalsh(cohort @ cohort.T)[::-1], 0, None)
    explained = np.cumsum(values) / max(float(values.sum()), 1e-300)
    return min(int(np.searchsorted(explained, share)) + 1, most, len(X) - 1)


def _kernel(
    kind: Kind, X: Float64[np.ndarray, "m d"], cohort: Float64[np.ndarray, "n d"], gamma: float
) -> Float64[np.ndarray, "m n"]:
    dot = X @ cohort.T
    if kind == "pca":
        return np.asarray(dot)
    if kind == "poly":
        return np.asarray((gamma * dot + 1) ** 3)
    squared = (X**2).sum(1)[:, None] + (cohort**2).sum(1)[None] - 2 * dot
    return np.asarray(np.exp(-gamma * np.maximum(squared, 0)))


def _centred(K: Float64[np.ndarray, "m n"], row_mean: Float64[np.ndarray, " n"]) -> Float64[np.ndarray, "m n"]:
    """Kernel values after centring in feature space, on the training cohort."""
    return np.asarray(K - row_mean - K.mean(1, keepdims=True) + row_mean.mean())
