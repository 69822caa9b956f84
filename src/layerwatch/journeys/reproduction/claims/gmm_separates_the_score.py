"""Claim: the Gaussian mixture separates the distributions of A best."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from layerwatch.journeys.reproduction.cells import cells, told
from layerwatch.journeys.reproduction.claims.base import Claim, Finding
from layerwatch.journeys.reproduction.judged import yes_or_no
from layerwatch.journeys.reproduction.workshop import Workshop


@dataclass
class GmmSeparatesTheScore(Claim):
    """No other method is better on the same score, and it is right for three layers in four at least."""

    summary: ClassVar[str] = "on the anomaly score A the Gaussian mixture separates best"
    source: ClassVar[str] = "section 5.2, Table 2"
    paper: ClassVar[str] = ".995 against .880, .953, .953"

    def check(self, shop: Workshop) -> Finding:
        """See Claim."""
        found = cells(shop, "A")
        return Finding(told(found), yes_or_no(found["A", "gmm"] >= max(0.75, *found.values())))
