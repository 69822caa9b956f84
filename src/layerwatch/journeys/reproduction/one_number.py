"""The severity at which the VAE's Otsu accuracy is the paper's -> whether this one number explains all other cells."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

import numpy as np
from scipy.stats import spearmanr

from layerwatch.evaluation.tables import Origin, Wanted, table2
from layerwatch.images.writing import write_file
from layerwatch.journeys.reproduction.paper_table2 import METHODS, PAPER, VAE_OTSU
from layerwatch.journeys.reproduction.shown import Shown
from layerwatch.journeys.reproduction.table import cell, rows_of
from layerwatch.journeys.reproduction.workshop import Workshop
from layerwatch.journeys.reproduction.writing import markdown

_CELL = ("VAE A_R", "otsu")
_LARGEST = 100.0  # severity; no plainer ones are printed


def one_number(shop: Workshop, shown: Shown) -> None:
    """one_number.json: the prediction is written before the table at that severity is made, and never changed."""
    path = shown.folder / "one_number.json"
    if not path.exists():
        write_file(path, (json.dumps(_prediction(shop), indent=1) + "\n").encode())
    told: dict[str, Any] = json.loads(path.read_bytes())
    severity = told["severity"]
    rows = [row for seed in shop.protocol.seeds for row in rows_of(shop, seed, severity)]
    pairs = [
        {"input": name, "method": method, "predicted": value, "ours": own}
        for name, cells in told["predicted"].items()
        for method, value in cells.items()
        if (own := cell(rows, name, method, severity, search="paper", mapping="best")) is not None
    ]
    predicted, ours = (np.array([pair[key] for pair in pairs]) for key in ("predicted", "ours"))
    rank, error = float(spearmanr(predicted, ours).statistic), float(np.median(np.abs(predicted - ours)))
    should = "should be" if told["reached"] else "is still below"
    words = (
        f"At severity {severity:.3g} the VAE's Otsu accuracy {should} the paper's {VAE_OTSU} (interpolated from "
        f"{told['measured']}); the prediction for every other cell is the paper's value. Spearman's rank correlation "
        f"over {len(pairs)} cells: {rank:.2f}; median error {error:.3f}."
    )
    shown.say("Does one number explain Table 2?", words, markdown(pairs))
    shown.tell("one_number", {"severity": severity, "spearman": rank, "median_error": error})


def _prediction(shop: Workshop) -> dict[str, Any]:
    """The severity by interpolation between the logarithms of those measured; and the paper's other cells."""
    measured = _measured(shop)
    severities, accuracies = list(measured), list(measured.values())
    rising = np.maximum.accumulate(accuracies)
    chosen = float(np.exp(np.interp(VAE_OTSU, rising, np.log(severities))))
    predicted = {
        name: {m: value for m in METHODS if (value := getattr(cells, m)) is not None and (name, m) != _CELL}
        for name, cells in PAPER.items()
    }
    told = {f"{severity:g}": round(value, 4) for severity, value in measured.items()}
    return {
        "severity": round(chosen, 3),
        "reached": bool(rising[-1] >= VAE_OTSU),
        "measured": told,
        "predicted": predicted,
    }


def _measured(shop: Workshop) -> dict[float, float]:
    """The VAE's accuracy at the protocol's severities, then at each doubled one until it is as good as the paper's."""
    found = {severity: _accuracy(shop, severity) for severity in sorted(shop.protocol.severities)}
    while max(found.values()) < VAE_OTSU and (severity := 2 * max(found)) <= _LARGEST:
        found[severity] = _accuracy(shop, severity)
    return found


def _accuracy(shop: Workshop, severity: float) -> float:
    """Mean of the seeds; nothing but the VAE reads."""

    def make(seed: int) -> float:
        cohort = shop.cohort({"vae": shop.network("vae", seed)}, severity).only([_CELL[0]])
        wanted = Wanted(shop.protocol.mix, reductions=(), methods=_CELL[1:])
        rows = [row.as_dict() for row in table2(cohort, Origin(shop.protocol.data, severity, seed), wanted)]
        return cell(rows, *_CELL, severity, mapping="best") or 0.5

    seeds = shop.protocol.seeds
    return float(np.mean([shop.remembered(f"otsu-{severity:g}-{seed}", partial(make, seed)) for seed in seeds]))
