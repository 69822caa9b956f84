"""Long feature vectors -> a few coordinates, found on an unlabelled cohort."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np
from jaxtyping import Float, Float64

from layerwatch.verdict.gram import Components, components_of

MOST = 200  # components that are ever looked at, as in the paper


class Reduction(ABC):
    """Components by their variance in the feature space of a kernel, strongest first; the first k are a reduction to k.

    What ``fit`` learns ends in ``_``; no label is used.
    """

    summary: ClassVar[str]
    source: ClassVar[str]
    label: ClassVar[str]  # as Table 2 writes it

    components_: Components

    @abstractmethod
    def kernel(self, X: Float64[np.ndarray, "m d"], Y: Float64[np.ndarray, "n d"]) -> Float64[np.ndarray, "m n"]:
        """Inner products of the rows of X and Y in feature space; they need not be centred."""

    def fit(self, X: Float[np.ndarray, "n d"], most: int = MOST) -> Reduction:
        """Find up to ``most`` components of a cohort."""
        self.components_ = components_of(X, self.kernel, most)
        return self

    def apply(self, X: Float[np.ndarray, "m d"]) -> Float64[np.ndarray, "m k"]:
        """Coordinates of other vectors, strongest component first."""
        return self.components_.project(X)

    def explaining(self, share: float) -> int:
        """How many components explain that share of the cohort's variance, or all that were found."""
        explained = np.cumsum(self.components_.variances) / max(self.components_.total, 1e-300)
        return min(int(np.searchsorted(explained, share)) + 1, len(explained))
