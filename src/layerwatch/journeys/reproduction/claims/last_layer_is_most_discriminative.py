"""Claim: the last convolution's features are the most discriminative ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from layerwatch.journeys.reproduction.claims.base import Claim, Finding
from layerwatch.journeys.reproduction.short_runs import merit, short_network
from layerwatch.journeys.reproduction.workshop import Workshop


@dataclass
class LastLayerIsMostDiscriminative(Claim):
    """The same critic, the encoder trained on the features of the convolution that is then read."""

    summary: ClassVar[str] = "the last convolutional layer's features are the most discriminative"
    source: ClassVar[str] = "section 5.1"
    costly: ClassVar[bool] = True

    def check(self, shop: Workshop) -> Finding:
        """See Claim."""
        found = {n: merit(shop, short_network(shop, "fanogan", *([f"back={n}"] if n else []))) for n in (0, 1, 2)}
        said = "; ".join(f"{n} before the last: {one}" for n, one in found.items())
        return Finding(said, found[0].auroc["A_D"] >= max(one.auroc["A_D"] for one in found.values()))
