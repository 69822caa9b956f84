"""Claim: Isolation Forest works on thousands of features, where the other methods do not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from layerwatch.journeys.reproduction.cells import CHANCE, DIFFERENCE, cells, told
from layerwatch.journeys.reproduction.claims.base import Claim, Finding
from layerwatch.journeys.reproduction.judged import OPEN, yes_or_no
from layerwatch.journeys.reproduction.workshop import Workshop


@dataclass
class ForestTakesManyFeatures(Claim):
    """On the subtracted features as they are, by .05 or more; it cannot be judged where every method is at chance."""

    summary: ClassVar[str] = "Isolation Forest detects anomalies in high-dimensional data, other methods suffer from it"
    source: ClassVar[str] = "section 5.2, Table 2"
    paper: ClassVar[str] = "1.000 against .688 and .500 on 8192 features"

    def check(self, shop: Workshop) -> Finding:
        """See Claim."""
        found = cells(shop, DIFFERENCE)
        if max(found.values()) < CHANCE:
            return Finding(f"{told(found)}; all at chance (below {CHANCE})", OPEN)
        others = [value for (_, method), value in found.items() if method != "isolation_forest"]
        return Finding(told(found), yes_or_no(found[DIFFERENCE, "isolation_forest"] >= max(others) + 0.05))
