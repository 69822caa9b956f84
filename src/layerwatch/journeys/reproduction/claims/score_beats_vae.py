"""Claim: the VAE's reconstruction error does not separate, the combined score A does better."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from layerwatch.journeys.reproduction.cells import cells, told
from layerwatch.journeys.reproduction.claims.base import Claim, Finding
from layerwatch.journeys.reproduction.paper_table2 import METHODS
from layerwatch.journeys.reproduction.workshop import Workshop


@dataclass
class ScoreBeatsVae(Claim):
    """With every method of Table 2."""

    summary: ClassVar[str] = "the VAE's reconstruction error is insufficient for separation, the score A is promising"
    source: ClassVar[str] = "section 5.2, Table 2"
    paper: ClassVar[str] = "A .880 to .995, VAE .523 to .725"

    def check(self, shop: Workshop) -> Finding:
        """See Claim."""
        found = cells(shop, "A", "VAE A_R")
        return Finding(told(found), all(found["A", method] > found["VAE A_R", method] for method in METHODS))
