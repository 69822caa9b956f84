"""Short trainings with one setting changed -> the accuracy, AUROC and time that it moves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from layerwatch.evaluation.metrics import auroc
from layerwatch.evaluation.tables import Origin, Wanted, table2
from layerwatch.journeys.reproduction.workshop import Network, Workshop


@dataclass(frozen=True)
class Merit:
    """What one short training reaches at the main severity."""

    auroc: dict[str, float]  # by score: "VAE A_R", or "A_R", "A", "A_D"
    forest: float | None  # accuracy of the Isolation Forest on subtracted features
    trained_s: float  # seconds

    def __str__(self) -> str:
        areas = ", ".join(f"AUROC of {name} {value:.3f}" for name, value in self.auroc.items())
        forest = "" if self.forest is None else f", Isolation Forest on subtracted features {self.forest:.3f}"
        return f"{areas}{forest}, {self.trained_s:.0f} s"


def short_network(shop: Workshop, detector: str, *changes: str, learn: str = "learn") -> Network:
    """A fifth of the recipe's steps, of the first seed."""
    return shop.network(detector, shop.protocol.seeds[0], *shop.protocol.short(detector), *changes, learn=learn)


def merit(shop: Workshop, network: Network, at: str = "") -> Merit:
    """Train it, read, count; ``at`` is the name of other data, whose defects are read."""
    told: dict[str, Any] = shop.remembered(f"merit-{network.name}{at}", lambda: _measured(shop, network, at))
    return Merit(**told)


def _measured(shop: Workshop, network: Network, at: str) -> dict[str, Any]:
    severity = shop.protocol.severity
    cohort = shop.cohort({network.detector: network}, severity, at=at)
    bad, jobs = cohort.is_defective, np.array(cohort.jobs)
    areas = {
        name: auroc(X[~bad, 0], X[bad, 0], list(jobs[~bad]), list(jobs[bad]), draws=1).value
        for name, X in cohort.inputs.items()
        if X.shape[1] == 1
    }
    forest = None
    difference = [name for name in cohort.inputs if name.startswith("D_f -")]
    if difference:
        wanted = Wanted(shop.protocol.mix, reductions=(), methods=("isolation_forest",))
        rows = table2(cohort.only(difference), Origin(shop.protocol.data, severity, network.seed), wanted)
        forest = max(row.accuracy["isolation_forest"] or 0.0 for row in rows)
    seconds = shop.seconds.get(f"train {network.name}", {}).get("seconds", float("nan"))
    return {"auroc": areas, "forest": forest, "trained_s": seconds}
