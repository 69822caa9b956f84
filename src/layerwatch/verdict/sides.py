"""Two clusters of an unlabelled cohort -> which of them is NOK."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float, Int


def abnormality(X: Float[np.ndarray, "n d"], centre: Float[np.ndarray, " d"]) -> Float[np.ndarray, " n"]:
    """How far out a vector lies: itself in one dimension (higher is more abnormal), else its distance to the centre."""
    if X.shape[1] == 1:
        return np.asarray(X[:, 0])
    return np.asarray(np.sqrt(((X - centre) ** 2).sum(1)))


def cohort_centre(X: Float[np.ndarray, "n d"]) -> Float[np.ndarray, " d"]:
    """The coordinate-wise median of the cohort."""
    return np.asarray(np.median(X, axis=0))


def farther_side(X: Float[np.ndarray, "n d"], labels: Int[np.ndarray, " n"]) -> int:
    """The cluster, 0 or 1, whose members are on average more abnormal; no label of any layer is used."""
    far = abnormality(X, cohort_centre(X))
    means = [far[labels == side].mean() if (labels == side).any() else -np.inf for side in (0, 1)]
    return int(means[1] > means[0])


def as_nok(labels: Int[np.ndarray, " n"], nok: int) -> Bool[np.ndarray, " n"]:
    """True for members of the NOK cluster."""
    return np.asarray(labels == nok)
