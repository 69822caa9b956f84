"""Claim: the last convolution's features are the most discriminative ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from layerwatch.journeys.reproduction.claims.base import Claim, Finding
from layerwatch.journeys.reproduction.judged import OPEN, Holds, is_chance
from layerwatch.journeys.reproduction.short_runs import Pair, compared, merit, short_network
from layerwatch.journeys.reproduction.workshop import Workshop


@dataclass
class LastLayerIsMostDiscriminative(Claim):
    """The same critic, the encoder trained on the features of the convolution that is then read.

    It cannot be judged where no convolution's AUROC is surely above one half, or where a difference is within the
    spread by job.
    """

    summary: ClassVar[str] = "the last convolutional layer's features are the most discriminative"
    source: ClassVar[str] = "section 5.1"
    costly: ClassVar[bool] = True

    def check(self, shop: Workshop) -> Finding:
        """See Claim."""
        last, *earlier = (short_network(shop, "fanogan", *([f"back={n}"] if n else [])) for n in (0, 1, 2))
        pairs = [compared(shop, last, network, "A_D") for network in earlier]
        said = "; ".join(f"{n} before the last: {merit(shop, one)}" for n, one in enumerate((last, *earlier)))
        moved = ", ".join(str(pair.difference) for pair in pairs)
        return Finding(f"{said}; the last less each of the others: {moved}", _holds(pairs))


def _holds(pairs: list[Pair]) -> Holds:
    """The last one is better than all others, or some other one is better than the last."""
    if is_chance([pairs[0].first, *(pair.second for pair in pairs)]):
        return OPEN
    if any(pair.difference.high < 0 for pair in pairs):
        return "no"
    return "yes" if all(pair.difference.low > 0 for pair in pairs) else OPEN
