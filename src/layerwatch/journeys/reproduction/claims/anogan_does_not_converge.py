"""Claim: AnoGAN's 3500 steps do not reach a suitable reconstruction for some images, and more steps take more time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from layerwatch.journeys.reproduction.anogan import searched
from layerwatch.journeys.reproduction.claims.base import Claim, Finding
from layerwatch.journeys.reproduction.judged import OPEN
from layerwatch.journeys.reproduction.workshop import Workshop

_STEPS = (1750, 3500, 7000)


@dataclass
class AnoganDoesNotConverge(Claim):
    """Judged by AnoGAN's own A: a search has not converged after 3500 steps if A falls by more than 5 % until 7000.

    How its A compares with f-AnoGAN's, which needs one pass, is told beside it and decides nothing.
    """

    summary: ClassVar[str] = "3500 backpropagation steps do not converge for some images; time grows with the steps"
    source: ClassVar[str] = "section 5.2"
    paper: ClassVar[str] = "about 45 s an image on a shared V100"
    costly: ClassVar[bool] = True

    def check(self, shop: Workshop) -> Finding:
        """See Claim."""
        found = {steps: searched(shop, steps) for steps in _STEPS}
        half, usual, twice = found.values()
        times = ", ".join(f"{steps} steps {one.seconds:.2f} s" for steps, one in found.items())
        said = (
            f"of {len(usual.scores)} healthy images A still falls by more than 5 % from 1750 to 3500 steps on "
            f"{half.still_falling(usual):.2f}, from 3500 to 7000 on {usual.still_falling(twice):.2f}; an image takes "
            f"{times}; A after 3500 steps is above f-AnoGAN's on {usual.above_one_pass:.2f} of them"
        )
        if usual.still_falling(twice) == 0:
            return Finding(said, "no")
        slower = twice.seconds > 1.5 * usual.seconds > 1.5**2 * half.seconds
        return Finding(said, "yes" if slower else OPEN)
