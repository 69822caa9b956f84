"""Figures of merit of several detectors by defect and severity -> dots with intervals, and delays, as PNG and SVG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes

from layerwatch.evaluation.style import colour, forms, plain, sheet

_MARKS = "osD^v<>"


@dataclass(frozen=True)
class Dot:
    """One figure of merit."""

    detector: str
    defect: str
    severity: float
    value: float  # a delay may be infinite
    low: float
    high: float


def figure_of_dots(dots: Sequence[Dot], measure: str = "AUROC", chance: float = 0.5) -> dict[str, bytes]:
    """A line a defect, a panel a severity, a colour a detector, with intervals."""
    detectors, defects, severities = _axes_of(dots)
    figure, (axes,) = sheet(1, len(severities), 1.6 + 2.6 * len(severities), 1.1 + 0.3 * len(defects))
    for ax, severity in zip(axes, severities, strict=True):
        for dot in (dot for dot in dots if dot.severity == severity):
            number = detectors.index(dot.detector)
            y = defects.index(dot.defect) + _offset(number, len(detectors))
            ax.plot([dot.low, dot.high], [y, y], color=colour(number), lw=1, alpha=0.6)
            ax.plot(dot.value, y, _MARKS[number % len(_MARKS)], color=colour(number), mfc=_fill(number), ms=3.5)
        ax.axvline(chance, color="#b0b0b0", lw=0.8)
        ax.set_xlim(min(chance - 0.05, *(dot.low for dot in dots)), 1.01)
        plain(ax, measure, "", f"severity {severity:g}")
        _name_rows(ax, defects, is_first=ax is axes[0])
    _legend(axes[0], detectors, figure)
    return forms(figure)


def figure_of_delays(medians: Sequence[Dot], nineties: Sequence[Dot], most: int) -> dict[str, bytes]:
    """Layers until the alarm: a dot at the median, a line to where nine of ten jobs are alarmed.

    Args:
        medians: may be infinite, shown at the right edge.
        nineties: of the same detectors, defects and severities.
        most: layers that a defect lasts.
    """
    detectors, defects, severities = _axes_of(medians)
    ends = {(dot.detector, dot.defect, dot.severity): dot.value for dot in nineties}
    figure, (axes,) = sheet(1, len(severities), 1.6 + 2.6 * len(severities), 1.1 + 0.3 * len(defects))
    never = most + 1
    for ax, severity in zip(axes, severities, strict=True):
        for dot in (dot for dot in medians if dot.severity == severity):
            number = detectors.index(dot.detector)
            y = defects.index(dot.defect) + _offset(number, len(detectors))
            start, end = np.minimum((dot.value, ends.get((dot.detector, dot.defect, severity), dot.value)), never)
            ax.plot([start, end], [y, y], color=colour(number), lw=1, alpha=0.6)
            ax.plot(start, y, _MARKS[number % len(_MARKS)], color=colour(number), mfc=_fill(number), ms=3.5)
        ax.set_xlim(0.5, never + 0.5)
        ax.set_xticks([*range(1, most + 1), never], [*map(str, range(1, most + 1)), "never"])
        plain(ax, "layers until the alarm", "", f"severity {severity:g}")
        _name_rows(ax, defects, is_first=ax is axes[0])
    _legend(axes[0], detectors, figure)
    return forms(figure)


def _axes_of(dots: Sequence[Dot]) -> tuple[list[str], list[str], list[float]]:
    detectors, defects = (
        list(dict.fromkeys(names)) for names in ((d.detector for d in dots), (d.defect for d in dots))
    )
    return detectors, defects, sorted({dot.severity for dot in dots})


def _offset(number: int, count: int) -> float:
    """Detectors one below the other around the middle of a defect's line."""
    return 0.7 * ((number + 0.5) / count - 0.5)


def _name_rows(ax: Axes, defects: Sequence[str], *, is_first: bool) -> None:
    ax.set_ylim(len(defects) - 0.5, -0.5)
    ax.set_yticks(range(len(defects)), [name.replace("_", " ") for name in defects] if is_first else [], fontsize=8)
    ax.hlines(np.arange(len(defects) - 1) + 0.5, *ax.get_xlim(), color="#ececec", lw=0.6)


def _legend(ax: Axes, detectors: Sequence[str], figure: object) -> None:
    handles = [
        ax.plot([], [], _MARKS[number % len(_MARKS)], color=colour(number), mfc=_fill(number), ms=4, label=name)[0]
        for number, name in enumerate(detectors)
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=2, fontsize=8, frameon=False)  # type: ignore[attr-defined] # a figure


def _fill(number: int) -> str:
    """Marks that come again are hollow."""
    return colour(number) if number < len(_MARKS) else "white"
