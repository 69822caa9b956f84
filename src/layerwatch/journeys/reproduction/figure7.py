"""Scores of healthy layers and of each defect -> Figure 7: histograms for VAE, lam = 0, 0.1 and 1, other detectors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from layerwatch import catalogue
from layerwatch.evaluation.classes import methods_for
from layerwatch.evaluation.cohorts import Cohort, halves
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
    """figure7.csv with the counts of every seed, and the figure of the first seed.

    The paper's four scores first, then those of every other detector; below, where each cluster method of the shelf
    draws the line. Reductions change nothing of a score, which is one number.
    """
    rows, severity = list[dict[str, Any]](), shop.protocol.severity
    for seed in shop.protocol.seeds:
        cohort = _every_score(shop, seed, severity)
        sides = _sides(shop, cohort, seed)
        rows += [row for name in cohort.inputs for row in _bins(cohort, name, sides[name], seed)]
        if seed == shop.protocol.seeds[0]:
            named = {_title(name): X[:, 0].astype(np.float64) for name, X in cohort.inputs.items()}
            titled = {_title(name): own for name, own in sides.items()}
            words = _WORDS.format(severity, seed)
            shown.draw("Figure 7", "figure7", figure_7(named, cohort.kinds, titled), words)
    write_csv(shown.folder / "figure7.csv", rows)


def _every_score(shop: Workshop, seed: int, severity: float) -> Cohort:
    """Of every detector on the shelf."""
    cohort = shop.cohort({name: shop.network(name, seed) for name in shop.protocol.detectors}, severity)
    others = [name for name, X in cohort.inputs.items() if X.shape[1] == 1 and name not in SCORES]
    return cohort.only([*SCORES, *others])


def _sides(shop: Workshop, cohort: Cohort, seed: int) -> dict[str, dict[str, np.ndarray]]:
    """For each score and method whether the middle of each bin is NOK, after clustering Table 2's cohort."""
    fit, _ = halves(cohort, shop.protocol.mix, seed=seed)
    found: dict[str, dict[str, np.ndarray]] = {}
    for name, X in cohort.inputs.items():
        edges = edges_of(X[:, 0].astype(np.float64))
        middles = np.sqrt(edges[:-1] * edges[1:])[:, None]
        found[name] = {
            method: np.asarray(
                catalogue.load("verdict.clusters", method)().fit(fit.inputs[name], seed=seed).predict(middles)
            )
            for method in methods_for(1)
        }
    return found


def _bins(cohort: Cohort, name: str, sides: Mapping[str, np.ndarray], seed: int) -> Iterator[dict[str, Any]]:
    """Layers of each kind in each bin, and which methods call the bin NOK."""
    values, kinds = cohort.inputs[name][:, 0].astype(np.float64), np.array(cohort.kinds)
    edges = edges_of(values)
    called = [" ".join(method for method, nok in sides.items() if nok[number]) for number in range(len(edges) - 1)]
    for kind in ("healthy", *cohort.defects):
        counts = np.histogram(np.maximum(values[kinds == kind], edges[0]), edges)[0].tolist()
        for low, high, count, nok in zip(edges[:-1].tolist(), edges[1:].tolist(), counts, called, strict=True):
            told = {"score": _title(name), "lam": SCORES.get(name, (name, None))[1], "kind": kind}
            yield {**told, "low": low, "high": high, "layers": count, "seed": seed, "nok": nok}


def _title(name: str) -> str:
    return SCORES[name][0] if name in SCORES else name


_WORDS = (
    "Distribution of the anomaly scores of each type (colour) against that of healthy layers (grey), severity {:g}, "
    "seed {}; the number is the AUROC. The last row shows which scores each cluster method calls NOK."
)
