"""The n x n kernel matrix of a cohort -> its components, strongest first: O(n^2 d + n^3), never O(d^2)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float64

Vectors = Float64[np.ndarray, "n d"]
Kernel = Callable[[np.ndarray, np.ndarray], np.ndarray]  # (m, d) and (n, d) -> (m, n)


@dataclass(frozen=True, eq=False)
class Components:
    """Directions in the feature space of a kernel, found on a training cohort of n vectors."""

    kernel: Kernel
    cohort: Float64[np.ndarray, "n d"]
    row_mean: Float64[np.ndarray, " n"]  # of the kernel matrix
    axes: Float64[np.ndarray, "n k"]  # weights of the cohort's kernel values
    variances: Float64[np.ndarray, " k"]  # along each of them, falling
    total: float  # variance along all directions

    def project(self, X: Float[np.ndarray, "m d"]) -> Float64[np.ndarray, "m k"]:
        """Coordinates of other vectors."""
        K = self.kernel(X.astype(np.float64), self.cohort)
        return np.asarray(_centred(K, self.row_mean) @ self.axes)


def components_of(X: Float[np.ndarray, "n d"], kernel: Kernel, most: int) -> Components:
    """The strongest components of a cohort, up to ``most``; those without variance are left away.

    Source: Schoelkopf, Smola and Mueller 1997; with the linear kernel it is PCA (Turk and Pentland 1991).
    """
    cohort = X.astype(np.float64)
    K = kernel(cohort, cohort)
    row_mean = K.mean(0)
    values, vectors = np.linalg.eigh(_centred(K, row_mean))
    strongest = np.argsort(values)[::-1][:most]
    total, values, vectors = float(values.clip(0).sum()), values[strongest], vectors[:, strongest]
    keep = values > 1e-10 * max(float(values[0]), 1e-300)
    signs = np.sign(vectors[np.abs(vectors).argmax(0), np.arange(len(strongest))])
    axes = (vectors * signs)[:, keep] / np.sqrt(values[keep])
    return Components(kernel, cohort, row_mean, axes, values[keep] / len(X), total / len(X))


def squared_distances(X: Float64[np.ndarray, "m d"], Y: Float64[np.ndarray, "n d"]) -> Float64[np.ndarray, "m n"]:
    """Of every row of X to every row of Y."""
    return np.asarray(np.maximum((X**2).sum(1)[:, None] + (Y**2).sum(1)[None] - 2 * X @ Y.T, 0))


def _centred(K: Float64[np.ndarray, "m n"], row_mean: Float64[np.ndarray, " n"]) -> Float64[np.ndarray, "m n"]:
    """Kernel values after centring in feature space, on the training cohort."""
    return np.asarray(K - row_mean - K.mean(1, keepdims=True) + row_mean.mean())
