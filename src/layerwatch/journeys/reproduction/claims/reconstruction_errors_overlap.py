"""Claim: reconstruction errors of healthy and anomalous images overlap, for VAE and f-AnoGAN."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from layerwatch.journeys.reproduction.claims.base import Claim, Finding
from layerwatch.journeys.reproduction.judged import yes_or_no
from layerwatch.journeys.reproduction.overlap import overlaps, words
from layerwatch.journeys.reproduction.workshop import Workshop


@dataclass
class ReconstructionErrorsOverlap(Claim):
    """More than 5 % of the layers lie on the wrong side of the best possible threshold."""

    summary: ClassVar[str] = "the reconstruction errors A_R of good and anomalous samples overlap (VAE, f-AnoGAN)"
    source: ClassVar[str] = "section 5.2, Figure 7"

    def check(self, shop: Workshop) -> Finding:
        """See Claim."""
        found = overlaps(shop, ("VAE A_R", "A_R"))
        return Finding(words(found), yes_or_no(min(found.values()) > 0.05))
