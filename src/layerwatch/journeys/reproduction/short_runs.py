"""Short trainings with one setting changed -> the AUROC, accuracy and time that it moves, and how sure a move is."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from layerwatch.evaluation.metrics import Estimate, auroc, auroc_difference
from layerwatch.evaluation.tables import Origin, Wanted, table2
from layerwatch.journeys.reproduction.judged import OPEN, Holds, by_difference, is_chance
from layerwatch.journeys.reproduction.workshop import Network, Workshop
from layerwatch.records import DataError

_DRAWS = 1000  # of jobs, for intervals


@dataclass(frozen=True)
class Merit:
    """What one short training reaches at the main severity."""

    auroc: dict[str, Estimate]  # by score: "VAE A_R", or "A_R", "A", "A_D"
    forest: float | None  # accuracy of the Isolation Forest on subtracted features
    trained_s: float | None  # seconds; None: it was trained elsewhere

    def __str__(self) -> str:
        areas = ", ".join(f"AUROC of {name} {value}" for name, value in self.auroc.items())
        forest = "" if self.forest is None else f", Isolation Forest on subtracted features {self.forest:.3f}"
        return f"{areas}{forest}" + ("" if self.trained_s is None else f", trained in {self.trained_s:.0f} s")


@dataclass(frozen=True)
class Pair:
    """Two trainings on the same layers: AUROC of one score, and the first less the second, with intervals by job."""

    first: Estimate
    second: Estimate
    difference: Estimate

    @property
    def holds(self) -> Holds:
        """Whether the first is better: not where neither finds anything, nor within the spread of the test jobs."""
        return OPEN if is_chance((self.first, self.second)) else by_difference(self.difference)


def short_network(shop: Workshop, detector: str, *changes: str, learn: str = "learn") -> Network:
    """A fifth of the recipe's steps, of the first seed."""
    return shop.network(detector, shop.protocol.seeds[0], *shop.protocol.short(detector), *changes, learn=learn)


def merit(shop: Workshop, network: Network, at: str = "", healthy: str = "held") -> Merit:
    """Train it, read, count.

    Args:
        shop: where it is trained.
        network: what is trained.
        at: ends the name of the archive of defects, where they are of other data.
        healthy: archive of healthy layers: the network's own held-out ones, or "more".
    """
    of = "" if healthy == "held" else f"-{healthy}"
    told: dict[str, Any] = shop.remembered(
        f"merit-{network.name}{at}{of}", lambda: _measured(shop, network, at, healthy)
    )
    areas = {name: Estimate(**area) for name, area in told["auroc"].items()}
    return Merit(areas, told["forest"], shop.seconds.get(f"train {network.name}", {}).get("seconds"))


def compared(shop: Workshop, first: Network, second: Network, score: str, healthy: str = "held") -> Pair:
    """One score of two trainings, on the same layers.

    Args:
        shop: where they are trained.
        first: the one that may be better.
        second: the other.
        score: such as "A_D".
        healthy: archive of healthy layers: "held" where both were learnt from the same archive, or "more".

    Raises:
        DataError: the two were not judged on the same layers.
    """
    name = f"pair-{score}-{first.name}-against-{second.name}-{healthy}"
    told: dict[str, Any] = shop.remembered(name, lambda: asdict(_pair(shop, first, second, score, healthy)))
    return Pair(*(Estimate(**told[key]) for key in ("first", "second", "difference")))


def _pair(shop: Workshop, one: Network, other: Network, score: str, healthy: str) -> Pair:
    cohorts = [
        shop.cohort({network.detector: network}, shop.protocol.severity, healthy=healthy).only([score])
        for network in (one, other)
    ]
    if cohorts[0].jobs != cohorts[1].jobs:
        raise DataError(f"{one.name} and {other.name} hold out other jobs; judge both on the layers of `more`")
    bad, jobs = cohorts[0].is_defective, np.array(cohorts[0].jobs)
    sides = [(cohort.inputs[score][~bad, 0], cohort.inputs[score][bad, 0]) for cohort in cohorts]
    names = list(jobs[~bad]), list(jobs[bad])
    first, second = (auroc(fine, spoiled, *names, draws=_DRAWS) for fine, spoiled in sides)
    return Pair(first, second, auroc_difference(*sides[0], *sides[1], *names, draws=_DRAWS))


def _measured(shop: Workshop, network: Network, at: str, healthy: str) -> dict[str, Any]:
    severity = shop.protocol.severity
    cohort = shop.cohort({network.detector: network}, severity, at=at, healthy=healthy)
    bad, jobs = cohort.is_defective, np.array(cohort.jobs)
    areas = {
        name: asdict(auroc(X[~bad, 0], X[bad, 0], list(jobs[~bad]), list(jobs[bad]), draws=_DRAWS))
        for name, X in cohort.inputs.items()
        if X.shape[1] == 1
    }
    forest = None
    difference = [name for name in cohort.inputs if name.startswith("D_f -")]
    if difference:
        wanted = Wanted(shop.protocol.mix, reductions=(), methods=("isolation_forest",))
        rows = table2(cohort.only(difference), Origin(shop.protocol.data, severity, network.seed), wanted)
        forest = max(row.accuracy["isolation_forest"] or 0.0 for row in rows)
    return {"auroc": areas, "forest": forest}
