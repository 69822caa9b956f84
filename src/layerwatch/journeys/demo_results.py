"""What the demo found, for the terminal, summary.json and report.html."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from layerwatch.detectors.base import anomaly_score
from layerwatch.detectors.storage.model_files import StoredModel
from layerwatch.evaluation.tables import Row
from layerwatch.inspection.inspector import Judged
from layerwatch.journeys.demo_data import DemoData
from layerwatch.journeys.evaluate import Evaluation, Scored
from layerwatch.recipes import Recipe

ON_LINE = "plan_aware"  # the detector that inspects the job; chosen beforehand, not by its result


@dataclass(frozen=True, eq=False)
class Results:
    """Everything that the report shows."""

    recipe: Recipe
    seed: int
    data: DemoData
    models: dict[str, StoredModel]
    scored: dict[str, Scored]  # on the test archive
    figures: dict[str, Evaluation]
    table: tuple[Row, ...]
    judged: tuple[Judged, ...]  # layers of the inspected job
    job_scores: dict[str, np.ndarray]  # the same layers by every detector
    seconds: dict[str, float]

    @property
    def defects(self) -> tuple[str, ...]:
        """Kinds of defects in the test archive."""
        return next(iter(self.scored.values())).defects

    def defect_at(self, layer: int) -> str | None:
        """What is really wrong with a layer of the inspected job."""
        return next((d for d, first, last in self.data.spans if first <= layer <= last), None)


def critic_scores(scored: Scored, lam: float) -> Float64[np.ndarray, " n"]:
    """Equation 1 with another ``lam``, from the same readings."""
    return np.array([anomaly_score(r.A_R, r.A_D, lam) for r in scored.readings])
