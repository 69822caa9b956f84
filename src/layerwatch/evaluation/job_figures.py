"""The layers of a job -> bar of what they are and score against layer; its defects -> where they lie; as PNG."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from layerwatch.evaluation.style import colour, plain, png, sheet

STATES = ("OK", "minor", "critical", "cannot be judged")
_LOOKS = {  # height of the bar, colour, hatching, letter
    "OK": (0.28, colour(5), "", ""),
    "minor": (0.6, colour(4), "///", "m"),
    "critical": (1.0, colour(1), "", "C"),
    "cannot be judged": (1.0, "white", "x", "?"),
}
_MARKS = {"OK": ".", "minor": "^", "critical": "s", "cannot be judged": "x"}
_WIDE, _MOST_ROWS = 100, 24  # layers in a row, and rows


@dataclass(frozen=True)
class Course:
    """What became of one layer."""

    layer: int
    state: str  # one of STATES
    score: float = math.nan
    threshold: float = math.nan


@dataclass(frozen=True)
class Place:
    """A defect in its job; mm."""

    name: str
    is_critical: bool
    left: float
    right: float
    near: float  # its smallest y
    far: float
    bottom: float
    top: float


def layer_bar(layers: Sequence[Course]) -> bytes:
    """A bar a layer: low is OK, hatched and ``m`` is minor, full and ``C`` critical, crossed and ``?`` not judged."""
    first, last = min(one.layer for one in layers), max(one.layer for one in layers)
    wide = max(_WIDE, math.ceil((last - first + 1) / _MOST_ROWS))
    rows = (last - first) // wide + 1
    figure, axes = sheet(rows, 1, 9.0, 0.8 + 0.55 * rows)
    for number, (ax,) in enumerate(axes):
        start = first + number * wide
        _row(ax, [one for one in layers if start <= one.layer < start + wide], is_lettered=wide <= _WIDE)
        ax.set_xlim(start - 0.5, start - 0.5 + (wide if rows > 1 else last - first + 1))
    handles = [
        Rectangle((0, 0), 1, 1, facecolor=face, hatch=hatch, edgecolor="black", linewidth=0.5, label=_said(state))
        for state, (_, face, hatch, _) in _LOOKS.items()
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=4, fontsize=8, frameon=False)
    return png(figure)


def _said(state: str) -> str:
    letter = _LOOKS[state][3]
    return f"{state} ({letter})" if letter else f"{state} (low)"


def _row(ax: Axes, layers: Sequence[Course], *, is_lettered: bool) -> None:
    for state, (height, face, hatch, letter) in _LOOKS.items():
        own = [one.layer for one in layers if one.state == state]
        heights = [height] * len(own)
        ax.bar(own, heights, 0.9, color=face, hatch=hatch, edgecolor="black", linewidth=0.4)
        if letter and is_lettered:
            for layer in own:
                box = {"facecolor": "white", "lw": 0, "pad": 0.6}
                ax.text(layer, height / 2, letter, ha="center", va="center", fontsize=6, bbox=box)
    ax.set_ylim(0, 1)
    ax.set_yticks([])
    ax.tick_params(labelsize=7)
    ax.xaxis.set_major_locator(MaxNLocator("auto", integer=True, steps=[1, 2, 5, 10]))
    ax.spines[["top", "right", "left"]].set_visible(False)


def score_course(layers: Sequence[Course]) -> bytes:
    """Score against layer, with the line above which a layer is NOK; layers without a score are crosses below."""
    figure, axes = sheet(1, 1, 9.0, 3.2)
    ax = axes[0][0]
    scored = [one for one in layers if math.isfinite(one.score)]
    ax.plot([one.layer for one in scored], [one.score for one in scored], "-", color="#b0b0b0", linewidth=0.8)
    for number, state in enumerate(STATES[:3]):
        own = [one for one in scored if one.state == state]
        if own:
            size = 20 if state == "OK" else 28
            place = ([one.layer for one in own], [one.score for one in own])
            ax.scatter(*place, s=size, marker=_MARKS[state], color=colour((5, 4, 1)[number]), label=state, zorder=3)
    limits = [(one.layer, one.threshold) for one in layers if math.isfinite(one.threshold)]
    if limits:
        ax.plot(*zip(*limits, strict=True), "--", color="black", linewidth=1.2, label="line: above is NOK")
    unscored = [one.layer for one in layers if not math.isfinite(one.score)]
    if unscored:
        ends = ax.get_xaxis_transform()  # at the foot, whatever the scores are
        place = (unscored, [0.03] * len(unscored))
        ax.scatter(*place, s=28, marker="x", color="black", transform=ends, label="cannot be judged", zorder=3)
    top = max((one.score for one in scored), default=0.0)
    least = max((limit for _, limit in limits), default=1.0)
    if least > 0 and top > 20 * least:
        ax.set_yscale("symlog", linthresh=least)
    plain(ax, "layer", "score")
    ax.xaxis.set_major_locator(MaxNLocator("auto", integer=True, steps=[1, 2, 5, 10]))
    if ax.get_legend_handles_labels()[0]:
        ax.legend(fontsize=8, loc="best")
    return png(figure)


def defect_places(places: Sequence[Place], bed: UInt8[np.ndarray, "h w"] | None, width: float, depth: float) -> bytes:
    """Where defects lie, from above and from the side.

    Args:
        places: of the defects.
        bed: part instance that any layer has at each pixel, drawn as outlines; None: not known.
        width: of the bed along x, mm.
        depth: of the bed along y, mm.
    """
    figure, axes = sheet(1, 2, 9.0, 4.4)
    above, side = axes[0]
    if bed is not None and (bed > 0).any() and not (bed > 0).all():
        grown, extent = (bed > 0).astype(float), (0.0, width, depth, 0.0)
        above.contour(grown, [0.5], colors=["#8a8a8a"], linewidths=0.8, extent=extent, origin="upper")
        for part in np.unique(bed[bed > 0]).tolist():
            rows, columns = np.nonzero(bed == part)
            middle = ((columns.mean() + 0.5) * width / bed.shape[1], (rows.mean() + 0.5) * depth / bed.shape[0])
            above.text(*middle, f"core {part}", fontsize=8, color="#595959", ha="center", va="center")
    lowest, highest = min(one.bottom for one in places), max(one.top for one in places)
    margin = max(0.15 * (highest - lowest), 0.5)
    for one in places:
        _box(above, one, (one.left, one.near, one.right - one.left, one.far - one.near))
        _box(side, one, (one.left, one.bottom, one.right - one.left, one.top - one.bottom))
    plain(above, "x, mm", "y, mm", "from above, in the camera's view")
    plain(side, "x, mm", "z, mm: top of the layers", "from the side")
    above.set_xlim(0, width)
    above.set_ylim(depth, 0)
    above.set_aspect("equal")
    side.set_xlim(0, width)
    side.set_ylim(lowest - margin, highest + margin)
    return png(figure)


def _box(ax: Axes, one: Place, where: tuple[float, float, float, float]) -> None:
    left, bottom, width, height = where
    style, line = ("-", 1.8) if one.is_critical else ("--", 1.2)
    shade = colour(1) if one.is_critical else colour(4)
    ax.add_patch(
        Rectangle(
            (left, bottom), width, height, facecolor=f"{shade}55", edgecolor="black", linestyle=style, linewidth=line
        )
    )
    told = f"{one.name} {'C' if one.is_critical else 'm'}"
    ground = {"facecolor": "white", "alpha": 0.8, "lw": 0, "pad": 0.8}
    is_left = int(one.name.lstrip("D") or 0) % 2 == 1 and left > 0  # so that neighbours' names do not meet
    place = (left if is_left else left + width, bottom + height / 2)
    away, side = (-5, "right") if is_left else (5, "left")
    ax.annotate(told, place, (away, 0), textcoords="offset points", fontsize=8, ha=side, va="center", bbox=ground)
