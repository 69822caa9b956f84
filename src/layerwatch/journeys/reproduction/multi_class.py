"""Table 2's inputs with more than two clusters -> whether kinds of defects are told apart (section 5.2)."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from layerwatch import catalogue
from layerwatch.evaluation.classes import classes_found, equal_parts, methods_for
from layerwatch.journeys.reproduction.shown import Shown
from layerwatch.journeys.reproduction.workshop import Workshop
from layerwatch.journeys.reproduction.writing import markdown, write_csv

Row = dict[str, Any]


def multi_class(shop: Workshop, shown: Shown) -> None:
    """classes.csv: adjusted Rand index and confusion of every input, method and seed."""
    rows = all_rows(shop)
    write_csv(shown.folder / "classes.csv", rows)
    best = sorted(rows, key=lambda row: -row["adjusted_rand"])[:6]
    shown.say(
        "More clusters", _WORDS, markdown(best, ["input", "method", "clusters", "adjusted_rand", "confusion", "seed"])
    )
    shown.tell("largest_adjusted_rand", best[0]["adjusted_rand"])


def all_rows(shop: Workshop) -> list[Row]:
    """Of all seeds."""
    return [
        row for seed in shop.protocol.seeds for row in shop.remembered(f"classes-{seed}", partial(_rows, shop, seed))
    ]


def _rows(shop: Workshop, seed: int) -> list[Row]:
    networks = {name: shop.network(name, seed) for name in ("vae", "fanogan")}
    cohort, rows = shop.cohort(networks, shop.protocol.severity), list[Row]()
    mix = shop.protocol.mix
    fit, test = equal_parts(cohort, mix.healthy, mix.test_healthy, seed=seed)
    for name, X in fit.inputs.items():
        for label, x, y in _variants(name, X, test.inputs[name]):
            for method in methods_for(x.shape[1]):
                found = classes_found(x, y, test.kinds, method, seed=seed)
                confusion = "; ".join(
                    f"{kind}: {' '.join(map(str, line))}"
                    for kind, line in zip(found.kinds, found.confusion.tolist(), strict=True)
                )
                clusters = found.confusion.shape[1]
                told = {"input": label, "dimension": x.shape[1], "method": method, "clusters": clusters}
                rows.append(told | {"adjusted_rand": found.adjusted_rand, "confusion": confusion, "seed": seed})
    return rows


def _variants(name: str, X: np.ndarray, Y: np.ndarray) -> list[tuple[str, np.ndarray, np.ndarray]]:
    """The input, and after each reduction."""
    found = [(name, X, Y)]
    for reduction in catalogue.names("verdict.reductions") if X.shape[1] > 1 else ():
        model = catalogue.load("verdict.reductions", reduction)().fit(X)
        count = min(model.explaining(0.95), 30)
        found.append((f"{model.label} on {name}", model.apply(X)[:, :count], model.apply(Y)[:, :count]))
    return found


_WORDS = (
    "As many clusters as kinds (two, of a method of the shelf that knows no more); up to 300 layers a kind to cluster "
    "and 200 others to count on, by job. An adjusted Rand index of 0 is chance, 1 a perfect partition; these are the "
    "six best. Confusion: layers of a kind by cluster."
)
