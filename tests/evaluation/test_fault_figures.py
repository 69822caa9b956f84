"""The picture of frames that must not be judged: every frame asked for is there, and no title reaches into the next."""

from __future__ import annotations

import io
from itertools import pairwise

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from layerwatch.evaluation import fault_figures
from layerwatch.evaluation.fault_figures import Cell, figure_of_faults

CELLS = [
    Cell(f"person_in_chamber, {k} of 12345", f"2026-01-02 an uncommonly long name of a job $x^2 {k}, layer {k}", frame)
    for k, frame in enumerate([np.random.default_rng(0).random((40, 60), np.float32)] * 99 + [None])
]


def test_titles_stay_above_their_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    figures: list[Figure] = []

    def png(figure: Figure) -> bytes:
        figures.append(figure)
        figure.draw_without_rendering()
        return b""

    monkeypatch.setattr(fault_figures, "png", png)
    figure_of_faults(CELLS, "100 faults")
    axes = [axis for axis in figures[0].axes if axis.axison]
    assert len(axes) == len(CELLS)
    boxes = [axis.title.get_window_extent() for axis in axes]
    for left, right in pairwise(boxes):
        assert left.x1 < right.x0 or right.y1 < left.y0  # beside it, or in the next row
    assert axes[41].get_title().endswith("layer 41")
    assert axes[41].get_title().startswith("person")


def test_it_is_a_picture_also_of_nothing() -> None:
    for cells in ([], CELLS[-3:]):
        assert Image.open(io.BytesIO(figure_of_faults(cells, "faults"))).format == "PNG"
