"""Claim: long training is needed: a fifth of the recipe's steps against all of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from layerwatch.journeys.reproduction.claims.base import Claim, Finding
from layerwatch.journeys.reproduction.short_runs import merit, short_network
from layerwatch.journeys.reproduction.workshop import Workshop


@dataclass
class LongerTrainingHelps(Claim):
    """A_D's AUROC rises."""

    summary: ClassVar[str] = "1500 epochs are worth their time (here: a fifth of the recipe's steps against all)"
    source: ClassVar[str] = "Table 1"
    costly: ClassVar[bool] = True

    def check(self, shop: Workshop) -> Finding:
        """See Claim."""
        short = merit(shop, short_network(shop, "fanogan"))
        whole = merit(shop, shop.network("fanogan", shop.protocol.seeds[0]))
        return Finding(f"a fifth: {short}; all: {whole}", whole.auroc["A_D"] > short.auroc["A_D"])
