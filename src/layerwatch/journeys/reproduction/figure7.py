"""Scores of held-out healthy layers and of each defect -> Figure 7: histograms for VAE and for lam = 0, 0.1 and 1."""

from __future__ import annotations

from typing import Any

import numpy as np

from layerwatch.evaluation.cohorts import Cohort
from layerwatch.evaluation.score_figures import edges_of, figure_7
from layerwatch.journeys.reproduction.shown import Shown
from layerwatch.journeys.reproduction.workshop import Workshop
from layerwatch.journeys.reproduction.writing import write_csv

SCORES = {  # input of Table 2 -> its name in Figure 7 and its lam
    "VAE A_R": ("VAE, A_R", None),
    "A_R": ("f-AnoGAN, lam = 0", 0.0),
    "A": ("f-AnoGAN, lam = 0.1", 0.1),
    "A_D": ("f-AnoGAN, lam = 1", 1.0),
}


def cohort_of(shop: Workshop, seed: int, severity: float) -> Cohort:
    """Held-out layers and every defect, with the scores of VAE and f-AnoGAN."""
    networks = {name: shop.network(name, seed) for name in ("vae", "fanogan")}
    return shop.cohort(networks, severity).only(list(SCORES))


def figure7(shop: Workshop, shown: Shown) -> None:
    """figure7.csv with the counts of every seed, and the figure of the first seed."""
    rows, severity = list[dict[str, Any]](), shop.protocol.severity
    for seed in shop.protocol.seeds:
        cohort = cohort_of(shop, seed, severity)
        kinds = np.array(cohort.kinds)
        for name, (title, lam) in SCORES.items():
            values = cohort.inputs[name][:, 0].astype(np.float64)
            edges = edges_of(values)
            for kind in ("healthy", *cohort.defects):
                counts = np.histogram(np.maximum(values[kinds == kind], 1e-12), edges)[0]
                rows += [
                    {"score": title, "lam": lam, "kind": kind, "low": low, "high": high, "layers": count, "seed": seed}
                    for low, high, count in zip(edges[:-1].tolist(), edges[1:].tolist(), counts.tolist(), strict=True)
                ]
        if seed == shop.protocol.seeds[0]:
            named = {title: cohort.inputs[name][:, 0].astype(np.float64) for name, (title, _) in SCORES.items()}
            words = f"Distribution of the anomaly scores by type, severity {severity:g}, seed {seed}."
            shown.draw("Figure 7", "figure7", figure_7(named, cohort.kinds), words)
    write_csv(shown.folder / "figure7.csv", rows)
