"""Faults of a history and their files -> one picture of them, some of each kind."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from layerwatch.evaluation.fault_figures import Cell, figure_of_faults
from layerwatch.images.naming import UNKNOWN_LAYER
from layerwatch.images.outside import ReadingChild
from layerwatch.records import DataError, Fault

_EACH = 4  # pictures of a kind


def faults_sheet(folder: Path, found: Sequence[tuple[str, Fault]], child: ReadingChild) -> bytes:
    """PNG with up to four frames of each kind, in the order of the kinds' first faults; it says how many there are.

    Args:
        folder: of the history.
        found: file below it ("" where none came) and fault.
        child: that reads.
    """
    cells = list(_cells(folder, found, child))
    title = f"{len(found)} faults, {len(cells)} of them shown: up to {_EACH} of a kind"
    return figure_of_faults(cells, title if found else "No frame with a fault")


def _cells(folder: Path, found: Sequence[tuple[str, Fault]], child: ReadingChild) -> Iterator[Cell]:
    for kind in dict.fromkeys(fault.kind for _, fault in found):
        rows = [row for row in found if row[1].kind == kind]
        for number, (file, fault) in enumerate(rows[:_EACH], 1):
            place = file if fault.layer == UNKNOWN_LAYER else f"{fault.job}, layer {fault.layer}"
            pixels = _picture(folder / file, child) if file else None
            yield Cell(f"{kind}, {number} of {len(rows)}", place, pixels)


def _picture(path: Path, child: ReadingChild) -> np.ndarray | None:
    try:
        pixels = np.asarray(child.read(path)[0].pixels, np.float32)
    except DataError:
        return None
    return pixels if np.isfinite(pixels).any() else None
