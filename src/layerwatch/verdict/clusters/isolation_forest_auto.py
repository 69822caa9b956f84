"""Isolation Forest that is not told how many are NOK."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from layerwatch.verdict.clusters.isolation_forest import IsolationForest


@dataclass
class IsolationForestAuto(IsolationForest):
    """Cuts at the score that Liu, Ting and Zhou give for themselves, one half, whatever the cohort."""

    summary: ClassVar[str] = "isolation forest with no contamination assumed"

    contamination: float | Literal["auto"] = "auto"
