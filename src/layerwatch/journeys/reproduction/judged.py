"""Figures with their intervals -> whether a statement holds: yes, no, or that it cannot be judged from them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from layerwatch.evaluation.metrics import Estimate

Holds = Literal["yes", "no", "cannot be judged"]
OPEN: Holds = "cannot be judged"
HOLDS: tuple[Holds, ...] = ("yes", "no", OPEN)


def yes_or_no(holds: bool) -> Holds:
    """For a rule that the figures decide in any case."""
    return "yes" if holds else "no"


def is_chance(areas: Iterable[Estimate]) -> bool:
    """Whether no AUROC among them is surely above one half, so that none of them finds anything."""
    return all(area.low <= 0.5 for area in areas)


def by_difference(difference: Estimate) -> Holds:
    """Whether something is better than another thing: only a difference whose interval leaves 0 out decides."""
    return "yes" if difference.low > 0 else "no" if difference.high < 0 else OPEN
