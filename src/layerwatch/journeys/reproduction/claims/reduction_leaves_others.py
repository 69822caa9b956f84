"""Claim: PCA and kernel PCA do not change what k-Means and the Gaussian mixture make of D_f and the stack."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from layerwatch.journeys.reproduction.cells import REDUCTIONS, STACK, cells
from layerwatch.journeys.reproduction.claims.base import Claim, Finding
from layerwatch.journeys.reproduction.judged import yes_or_no
from layerwatch.journeys.reproduction.workshop import Workshop


@dataclass
class ReductionLeavesOthers(Claim):
    """No cell moves by more than .1."""

    summary: ClassVar[str] = "with PCA on D_f and the stack the performance of k-Means and GMM does not differ"
    source: ClassVar[str] = "section 5.2, Table 2"
    paper: ClassVar[str] = "k-Means .508 to .530, GMM .503 to .578"

    def check(self, shop: Workshop) -> Finding:
        """See Claim."""
        moved: dict[str, float] = {}
        for name in ("D_f", STACK):
            found = cells(shop, name, *(f"{reduction}{name}" for reduction in REDUCTIONS))
            for method in ("k_means", "gmm"):
                values = [value for (_, m), value in found.items() if m == method]
                moved[f"{name}, {method.replace('_', ' ')}"] = max(values) - min(values)
        said = ", ".join(f"{name}: {value:.3f}" for name, value in moved.items())
        told = f"largest difference between the input as it is and reduced: {said}"
        return Finding(told, yes_or_no(max(moved.values()) <= 0.1))
