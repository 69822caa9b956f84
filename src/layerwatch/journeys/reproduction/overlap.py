"""Scores of healthy and defective layers -> how far they overlap: the error of the best possible threshold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from layerwatch.evaluation.metrics import roc_points
from layerwatch.journeys.reproduction.figure7 import cohort_of
from layerwatch.journeys.reproduction.workshop import Workshop


def overlaps(shop: Workshop, names: Sequence[str]) -> dict[str, float]:
    """Share of layers on the wrong side, healthy and defective ones counted alike, mean over the seeds."""
    found: dict[str, list[float]] = {name: [] for name in names}
    for seed in shop.protocol.seeds:
        cohort = cohort_of(shop, seed, shop.protocol.severity)
        bad = cohort.is_defective
        for name in names:
            x = cohort.inputs[name][:, 0].astype(np.float64)
            false, hits = roc_points(x[~bad], x[bad])
            found[name].append(float(((false + 1 - hits) / 2).min()))
    return {name: float(np.mean(values)) for name, values in found.items()}


def words(found: Mapping[str, float]) -> str:
    """For claims.csv."""
    each = ", ".join(f"{name}: {value:.3f}" for name, value in found.items())
    return f"share of layers on the wrong side of the best threshold: {each}"
