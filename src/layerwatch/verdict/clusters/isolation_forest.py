"""Isolation Forest: vectors that few random cuts set apart are NOK."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import numpy as np
from jaxtyping import Bool, Float
from sklearn import ensemble

from layerwatch.verdict.clusters.base import ClusterMethod


@dataclass
class IsolationForest(ClusterMethod):
    """By itself it knows which side is NOK. Contamination 0.5 is the paper's balanced cohort; "auto" assumes none."""

    summary: ClassVar[str] = "vectors that few random cuts set apart are NOK"
    source: ClassVar[str] = "Liu, Ting and Zhou 2008; scikit-learn"

    contamination: float | Literal["auto"] = 0.5
    trees: int = 100
    forest_: Any = field(default=None, repr=False)  # of scikit-learn, None before fit

    def fit(self, X: Float[np.ndarray, "n d"], *, seed: int = 0) -> IsolationForest:
        """See ClusterMethod."""
        forest = ensemble.IsolationForest(n_estimators=self.trees, contamination=self.contamination, random_state=seed)
        self.forest_ = forest.fit(X)
        return self

    def predict(self, X: Float[np.ndarray, "n d"]) -> Bool[np.ndarray, " n"]:
        """See ClusterMethod."""
        return np.asarray(self.forest_.predict(X) == -1)
