"""Claim: subtracted features with Isolation Forest give the best results, above .95."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from layerwatch.journeys.reproduction.cells import DIFFERENCE, cells, told
from layerwatch.journeys.reproduction.claims.base import Claim, Finding
from layerwatch.journeys.reproduction.judged import yes_or_no
from layerwatch.journeys.reproduction.paper_table2 import PAPER
from layerwatch.journeys.reproduction.workshop import Workshop


@dataclass
class DifferenceWithForestIsBest(Claim):
    """No row of the paper's Table 2, reduced ones included, does better, and at least .95 of the layers are right."""

    summary: ClassVar[str] = "elementwise subtracted features with Isolation Forest deliver the most promising results"
    source: ClassVar[str] = "section 5.2, Table 2"
    paper: ClassVar[str] = "1.000"

    def check(self, shop: Workshop) -> Finding:
        """See Claim."""
        found = cells(shop, *PAPER)
        own = found[DIFFERENCE, "isolation_forest"]
        best = max(found, key=lambda key: found[key])
        said = f"{told({(DIFFERENCE, 'isolation_forest'): own})}; best of all rows: {told({best: found[best]})}"
        return Finding(said, yes_or_no(own >= max(0.95, *found.values())))
