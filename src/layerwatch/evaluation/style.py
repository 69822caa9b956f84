"""Names of defects and detectors -> colours that the colour-blind can tell apart, and figures as PNG bytes."""

from __future__ import annotations

import io
from collections.abc import Sequence
from textwrap import wrap

from matplotlib import rcParams
from matplotlib.axes import Axes
from matplotlib.figure import Figure

_LABEL = 20  # characters beside a row of images; more would reach into the next row

# Okabe and Ito 2008; yellow is left out, it is lost on white.
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
_DASHES = ("-", "--", "-.", ":", (0, (3, 1, 1, 1)), (0, (5, 1)), (0, (1, 1)))
HEALTHY = "#8a8a8a"
GREY = "#595959"

rcParams["svg.hashsalt"] = "layerwatch"


def colour(number: int) -> str:
    """The colour of the n-th thing of a kind."""
    return _COLOURS[number % len(_COLOURS)]


def dashes(number: int) -> str | tuple[int, tuple[int, ...]]:
    """The line style of the n-th thing, so that lines differ in more than colour."""
    return _DASHES[number % len(_DASHES)]


def sheet(rows: int, columns: int, width: float, height: float) -> tuple[Figure, list[list[Axes]]]:
    """A figure of ``width`` x ``height`` inches with a grid of axes."""
    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False)
    return figure, [list(row) for row in axes]


def png(figure: Figure, dpi: int = 110) -> bytes:
    """The figure's bytes; the same figure gives the same bytes."""
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=dpi, facecolor="white", metadata={"Software": None})
    return file.getvalue()


def forms(figure: Figure) -> dict[str, bytes]:
    """The figure as PNG and as SVG, by the endings of their files; the same figure gives the same bytes."""
    file = io.BytesIO()
    figure.savefig(file, format="svg", facecolor="white", metadata={"Date": None, "Creator": None})
    return {"png": png(figure), "svg": file.getvalue()}


def bare(axes: Axes, title: str = "") -> None:
    """An image without ticks."""
    axes.set_xticks([])
    axes.set_yticks([])
    for side in axes.spines.values():
        side.set_color("#c8c8c8")
    axes.set_title(title, fontsize=9)


def plain(axes: Axes, x: str, y: str, title: str = "") -> None:
    """A diagram with labels, without the upper and right frame."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_xlabel(x, fontsize=9)
    axes.set_ylabel(y, fontsize=9)
    axes.set_title(title, fontsize=10, loc="left")
    axes.tick_params(labelsize=8)
    axes.grid(color="#ececec", linewidth=0.6)
    axes.set_axisbelow(True)


def label_rows(axes: Sequence[Sequence[Axes]], names: Sequence[str]) -> None:
    """The name of each row of images, at its left."""
    for row, name in zip(axes, names, strict=True):
        lines = [wrapped for line in name.replace("_", " ").splitlines() for wrapped in wrap(line, _LABEL)]
        row[0].set_ylabel("\n".join(lines), fontsize=9)
