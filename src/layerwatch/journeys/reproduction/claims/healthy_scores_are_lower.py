"""Claim: with each approach healthy images have smaller scores than anomalous ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from layerwatch.evaluation.metrics import Estimate
from layerwatch.journeys.reproduction.claims.base import Claim, Finding
from layerwatch.journeys.reproduction.detection import areas
from layerwatch.journeys.reproduction.figure7 import SCORES
from layerwatch.journeys.reproduction.judged import OPEN, Holds
from layerwatch.journeys.reproduction.workshop import Workshop


@dataclass
class HealthyScoresAreLower(Claim):
    """For every score and every defect: AUROC above one half with its whole interval by job, mean over the seeds."""

    summary: ClassVar[str] = "each approach gives healthy images smaller scores than anomalous ones"
    source: ClassVar[str] = "section 5.2, Figure 7"

    def check(self, shop: Workshop) -> Finding:
        """See Claim."""
        defects = shop.protocol.defects
        found = {(SCORES[name][0], defect): areas(shop, name, defect) for name in SCORES for defect in defects}
        said = "; ".join(f"{name}, {defect.replace('_', ' ')}: {area}" for (name, defect), area in found.items())
        return Finding(f"AUROC of each defect: {said}", _holds(found))


def _holds(found: Mapping[tuple[str, str], Estimate]) -> Holds:
    """Of a single defect that surely scores lower than healthy layers, the statement fails."""
    if any(area.high < 0.5 for area in found.values()):
        return "no"
    return "yes" if all(area.low > 0.5 for area in found.values()) else OPEN
