"""Faults of a history and their files -> one picture of them, some of each kind."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from layerwatch.evaluation.fault_figures import Cell, figure_of_faults
from layerwatch.images.outside import ReadingChild
from layerwatch.records import DataError, Fault

_EACH, _MOST = 4, 48  # pictures of a kind, and in all


def faults_sheet(folder: Path, found: Sequence[tuple[str, Fault]], child: ReadingChild) -> bytes:
    """PNG with up to four frames of each kind, in the order of the kinds' first faults.

    Args:
        folder: of the history.
        found: file below it ("" where none came) and fault.
        child: that reads.
    """
    kinds = list(dict.fromkeys(fault.kind for _, fault in found))
    chosen = [one for kind in kinds for one in [row for row in found if row[1].kind == kind][:_EACH]]
    return figure_of_faults(list(_cells(folder, chosen[:_MOST], child)))


def _cells(folder: Path, chosen: Sequence[tuple[str, Fault]], child: ReadingChild) -> Iterator[Cell]:
    for file, fault in chosen:
        yield Cell(fault.kind, f"{fault.job}, layer {fault.layer}", _picture(folder / file, child) if file else None)


def _picture(path: Path, child: ReadingChild) -> np.ndarray | None:
    try:
        return np.asarray(child.read(path)[0].pixels, np.float32)
    except DataError:
        return None
