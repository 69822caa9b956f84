"""Claim: many synthetic healthy images help: 500, 1500 and 4500 of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from layerwatch.journeys.reproduction.claims.base import Claim, Finding
from layerwatch.journeys.reproduction.short_runs import merit, short_network
from layerwatch.journeys.reproduction.workshop import Workshop

_JOBS = (50, 150)  # of ten layers each; the protocol's own are the third


@dataclass
class MoreImagesHelp(Claim):
    """Short trainings of the same number of steps; A_D's AUROC rises with the number of jobs learnt from."""

    summary: ClassVar[str] = "a large synthetic data set of healthy images is needed (500, 1500, 4500 of them)"
    source: ClassVar[str] = "section 4; 5000 images in section 5.1"
    costly: ClassVar[bool] = True

    def check(self, shop: Workshop) -> Finding:
        """See Claim."""
        names = [*(f"learn-{jobs}-jobs" for jobs in _JOBS), "learn"]
        found = {name: merit(shop, short_network(shop, "fanogan", learn=name)) for name in names}
        areas = [one.auroc["A_D"] for one in found.values()]
        return Finding("; ".join(f"{name}: {one}" for name, one in found.items()), areas == sorted(areas))
