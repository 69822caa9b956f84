"""Claim: three critic steps a generator step instead of five speed training up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from layerwatch.journeys.reproduction.claims.base import Claim, Finding
from layerwatch.journeys.reproduction.short_runs import merit, short_network
from layerwatch.journeys.reproduction.workshop import Workshop


@dataclass
class ThreeCriticStepsAreFaster(Claim):
    """As many generator steps; faster, and A_D's AUROC not lower by more than .02."""

    summary: ClassVar[str] = "3 discriminator iterations a generator iteration, not 5, speed up the training process"
    source: ClassVar[str] = "section 5.1"
    costly: ClassVar[bool] = True

    def check(self, shop: Workshop) -> Finding:
        """See Claim."""
        three, five = (merit(shop, short_network(shop, "fanogan", *c)) for c in ((), ("n_critic=5",)))
        holds = three.trained_s < five.trained_s and three.auroc["A_D"] > five.auroc["A_D"] - 0.02
        return Finding(f"3: {three}; 5: {five}", holds)
