"""Frames that must not be judged -> one picture of them, each with its kind and place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32
from matplotlib.figure import Figure

from layerwatch.evaluation.style import bare, png

_COLUMNS, _SIDE, _HEAD, _TOP = 8, 1.6, 0.45, 0.3  # inches of a frame, the lines above it, the title of all
_GAP = 0.1  # inches
_LINE = 26  # characters of a title above it; more would reach into the next one


@dataclass(frozen=True, eq=False)
class Cell:
    """One frame."""

    kind: str
    place: str  # job and layer, or file
    pixels: Float32[np.ndarray, "h w"] | None  # None: nothing came, or nothing that can be shown


def figure_of_faults(cells: Sequence[Cell], title: str) -> bytes:
    """PNG; each frame in its own greys, from its 1st to its 99th percentile."""
    rows = max(-(-len(cells) // _COLUMNS), 1)
    high = rows * (_SIDE + _HEAD) + _TOP
    wide, half = _COLUMNS * _SIDE, _GAP / 2
    figure = Figure((wide, high))  # titles of one height need no layout engine, which takes seconds for a hundred
    edges = {"left": half / wide, "right": 1 - half / wide, "bottom": half / high, "top": 1 - (_TOP + _HEAD) / high}
    gaps = {"wspace": _GAP / (_SIDE - _GAP), "hspace": (_HEAD + half) / (_SIDE - half)}
    axes = figure.subplots(rows, _COLUMNS, squeeze=False, gridspec_kw={**edges, **gaps})
    figure.suptitle(title, fontsize=11, y=1 - half / high)
    places = [axis for row in axes for axis in row]
    for axis, cell in zip(places, cells, strict=False):
        bare(axis, f"{_fitted(cell.kind.replace('_', ' '))}\n{_fitted(cell.place)}")
        axis.title.set_fontsize(7)
        if cell.pixels is None:
            axis.text(0.5, 0.5, "nothing to show", ha="center", va="center", fontsize=7, transform=axis.transAxes)
            continue
        low, high = np.nanpercentile(cell.pixels, [1, 99]).tolist()
        axis.imshow(cell.pixels, cmap="inferno", vmin=low, vmax=max(high, low + 1e-6))
    for axis in places[len(cells) :]:
        axis.set_axis_off()
    return png(figure)


def _fitted(text: str) -> str:
    """One line; a longer one keeps its beginning and, since numbers stand there, more of its end."""
    start = _LINE // 3
    plain = "".join(c if c.isprintable() else "?" for c in text).replace("$", r"\$")
    return plain if len(plain) <= _LINE else f"{plain[:start]}…{plain[start + 1 - _LINE :]}"
