"""Figures -> lines for the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from layerwatch.journeys.evaluate import Evaluation
from layerwatch.records import counted


def evaluation_lines(figures: Evaluation, *, left_out: int = 0) -> list[str]:
    """One detector's figures, one line a class."""
    lines = [f"{figures.name}: {figures.healthy} healthy and {figures.defective} defective images not seen in training"]
    if left_out:
        lines.append(f"{counted(left_out, 'image')} left out, because the model was trained on them or on the same job")
    lines.append(f"{'class':24s} {'AUROC':>22s}   found at the threshold")
    lines += [f"{kind:24s} {figures.auroc[kind]!s:>22s}   {figures.hits[kind]}" for kind in figures.auroc]
    lines.append(f"false alarms among healthy images: {figures.false_alarms}, promised {figures.promised:g}")
    return lines


def comparison_lines(figures: Sequence[Evaluation]) -> list[str]:
    """Several detectors side by side, one line a detector, AUROC of all defects and of each."""
    kinds = list(figures[0].auroc)
    order = ["all", *(kind for kind in kinds if kind != "all")]
    lines = [f"{'AUROC':16s}" + "".join(f"{kind[:15]:>16s}" for kind in order) + "    false alarms"]
    for one in figures:
        cells = "".join(f"{one.auroc[kind].value:16.3f}" for kind in order)
        lines.append(f"{one.name:16s}{cells}{one.false_alarms.value:12.3f} ({one.promised:g} promised)")
    return lines
