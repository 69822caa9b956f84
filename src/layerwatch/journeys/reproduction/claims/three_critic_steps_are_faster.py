"""Claim: three critic steps a generator step instead of five speed training up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from layerwatch.journeys.reproduction.claims.base import Claim, Finding
from layerwatch.journeys.reproduction.judged import OPEN, Holds
from layerwatch.journeys.reproduction.short_runs import compared, merit, short_network
from layerwatch.journeys.reproduction.step_times import seconds_a_step
from layerwatch.journeys.reproduction.workshop import Workshop

_ROUNDS = 5


@dataclass
class ThreeCriticStepsAreFaster(Claim):
    """Processor time of one generator step, both measured in turn in one process: three are faster in every round.

    What it costs in AUROC is told beside it and decides nothing: the statement is one of time.
    """

    summary: ClassVar[str] = "3 discriminator iterations a generator iteration, not 5, speed up the training process"
    source: ClassVar[str] = "section 5.1"
    paper: ClassVar[str] = "3 instead of 5 passes of the discriminator"
    costly: ClassVar[bool] = True

    def check(self, shop: Workshop) -> Finding:
        """See Claim."""
        networks = [short_network(shop, "fanogan", *changes) for changes in ((), ("n_critic=5",))]
        took: Any = shop.remembered(
            "critic-steps", lambda: seconds_a_step(shop, networks, "gan_steps", _ROUNDS), written_in=__name__
        )
        ratios = sorted(five / three for three, five in zip(*took, strict=True))
        pair = compared(shop, networks[0], networks[1], "A_D")
        said = (
            f"{_ROUNDS} rounds of both in turn, processor time: a generator step takes {1000 * min(took[0]):.0f} ms "
            f"with 3 and {1000 * min(took[1]):.0f} ms with 5, {ratios[0]:.2f} to {ratios[-1]:.2f} times as long; 3: "
            f"AUROC of A_D {merit(shop, networks[0]).auroc['A_D']}; 5: {merit(shop, networks[1]).auroc['A_D']}; "
            f"difference {pair.difference}"
        )
        return Finding(said, _holds(ratios))


def _holds(ratios: list[float]) -> Holds:
    """By how much longer five steps took in each round, in order."""
    return "yes" if ratios[0] > 1 else "no" if ratios[-1] < 1 else OPEN
