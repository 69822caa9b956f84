"""Table 2's main inputs with 50, 10, 1 and 0.1 % defective layers -> where each method breaks."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

from layerwatch import catalogue
from layerwatch.evaluation.cohorts import Cohort
from layerwatch.evaluation.prevalence import found_by, rare_and_balanced
from layerwatch.evaluation.tables import methods
from layerwatch.journeys.reproduction.shown import Shown
from layerwatch.journeys.reproduction.workshop import Workshop
from layerwatch.journeys.reproduction.writing import Rows, markdown, write_csv

Row = dict[str, Any]
SHARES = (0.5, 0.1, 0.01, 0.001)
_SCORES = ("VAE A_R", "A", "A_D")
_FEATURES = "D_f - D_f(G(E(X)))"
_REPEATS = 3  # other layers each time, since one defective layer in a thousand is a matter of luck


def inputs() -> tuple[tuple[str, str | None], ...]:
    """The scores and the subtracted features as they are (None), then these after each reduction of the shelf."""
    as_they_are = tuple((name, None) for name in (*_SCORES, _FEATURES))
    return (*as_they_are, *((_FEATURES, reduction) for reduction in catalogue.names("verdict.reductions")))


def prevalence(shop: Workshop, shown: Shown) -> None:
    """prevalence.csv: every share, input, method and seed; the contamination is not told to any method but one."""
    rows = [
        row for seed in shop.protocol.seeds for row in shop.remembered(f"prevalence-{seed}", partial(_rows, shop, seed))
    ]
    write_csv(shown.folder / "prevalence.csv", rows)
    shown.say("Sporadic defects", _WORDS, markdown(list(_summed(rows))))
    shown.tell("prevalence", list(_summed(rows)))


def _rows(shop: Workshop, seed: int) -> list[Row]:
    cohort, rows = _cohort(shop, seed), list[Row]()
    test_each = shop.protocol.mix.test_each
    healthy = sum(kind == "healthy" for kind in cohort.kinds)
    layers = min(1000, healthy - 2 * test_each * len(cohort.defects))
    for number, share in enumerate(SHARES):
        for repeat in range(_REPEATS):
            draw = _REPEATS * seed + repeat
            fit, test = rare_and_balanced(cohort, share, layers=layers, test_each=test_each, seed=draw)
            told = {"prevalence": share, "layers": layers, "seed": seed, "repeat": repeat}
            rows += [
                told | row for name, reduction in inputs() for row in _found(fit, test, name, reduction, share, seed)
            ]
        shop.progress("prevalence", number + 1, len(SHARES))
    return rows


def _found(fit: Cohort, test: Cohort, name: str, reduction: str | None, share: float, seed: int) -> Iterator[Row]:
    """One row a method that takes the input."""
    is_score = fit.inputs[name].shape[1] == 1
    usable = [method for method in methods() if _takes(method, is_score=is_score, is_reduced=reduction is not None)]
    label = name if reduction is None else f"{catalogue.load('verdict.reductions', reduction).label} on {name}"
    for method, found in found_by(fit, test, name, usable, reduction, seed=seed).items():
        yield {
            "input": label,
            "method": method,
            "balanced_accuracy": found.balanced_accuracy,
            "hits": found.hits,
            "false_alarms": found.false_alarms,
            "precision": found.precision(share),
        }


def _takes(method: str, *, is_score: bool, is_reduced: bool) -> bool:
    """Otsu's threshold takes scores; full covariances take what was reduced."""
    return is_score if method == "otsu" else method != "gmm" or is_score or is_reduced


def _cohort(shop: Workshop, seed: int) -> Cohort:
    """Held-out healthy layers, the many that are only judged, and every defect at the main severity."""
    networks = {name: shop.network(name, seed) for name in ("vae", "fanogan")}
    names = [*_SCORES, _FEATURES]
    spoiled = shop.cohort(networks, shop.protocol.severity).only(names)
    more = {key: X for name, network in networks.items() for key, X in shop.read(network, "more").inputs(name).items()}
    together = {name: np.concatenate([spoiled.inputs[name], more[name]]) for name in names}
    extra = shop.read(networks["vae"], "more").jobs
    jobs = (*spoiled.jobs, *(f"more/{job}" for job in extra))
    return Cohort(together, jobs, (*spoiled.kinds, *("healthy",) * len(extra)))


def _summed(rows: Rows) -> Iterator[Row]:
    """Balanced accuracy by input and method, one column a share; means over seeds and repeats."""
    for name, method in dict.fromkeys((row["input"], row["method"]) for row in rows):
        here = [row for row in rows if (row["input"], row["method"]) == (name, method)]
        yield {"input": name, "method": method, **{f"{100 * share:g} %": _at(here, share) for share in SHARES}}


def _at(rows: Rows, share: float) -> float:
    return float(np.mean([row["balanced_accuracy"] for row in rows if row["prevalence"] == share]))


_WORDS = (
    "The paper calls defects sporadic, and clusters cohorts of which one half is defective. Balanced accuracy (one "
    "half is guessing) on a balanced test, where so many of the clustered layers are defective. No method is told how "
    "many, but `isolation_forest` always takes one half. Hits, false alarms and precision: `prevalence.csv`."
)
