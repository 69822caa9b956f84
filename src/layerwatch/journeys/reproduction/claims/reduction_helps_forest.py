"""Claim: PCA and kernel PCA raise the Isolation Forest's accuracy on D_f and on the stack."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from layerwatch.journeys.reproduction.cells import REDUCTIONS, STACK, cells, told
from layerwatch.journeys.reproduction.claims.base import Claim, Finding
from layerwatch.journeys.reproduction.workshop import Workshop


@dataclass
class ReductionHelpsForest(Claim):
    """Each of the three reductions, on both inputs, with the paper's search."""

    summary: ClassVar[str] = "PCA increases the performance of Isolation Forest on D_f and on the stack of features"
    source: ClassVar[str] = "section 5.2, Table 2"
    paper: ClassVar[str] = "D_f .525 to .793 and more, stack .630 to .853 and more"

    def check(self, shop: Workshop) -> Finding:
        """See Claim."""
        names = [f"{reduction}{name}" for name in ("D_f", STACK) for reduction in ("", *REDUCTIONS)]
        found = {key: value for key, value in cells(shop, *names).items() if key[1] == "isolation_forest"}
        plain = {name: found[name, "isolation_forest"] for name in ("D_f", STACK)}
        holds = all(found[f"{r}{n}", "isolation_forest"] > plain[n] for n in plain for r in REDUCTIONS)
        return Finding(told(found), holds)
