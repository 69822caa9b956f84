"""Claim: binary cross entropy trains the VAE better (than the squared error, by which it is judged)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from layerwatch.journeys.reproduction.claims.base import Claim, Finding
from layerwatch.journeys.reproduction.short_runs import compared, merit, short_network
from layerwatch.journeys.reproduction.workshop import Workshop


@dataclass
class CrossEntropyTrainsBetter(Claim):
    """AUROC of A_R after two short trainings of the same length; the difference must leave the spread by job.

    One training of each: how far trainings of another seed differ is not in the interval.
    """

    summary: ClassVar[str] = "binary cross entropy gives the VAE better training performance (here: than MSE)"
    source: ClassVar[str] = "section 5.1"
    costly: ClassVar[bool] = True

    def check(self, shop: Workshop) -> Finding:
        """See Claim."""
        bce, mse = (short_network(shop, "vae", *changes) for changes in ((), ("loss=mse",)))
        pair = compared(shop, bce, mse, "VAE A_R")
        said = f"BCE: {merit(shop, bce)}; MSE: {merit(shop, mse)}; difference {pair.difference}"
        return Finding(said, pair.holds)
