"""Cells of our Table 2 at the main severity with the paper's choices, as claims quote them."""

from __future__ import annotations

from itertools import product

from layerwatch.journeys.reproduction.paper_table2 import METHODS
from layerwatch.journeys.reproduction.table import cell, rows_of
from layerwatch.journeys.reproduction.workshop import Workshop

DIFFERENCE = "D_f - D_f(G(E(X)))"
STACK = "[D_f, D_f(G(E(X)))]"
CHANCE = 0.6  # the better of two sides of 400 layers of some 80 jobs reaches this now and then where nothing is found
REDUCTIONS = ("PCA on ", "poly kPCA on ", "rbf kPCA on ")


def cells(shop: Workshop, *inputs: str, search: str = "paper", mapping: str = "best") -> dict[tuple[str, str], float]:
    """Accuracy by input and method, mean over the seeds; cells that a method cannot take are left out.

    Args:
        shop: where the tables come from.
        inputs: rows of Table 2.
        search: for the number of components: "paper" looks at labels, "variance" does not.
        mapping: which of two clusters counts as NOK: the better one ("best"), or what the cohort says ("cohort").
    """
    protocol = shop.protocol
    rows = [row for seed in protocol.seeds for row in rows_of(shop, seed, protocol.severity)]
    found = {
        (name, method): cell(rows, name, method, protocol.severity, search=search, mapping=mapping)
        for name, method in product(inputs, METHODS)
    }
    return {key: value for key, value in found.items() if value is not None}


def told(values: dict[tuple[str, str], float]) -> str:
    """Cells in words."""
    return "; ".join(f"{name}, {method.replace('_', ' ')}: {value:.3f}" for (name, method), value in values.items())
