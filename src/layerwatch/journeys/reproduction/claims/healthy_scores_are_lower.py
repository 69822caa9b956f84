"""Claim: with each approach healthy images have smaller scores than anomalous ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from layerwatch.journeys.reproduction.claims.base import Claim, Finding
from layerwatch.journeys.reproduction.figure7 import SCORES, cohort_of
from layerwatch.journeys.reproduction.workshop import Workshop


@dataclass
class HealthyScoresAreLower(Claim):
    """Medians, mean over the seeds."""

    summary: ClassVar[str] = "each approach gives healthy images smaller scores than anomalous ones"
    source: ClassVar[str] = "section 5.2, Figure 7"

    def check(self, shop: Workshop) -> Finding:
        """See Claim."""
        ratios: dict[str, list[float]] = {name: [] for name in SCORES}
        for seed in shop.protocol.seeds:
            cohort = cohort_of(shop, seed, shop.protocol.severity)
            for name, X in cohort.inputs.items():
                bad = cohort.is_defective
                ratios[name].append(float(np.median(X[bad]) / np.median(X[~bad])))
        means = {SCORES[name][0]: float(np.mean(values)) for name, values in ratios.items()}
        said = ", ".join(f"{name}: {value:.3f}" for name, value in means.items())
        return Finding(f"median of defective over median of healthy scores: {said}", min(means.values()) > 1)
