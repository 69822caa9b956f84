"""Gaussian mixture of two components by expectation maximisation, the farther one NOK."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import numpy as np
from jaxtyping import Bool, Float, Float64, Int64
from sklearn import mixture

from layerwatch.records import DataError
from layerwatch.verdict.clusters.base import ClusterMethod
from layerwatch.verdict.sides import as_nok, farther_side


@dataclass
class Gmm(ClusterMethod):
    """Full covariances by default; vectors longer than ``full_up_to`` need ``covariance="diag"``."""

    summary: ClassVar[str] = "mixture of two Gaussians by EM, the farther one NOK"
    source: ClassVar[str] = "Dempster, Laird and Rubin 1977; scikit-learn"

    covariance: Literal["full", "diag"] = "full"
    full_up_to: int = 1024
    mixture_: Any = field(default=None, repr=False)  # of scikit-learn, None before fit
    nok_: int = field(default=1, repr=False)

    def fit(self, X: Float[np.ndarray, "n d"], *, seed: int = 0) -> Gmm:
        """See ClusterMethod.

        Raises:
            DataError: too many dimensions for full covariances (the paper's memory error).
        """
        d = X.shape[1]
        if self.covariance == "full" and d > self.full_up_to:
            raise DataError(
                f"two full covariances of {d} features take {2 * d * d * 8 / 2**30:.1f} GiB several times over; "
                'reduce the features first, or set covariance="diag"'
            )
        wide = X.astype(np.float64)
        self.mixture_ = _mixture(wide, 2, self.covariance, seed)
        self.nok_ = farther_side(X, self.mixture_.predict(wide))
        return self

    def predict(self, X: Float[np.ndarray, "n d"]) -> Bool[np.ndarray, " n"]:
        """See ClusterMethod."""
        return as_nok(self.mixture_.predict(X.astype(np.float64)), self.nok_)

    def split(
        self, X: Float[np.ndarray, "n d"], Y: Float[np.ndarray, "m d"], count: int, *, seed: int = 0
    ) -> Int64[np.ndarray, " m"]:
        """See ClusterMethod: ``count`` Gaussians, diagonal ones where there are too many features for so many."""
        covariance = self.covariance if X.shape[1] * count <= self.full_up_to else "diag"
        model = _mixture(np.asarray(X, np.float64), count, covariance, seed)
        return np.asarray(model.predict(np.asarray(Y, np.float64)), np.int64)


def _mixture(X: Float64[np.ndarray, "n d"], count: int, covariance: str, seed: int) -> Any:
    floor = 1e-6 * float(X.var(0).mean()) + 1e-12  # scores may be tiny: the floor follows their scale
    model = mixture.GaussianMixture(count, covariance_type=covariance, reg_covar=floor, max_iter=300, random_state=seed)
    return model.fit(X)
