"""Scores of every detector -> AUROC, average precision and hits at low false-alarm rates, by defect and severity."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from functools import partial
from itertools import combinations
from typing import Any

import numpy as np
from scipy.stats import spearmanr

from layerwatch.evaluation.detection import detection
from layerwatch.evaluation.metrics import Estimate
from layerwatch.evaluation.score_figures import figure_of_severities
from layerwatch.journeys.reproduction.shown import Shown
from layerwatch.journeys.reproduction.workshop import Workshop
from layerwatch.journeys.reproduction.writing import Rows, markdown, write_csv

Row = dict[str, Any]
_DRAWS = 500


def detect(shop: Workshop, shown: Shown) -> None:
    """detection.csv: every score, defect, severity and seed, with 95 % intervals by job; and how far seeds agree."""
    protocol = shop.protocol
    rows = [row for seed in protocol.seeds for severity in protocol.severities for row in _of(shop, seed, severity)]
    write_csv(shown.folder / "detection.csv", rows)
    curves = {
        name: {severity: _mean(rows, name, severity) for severity in sorted(protocol.severities)}
        for name in dict.fromkeys(row["score"] for row in rows)
    }
    words = "AUROC over all defects with 95 % intervals by job, mean of the seeds: `detection.csv` has each defect."
    shown.draw("Detection by severity", "detection", figure_of_severities(curves), words)
    shown.say("Detection at the main severity", _WORDS, markdown(list(_main(rows, protocol.severity))))
    if len(protocol.seeds) > 1:
        stability = list(_stability(shop))
        shown.say("Do seeds agree?", _STABILITY, markdown(stability))
        shown.tell("stability", stability)
    shown.tell("auroc", {name: {f"{s:g}": e.value for s, e in points.items()} for name, points in curves.items()})


def areas(shop: Workshop, score: str, defect: str) -> Estimate:
    """AUROC of a score on a defect at the main severity, and its interval by job; means over the seeds."""
    severity = shop.protocol.severity
    return _mean([row for seed in shop.protocol.seeds for row in _of(shop, seed, severity)], score, severity, defect)


def _of(shop: Workshop, seed: int, severity: float) -> list[Row]:
    return list(shop.remembered(f"detection-{severity:g}-{seed}", partial(_rows, shop, seed, severity)))


def _rows(shop: Workshop, seed: int, severity: float) -> list[Row]:
    """One row a score and defect."""
    rows = []
    for name in shop.protocol.detectors:
        network = shop.network(name, seed)
        healthy = [shop.read(network, "held"), shop.read(network, "more")]
        spoiled = shop.read(network, f"severity-{severity:g}")
        jobs = [f"{place}/{job}" for place, read in zip(("held", "more"), healthy, strict=True) for job in read.jobs]
        ours, bad = [read.inputs(name) for read in healthy], spoiled.inputs(name)
        for score in [key for key, X in bad.items() if X.shape[1] == 1]:
            fine = np.concatenate([inputs[score][:, 0] for inputs in ours])
            for kind in (*shop.protocol.defects, "all"):
                chosen = np.array([kind in {k, "all"} for k in spoiled.kinds])
                own = [job for job, take in zip(spoiled.jobs, chosen, strict=True) if take]
                found = detection(fine, bad[score][chosen, 0], jobs, own, draws=_DRAWS, seed=seed)
                told = {"auroc": found.auroc, "average_precision": found.average_precision}
                base = {"base_rate": len(own) / (len(own) + len(fine))}
                told |= {f"tpr_at_fpr_{rate:g}": hits for rate, hits in found.hits.items()}
                plain = {f"{key}{end}": v for key, e in told.items() for end, v in _ends(e)}
                row = {"score": score, "severity": severity, "defect": kind, "seed": seed}
                rows.append({**row, **plain, **base})
    return rows


def _ends(estimate: Estimate) -> Iterator[tuple[str, float]]:
    for name, value in asdict(estimate).items():
        yield "" if name == "value" else f"_{name}", value


def _mean(rows: Rows, score: str, severity: float, defect: str = "all", measure: str = "auroc") -> Estimate:
    """Over the seeds, ends too."""
    here = [r for r in rows if (r["score"], r["severity"], r["defect"]) == (score, severity, defect)]
    return Estimate(*(float(np.mean([row[f"{measure}{end}"] for row in here])) for end in ("", "_low", "_high")))


def _main(rows: Rows, severity: float) -> Iterator[Row]:
    for score in dict.fromkeys(row["score"] for row in rows):
        defects = dict.fromkeys(row["defect"] for row in rows)
        each = {d.replace("_", " "): _mean(rows, score, severity, d).value for d in defects if d != "all"}
        others = {
            title: _mean(rows, score, severity, measure=measure).value
            for title, measure in (
                ("average precision", "average_precision"),
                ("TPR at 1 % FPR", "tpr_at_fpr_0.01"),
                ("at 0.1 %", "tpr_at_fpr_0.001"),
            )
        }
        base = float(np.mean([r["base_rate"] for r in rows if (r["severity"], r["defect"]) == (severity, "all")]))
        yield {"score": score, "AUROC": str(_mean(rows, score, severity)), **each, **others, "base rate": base}


def _stability(shop: Workshop) -> Iterator[Row]:
    """Rank correlation of the scores of the same defective layers between two seeds, mean over pairs of seeds."""
    for name in shop.protocol.detectors:
        archive = f"severity-{shop.protocol.severity:g}"
        networks = [shop.network(name, seed) for seed in shop.protocol.seeds]
        reads = [shop.read(network, archive).inputs(name) for network in networks]
        for score in [key for key, X in reads[0].items() if X.shape[1] == 1]:
            pairs = [spearmanr(a[score][:, 0], b[score][:, 0]).statistic for a, b in combinations(reads, 2)]
            yield {"score": score, "rank correlation": float(np.mean(pairs)), "lowest": float(np.min(pairs))}


_WORDS = (
    "AUROC over all defects with its 95 % interval by job, AUROC of each defect, average precision with "
    "its base rate (the share of defective layers among these, which guessing has for its average precision), and the "
    "share of defective layers found where 1 % or 0.1 % of the healthy ones are alarmed; means over the seeds."
)
_STABILITY = "Spearman's rank correlation of the scores that two trainings give to the same defective layers."
