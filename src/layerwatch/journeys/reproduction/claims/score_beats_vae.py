"""Claim: the VAE's reconstruction error does not separate, the combined score A does better."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from layerwatch.journeys.reproduction.cells import CHANCE, cells, told
from layerwatch.journeys.reproduction.claims.base import Claim, Finding
from layerwatch.journeys.reproduction.judged import yes_or_no
from layerwatch.journeys.reproduction.paper_table2 import METHODS
from layerwatch.journeys.reproduction.workshop import Workshop

_MARGIN = 0.05


@dataclass
class ScoreBeatsVae(Claim):
    """With every method of Table 2 by .05 or more, and above chance; both with and without labels for the NOK side.

    A score of one number has no components to search, so the two ways to say which side is NOK stand here for the two
    searches of other rows.
    """

    summary: ClassVar[str] = "the VAE's reconstruction error is insufficient for separation, the score A is promising"
    source: ClassVar[str] = "section 5.2, Table 2"
    paper: ClassVar[str] = "A .880 to .995, VAE .523 to .725"

    def check(self, shop: Workshop) -> Finding:
        """See Claim."""
        said, held = [], []
        for words, mapping in (("better side", "best"), ("no label", "cohort")):
            found = cells(shop, "A", "VAE A_R", mapping=mapping)
            gains = [found["A", method] - found["VAE A_R", method] for method in METHODS]
            held.append(min(gains) >= _MARGIN and min(found["A", method] for method in METHODS) >= CHANCE)
            said.append(f"{words}: {'holds' if held[-1] else 'does not hold'} ({told(found)})")
        return Finding(". ".join(said), yes_or_no(all(held)))
