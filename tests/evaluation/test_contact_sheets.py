from __future__ import annotations

import io
from itertools import combinations

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox
from PIL import Image

from layerwatch.evaluation import contact_sheets
from layerwatch.evaluation.contact_sheets import Cell, Height, Strip, layers_sheet, strips_sheet
from layerwatch.evaluation.style import png

HEAT = np.linspace(30, 40, 40 * 60, dtype=np.float32).reshape(40, 60)
MASK = np.zeros((40, 60), bool)
MASK[10:20, 30:40] = True


def strips(count: int, cells: int) -> list[Strip]:
    cut = np.where(np.arange(40)[:, None] < 20, HEAT, np.float32(np.nan)).astype(np.float32)
    shown = (Cell(HEAT, "layer 148, 3698 s", MASK), Cell(None, "149 missing", is_marked=True), Cell(cut, "cut"))
    row = (*shown, *[Cell(HEAT[:20, :30], "148, 58 s", MASK[:20, :30], is_marked=True)] * (cells - 3))
    text = "a line that says in about eighty letters what it is that can be seen on it, so"
    return [Strip(f"thing_number_{n}", text, (30.0, 40.0), (40, 60), row) for n in range(count)]


def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Figure]:
    """The figures that are drawn from now on."""
    figures: list[Figure] = []

    def keep(figure: Figure, dpi: int) -> bytes:
        figures.append(figure)
        return png(figure, dpi)

    monkeypatch.setattr(contact_sheets, "png", keep)
    return figures


def boxes(figure: Figure) -> list[tuple[str, Bbox]]:
    FigureCanvasAgg(figure)
    words = [(text.get_text(), text.get_window_extent()) for text in figure.texts]
    return words + [("picture", axes.get_window_extent()) for axes in figure.axes]


def overlapping(figure: Figure) -> list[tuple[str, str]]:
    return [
        (a, b)
        for (a, one), (b, two) in combinations(boxes(figure), 2)
        if min(one.x1, two.x1) - max(one.x0, two.x0) > 0.5 and min(one.y1, two.y1) - max(one.y0, two.y0) > 0.5  # px
    ]


@pytest.mark.parametrize(("blocks", "cells", "count"), [(2, 5, 13), (3, 4, 24), (1, 3, 1)])
def test_nothing_on_a_sheet_overlaps_or_leaves_it(
    monkeypatch: pytest.MonkeyPatch, blocks: int, cells: int, count: int
) -> None:
    figures = drawn(monkeypatch)
    heads = [f"severity {n}" for n in range(cells)]
    data = strips_sheet("A title", strips(count, cells), blocks=blocks, heads=heads)
    assert int.from_bytes(data[16:20], "big") == 1600
    sheet = figures[0].bbox
    for name, box in boxes(figures[0]):
        assert sheet.x0 <= box.x0 < box.x1 <= sheet.x1, name
        assert sheet.y0 <= box.y0 < box.y1 <= sheet.y1, name
    assert not overlapping(figures[0])


def test_layers_are_drawn_with_a_colour_a_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    figures = drawn(monkeypatch)
    plan = np.zeros((40, 60), np.uint8)
    plan[5:20, 5:20], plan[25:35, 30:50] = 1, 8
    layers_sheet("Layers", [Height(HEAT, plan, f"layer {n}, z {n} mm") for n in range(7)], (30.0, 40.0))
    assert not overlapping(figures[0])
    painted = contact_sheets._coloured(plan)
    assert (painted[plan == 0] == 1).all()
    assert len(np.unique(painted.reshape(-1, 3), axis=0)) == 3


def test_the_same_strips_give_the_same_bytes() -> None:
    first, again = (strips_sheet("A title", strips(2, 3), blocks=1) for _ in range(2))
    assert first == again


def test_every_grey_of_a_picture_is_drawn() -> None:
    ramp = np.tile(np.linspace(30, 40, 900, dtype=np.float32), (40, 1))
    sheet = strips_sheet("A title", [Strip("ramp", "rising", (30.0, 40.0), ramp.shape, (Cell(ramp, ""),))], blocks=1)
    with Image.open(io.BytesIO(sheet)) as picture:
        pixels = np.asarray(picture.convert("RGB"))
    row = pixels[pixels.shape[0] - 60, 25:-25].astype(int)
    assert len(np.unique(row[:, 0])) > 240
    assert np.diff(row[:, 0]).max() <= 2
    assert (np.ptp(row, axis=1) == 0).all()
