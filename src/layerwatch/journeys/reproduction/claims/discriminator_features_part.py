"""Claim: the discriminator feature error A_D shows a gap between good and anomalous samples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from layerwatch.journeys.reproduction.claims.base import Claim, Finding
from layerwatch.journeys.reproduction.judged import yes_or_no
from layerwatch.journeys.reproduction.overlap import overlaps, words
from layerwatch.journeys.reproduction.workshop import Workshop


@dataclass
class DiscriminatorFeaturesPart(Claim):
    """At most 5 % of the layers lie on the wrong side of the best possible threshold."""

    summary: ClassVar[str] = "the discriminator feature error A_D shows a gap between good and anomalous samples"
    source: ClassVar[str] = "section 5.2, Figure 7"

    def check(self, shop: Workshop) -> Finding:
        """See Claim."""
        found = overlaps(shop, ("A_D",))
        return Finding(words(found), yes_or_no(max(found.values()) <= 0.05))
