"""Rows of frames in degC with their masks and words -> contact sheets as PNG bytes, about 1600 px wide."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, UInt8
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure

from layerwatch.evaluation.style import GREY, colour, png

_DPI = 100
_WIDTH, _MARGIN, _GAP, _BETWEEN = 1600, 18, 6, 34  # px: the sheet, its border, between cells, between blocks
_TITLE, _HEADS, _STRIP_HEAD, _CAPTION, _SPARE = 40, 22, 38, 17, 12  # px: heights of what stands around the cells
_SMALL, _PLAIN, _LARGE = 8.0, 9.5, 13.0  # points; 8 points are 11 px
_GREYS = 256  # all that a picture of 8 bits can show: fewer would draw steps that no camera saw
_HEAT = ListedColormap([(v, v, v) for v in np.linspace(0, 1, _GREYS)], "greys")
_OUTLINE, _MARK, _EMPTY = "#E69F00", "#D55E00", "#f3f3f3"


@dataclass(frozen=True, eq=False)
class Cell:
    """One picture of a sheet."""

    heat: Float32[np.ndarray, "h w"] | None  # degC, NaN where no pixel came; None: nothing came
    said: str  # under it
    mask: Bool[np.ndarray, "h w"] | None = None  # outlined
    is_marked: bool = False  # framed


@dataclass(frozen=True, eq=False)
class Strip:
    """A named row of pictures that share one grey scale and one size of cell."""

    name: str
    summary: str
    span: tuple[float, float]  # degC at black and white
    size: tuple[int, int]  # rows and columns of a whole cell in px of the pictures; smaller pictures leave a rest empty
    cells: tuple[Cell, ...]


@dataclass(frozen=True, eq=False)
class Height:
    """One healthy layer and its plan."""

    heat: Float32[np.ndarray, "h w"]  # degC
    plan: UInt8[np.ndarray, "h w"]  # part instance, 0 is bed
    said: str


def strips_sheet(title: str, strips: Sequence[Strip], *, blocks: int, heads: Sequence[str] = ()) -> bytes:
    """Strips one under the other, in ``blocks`` columns, each with as many cells.

    Args:
        title: over the sheet.
        strips: in reading order, down the first block, then the next; their cells are of one shape.
        blocks: how many columns of strips.
        heads: over the cells of each block.
    """
    count, rows = len(strips[0].cells), -(-len(strips) // blocks)
    block = (_WIDTH - 2 * _MARGIN - (blocks - 1) * _BETWEEN) // blocks
    wide = (block - (count - 1) * _GAP) // count
    high = round(wide * strips[0].size[0] / strips[0].size[1])
    top = _TITLE + (_HEADS if heads else 0)
    step = _STRIP_HEAD + high + _CAPTION + _SPARE
    page = _Page(top + rows * step + _MARGIN)
    page.words(_MARGIN, _TITLE / 2 + 4, title, _LARGE, weight="bold")
    for number, strip in enumerate(strips):
        x, y = _MARGIN + number // rows * (block + _BETWEEN), top + number % rows * step
        if heads and number % rows == 0:
            for column, head in enumerate(heads):
                page.words(x + column * (wide + _GAP) + wide / 2, y - 10, head, _PLAIN, across="center")
        _strip_head(page, strip, x, y, block)
        for column, cell in enumerate(strip.cells):
            _cell(page, cell, strip, (x + column * (wide + _GAP), y + _STRIP_HEAD, wide, high))
    return page.png()


def layers_sheet(title: str, layers: Sequence[Height], span: tuple[float, float]) -> bytes:
    """Healthy layers from the bottom of the part to its top: the frame, and under it the plan, a colour a copy."""
    count, size = len(layers), layers[0].heat.shape
    wide = (_WIDTH - 2 * _MARGIN - (count - 1) * _GAP) // count
    high = round(wide * size[0] / size[1])
    page = _Page(_TITLE + _HEADS + 2 * (high + _GAP) + _MARGIN)
    page.words(_MARGIN, _TITLE / 2 + 4, title, _LARGE, weight="bold")
    _bar(page, span, _WIDTH - _MARGIN, _TITLE / 2 + 4)
    for column, layer in enumerate(layers):
        x, y = _MARGIN + column * (wide + _GAP), _TITLE + _HEADS
        page.words(x + wide / 2, y - 10, layer.said, _PLAIN, across="center")
        _show(page.axes(x, y, wide, high), layer.heat, span, size)
        shown = page.axes(x, y + high + _GAP, wide, high)
        shown.imshow(_coloured(layer.plan))
        _bare(shown, size)
    return page.png()


@dataclass(eq=False)
class _Page:
    """A white sheet on which everything has its place in px from the upper left corner."""

    height: float

    def __post_init__(self) -> None:
        self.figure = Figure(figsize=(_WIDTH / _DPI, self.height / _DPI), dpi=_DPI)

    def axes(self, x: float, y: float, wide: float, high: float) -> Axes:
        """A picture's place."""
        at = (x / _WIDTH, 1 - (y + high) / self.height, wide / _WIDTH, high / self.height)
        return self.figure.add_axes(at)

    def words(
        self,
        x: float,
        y: float,
        text: str,
        size: float,
        *,
        across: str = "left",
        weight: str = "normal",
        ink: str = "black",
    ) -> None:
        """One line, its middle at y."""
        place = (x / _WIDTH, 1 - y / self.height)
        self.figure.text(*place, text, fontsize=size, ha=across, va="center", fontweight=weight, color=ink)

    def png(self) -> bytes:
        """The sheet."""
        return png(self.figure, _DPI)


def _strip_head(page: _Page, strip: Strip, x: float, y: float, wide: float) -> None:
    page.words(x, y + 11, strip.name.replace("_", " "), _PLAIN + 0.5, weight="bold")
    page.words(x, y + 28, strip.summary, _SMALL, ink=GREY)
    _bar(page, strip.span, x + wide, y + 11)


def _bar(page: _Page, span: tuple[float, float], right: float, y: float) -> None:
    """The grey scale with its ends in degC, right-aligned."""
    page.words(right, y, f"{span[1]:.1f} °C", _SMALL, across="right")
    shown = page.axes(right - 48 - 70, y - 5, 70, 10)
    shown.imshow(np.linspace(0, 1, _GREYS)[None], cmap=_HEAT, aspect="auto")
    shown.set_axis_off()
    page.words(right - 48 - 76, y, f"{span[0]:.1f} °C", _SMALL, across="right")


def _cell(page: _Page, cell: Cell, strip: Strip, place: tuple[float, float, float, float]) -> None:
    x, y, wide, high = place
    shown = page.axes(x, y, wide, high)
    _show(shown, cell.heat, strip.span, strip.size)
    if cell.mask is not None and cell.mask.any() and not cell.mask.all():
        shown.contour(cell.mask.astype(np.float32), [0.5], colors=[_OUTLINE], linewidths=0.8)
    if cell.is_marked:
        for side in shown.spines.values():
            side.set_color(_MARK)
            side.set_linewidth(2.2)
    page.words(
        x + wide / 2, y + high + 10, cell.said, _SMALL, across="center", ink=_MARK if cell.is_marked else "black"
    )


def _show(
    shown: Axes, heat: Float32[np.ndarray, "h w"] | None, span: tuple[float, float], size: tuple[int, ...]
) -> None:
    """A picture at its own size in the upper left of a cell; hatched where there is none."""
    shown.set_facecolor(_EMPTY)
    if heat is None or np.isnan(heat).any() or heat.shape != tuple(size):
        shown.patch.set_hatch("////")
        shown.patch.set_edgecolor("#c4c4c4")
    if heat is not None:
        shown.imshow(np.ma.masked_invalid(heat), cmap=_HEAT, vmin=span[0], vmax=span[1])
    _bare(shown, size)


def _bare(shown: Axes, size: tuple[int, ...]) -> None:
    """No ticks; the limits of a whole cell, whatever was drawn."""
    shown.set_xlim(-0.5, size[1] - 0.5)
    shown.set_ylim(size[0] - 0.5, -0.5)
    shown.set_xticks([])
    shown.set_yticks([])
    for side in shown.spines.values():
        side.set_color("#9a9a9a")
        side.set_linewidth(0.6)


def _coloured(plan: UInt8[np.ndarray, "h w"]) -> Float32[np.ndarray, "h w 3"]:
    """White bed, and a colour a copy, repeated after six."""
    inks = np.array([[int(colour(n)[i : i + 2], 16) / 255 for i in (1, 3, 5)] for n in range(6)], np.float32)
    painted = inks[(plan.astype(int) - 1) % 6]
    return np.where(plan[..., None] > 0, painted, np.float32(1)).astype(np.float32)
