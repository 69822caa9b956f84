"""Claim: more clusters do not find the kinds of anomalies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from layerwatch.journeys.reproduction.claims.base import Claim, Finding
from layerwatch.journeys.reproduction.judged import yes_or_no
from layerwatch.journeys.reproduction.multi_class import all_rows
from layerwatch.journeys.reproduction.workshop import Workshop


@dataclass
class NoKindsAreFound(Claim):
    """The adjusted Rand index stays below .3 for every input and method."""

    summary: ClassVar[str] = "the models are not able to cluster different anomaly types"
    source: ClassVar[str] = "section 5.2"

    def check(self, shop: Workshop) -> Finding:
        """See Claim."""
        best = max(all_rows(shop), key=lambda row: row["adjusted_rand"])
        said = f"largest adjusted Rand index {best['adjusted_rand']:.3f} ({best['input']}, {best['method']})"
        return Finding(said, yes_or_no(best["adjusted_rand"] < 0.3))
