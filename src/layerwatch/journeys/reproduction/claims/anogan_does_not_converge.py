"""Claim: AnoGAN's 3500 steps do not reach a suitable reconstruction for some images, and more steps take more time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from layerwatch.journeys.reproduction.anogan import searched
from layerwatch.journeys.reproduction.claims.base import Claim, Finding
from layerwatch.journeys.reproduction.workshop import Workshop

_STEPS = (1750, 3500, 7000)


@dataclass
class AnoganDoesNotConverge(Claim):
    """A reconstruction is suitable if A is no higher than f-AnoGAN's, in one pass, on the same healthy image."""

    summary: ClassVar[str] = "3500 backpropagation steps do not converge for some images; time grows with the steps"
    source: ClassVar[str] = "section 5.2"
    paper: ClassVar[str] = "about 45 s an image on a shared V100"
    costly: ClassVar[bool] = True

    def check(self, shop: Workshop) -> Finding:
        """See Claim."""
        found = {steps: searched(shop, steps) for steps in _STEPS}
        said = "; ".join(
            f"{steps} steps: {one.unsuitable:.2f} of {one.images} images not suitable, {one.seconds:.2f} s an image"
            for steps, one in found.items()
        )
        slower = found[7000].seconds > 1.5 * found[3500].seconds > 1.5**2 * found[1750].seconds
        return Finding(said, found[3500].unsuitable > 0 and slower)
