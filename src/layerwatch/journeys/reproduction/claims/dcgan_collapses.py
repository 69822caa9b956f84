"""Claim: the DCGAN suffers of mode collapse, the WGAN-GP does not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from layerwatch.journeys.reproduction.claims.base import Claim, Finding
from layerwatch.journeys.reproduction.figure5 import coverages
from layerwatch.journeys.reproduction.judged import yes_or_no
from layerwatch.journeys.reproduction.workshop import Workshop


@dataclass
class DcganCollapses(Claim):
    """DCGAN reaches less than half of WGAN-GP's recall of real images, or less than half of the real images' spread."""

    summary: ClassVar[str] = "the DCGAN suffers of mode collapse, the WGAN-GP learns the distribution"
    source: ClassVar[str] = "section 5.1, Figure 5"
    costly: ClassVar[bool] = True

    def check(self, shop: Workshop) -> Finding:
        """See Claim."""
        found = coverages(shop)
        dcgan, wgan = found["DCGAN"], found["WGAN-GP"]
        said = "; ".join(
            f"{name}: spread {one['spread']:.2f}, recall {one['recall']:.2f}, precision {one['precision']:.2f}"
            for name, one in found.items()
        )
        collapsed = dcgan["recall"] < 0.5 * wgan["recall"] or dcgan["spread"] < 0.5
        return Finding(said, yes_or_no(collapsed and wgan["spread"] > 0.5))
