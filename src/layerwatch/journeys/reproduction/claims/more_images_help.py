"""Claim: many synthetic healthy images help: 500, 1500 and 4500 of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from layerwatch.journeys.reproduction.claims.base import Claim, Finding
from layerwatch.journeys.reproduction.short_runs import compared, merit, short_network
from layerwatch.journeys.reproduction.workshop import Workshop

_JOBS = (50, 150)  # of ten layers each; the protocol's own are the third
_SAME = "more"  # healthy jobs of another seed: no training learns from them, and all are judged on them


@dataclass
class MoreImagesHelp(Claim):
    """Short trainings of the same number of steps, all judged on the same layers; A_D's AUROC, most against fewest."""

    summary: ClassVar[str] = "a large synthetic data set of healthy images is needed (500, 1500, 4500 of them)"
    source: ClassVar[str] = "section 4; 5000 images in section 5.1"
    costly: ClassVar[bool] = True

    def check(self, shop: Workshop) -> Finding:
        """See Claim."""
        names = [*(f"learn-{jobs}-jobs" for jobs in _JOBS), "learn"]
        networks = [short_network(shop, "fanogan", learn=name) for name in names]
        pair = compared(shop, networks[-1], networks[0], "A_D", healthy=_SAME)
        counts = [len(shop.healthy(network.seed, network.learn).fit) for network in networks]
        said = "; ".join(
            f"{count} images: {merit(shop, network, healthy=_SAME)}"
            for count, network in zip(counts, networks, strict=True)
        )
        return Finding(f"{said}; A_D of most less that of fewest {pair.difference}", pair.holds)
