"""Claim: a latent space of distributions (VAE) is to be preferred to a standard autoencoder's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from layerwatch.journeys.reproduction.claims.base import Claim, Finding
from layerwatch.journeys.reproduction.short_runs import compared, merit, short_network
from layerwatch.journeys.reproduction.workshop import Workshop


@dataclass
class LatentDistributionsHelp(Claim):
    """AUROC of A_R after two short trainings of the same length; the difference must leave the spread by job."""

    summary: ClassVar[str] = "a VAE is to be preferred to a standard autoencoder"
    source: ClassVar[str] = "section 5.1"
    costly: ClassVar[bool] = True

    def check(self, shop: Workshop) -> Finding:
        """See Claim."""
        vae, plain = (short_network(shop, "vae", *changes) for changes in ((), ("variational=false",)))
        pair = compared(shop, vae, plain, "VAE A_R")
        said = f"VAE: {merit(shop, vae)}; autoencoder: {merit(shop, plain)}; difference {pair.difference}"
        return Finding(said, pair.holds)
