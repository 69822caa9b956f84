"""Claim: binary cross entropy trains the VAE better (than the squared error, by which it is judged)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from layerwatch.journeys.reproduction.claims.base import Claim, Finding
from layerwatch.journeys.reproduction.short_runs import merit, short_network
from layerwatch.journeys.reproduction.workshop import Workshop


@dataclass
class CrossEntropyTrainsBetter(Claim):
    """AUROC of A_R after two short trainings of the same length."""

    summary: ClassVar[str] = "binary cross entropy gives the VAE better training performance (here: than MSE)"
    source: ClassVar[str] = "section 5.1"
    costly: ClassVar[bool] = True

    def check(self, shop: Workshop) -> Finding:
        """See Claim."""
        bce, mse = (merit(shop, short_network(shop, "vae", *changes)) for changes in ((), ("loss=mse",)))
        return Finding(f"BCE: {bce}; MSE: {mse}", bce.auroc["VAE A_R"] > mse.auroc["VAE A_R"])
