"""Anomaly scores of healthy layers and of each defect -> Figure 7 of the paper, and AUROC against severity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Bool, Float64
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator

from layerwatch.evaluation.metrics import Estimate, roc_points
from layerwatch.evaluation.style import GREY, HEALTHY, colour, dashes, forms, plain, png, sheet

Scores = Mapping[str, Float64[np.ndarray, " n"]]  # by the score's name
Sides = Mapping[str, Mapping[str, Bool[np.ndarray, " b"]]]  # by the score's and the method's name, one a bin
_BINS = 36


def edges_of(values: Float64[np.ndarray, " n"]) -> Float64[np.ndarray, " k"]:
    """Bins of equal width on a logarithmic axis over all values, from a thousandth of the median on."""
    least = max(1e-3 * float(np.median(values)), 1e-12)
    lowest = max(float(values.min()), least)
    return np.geomspace(lowest, max(float(values.max()), lowest) * 1.0001, _BINS)


def histograms(scores: Scores, kinds: Sequence[str]) -> bytes:
    """Figure 7 as PNG: the distribution of each anomaly score, a row of diagrams for each type."""
    return png(_histograms(scores, kinds, {}))


def figure_7(scores: Scores, kinds: Sequence[str], sides: Sides) -> dict[str, bytes]:
    """The same as PNG and SVG, with a row below that shows where each cluster method calls a score NOK.

    Args:
        scores: of all layers, by the score's name.
        kinds: of each layer: "healthy" or the defect's name.
        sides: for each score and method whether each of the score's bins is NOK, as ``edges_of`` has them.
    """
    return forms(_histograms(scores, kinds, sides))


def figure_of_severities(
    curves: Mapping[str, Mapping[float, Estimate]], measure: str = "AUROC", chance: float = 0.5
) -> dict[str, bytes]:
    """A figure of merit against severity, one line a score, with its interval."""
    figure, ((ax,),) = sheet(1, 1, 8.0, 4.6)
    for number, (name, points) in enumerate(curves.items()):
        x = sorted(points)
        middle = [points[severity].value for severity in x]
        ax.plot(x, middle, "osD^v<>"[number % 7], color=colour(number), ls=dashes(number), lw=1.6, label=name)
        ax.fill_between(
            x, [points[s].low for s in x], [points[s].high for s in x], color=colour(number), alpha=0.12, lw=0
        )
    ax.axhline(chance, color="#b0b0b0", lw=0.8)
    ax.set_xscale("log", base=2)
    ax.set_xticks(sorted({s for points in curves.values() for s in points}))
    ax.xaxis.set_major_formatter("{x:g}")
    ax.set_ylim(min(chance, 0.45) - 0.05, 1.01)
    plain(ax, "severity (d' / 10)", measure)
    ax.legend(fontsize=8, frameon=False)
    return forms(figure)


def _histograms(scores: Scores, kinds: Sequence[str], sides: Sides) -> Figure:
    kind_of, defects = np.array(kinds), sorted(set(kinds) - {"healthy", ""})
    rows = len(defects) + bool(sides)
    figure, axes = sheet(max(rows, 1), len(scores), 1.0 + 1.9 * len(scores), 0.9 + 1.05 * max(rows, 1))
    for column, (name, values) in enumerate(scores.items()):
        own = [row[column] for row in axes]
        edges = edges_of(values).tolist()
        for number, defect in enumerate(defects):
            _against_healthy(own[number], values, kind_of, defect, edges, number)
        if sides:
            _sides(own[-1], sides[name], edges)
        for ax in own:
            ax.set_xscale("log")
            ax.set_xlim(edges[0], edges[-1])
            ax.xaxis.set_major_locator(
                LogLocator(subs=(1.0, 3.0) if edges[-1] < 100 * edges[0] else (1.0,), numticks=4)
            )
            ax.xaxis.set_major_formatter("{x:g}")
            ax.minorticks_off()
            plain(ax, "anomaly score" if ax is own[-1] else "", "", name if ax is own[0] else "")
            ax.title.set_fontsize(9)
            ax.tick_params(labelsize=7, labelbottom=ax is own[-1])
    for number, defect in enumerate(defects):
        axes[number][0].set_ylabel(defect.replace("_", " "), fontsize=9, color=colour(number))
    if sides:
        axes[-1][0].set_ylabel("called NOK by", fontsize=9)
    return figure


def _against_healthy(
    ax: Axes, values: Float64[np.ndarray, " n"], kind_of: np.ndarray, defect: str, edges: list[float], number: int
) -> None:
    """Layers of one defect in front of the healthy ones, as shares of each, with their AUROC."""
    healthy, spoiled = (np.maximum(values[kind_of == kind], edges[0]) for kind in ("healthy", defect))
    for some, style in (
        (healthy, {"histtype": "stepfilled", "color": HEALTHY, "alpha": 0.45}),
        (spoiled, {"histtype": "step", "color": colour(number), "lw": 1.4}),
    ):
        ax.hist(some, edges, weights=np.full(len(some), 1 / max(len(some), 1)), **style)  # type: ignore[arg-type] # named
    if len(healthy) and len(spoiled):
        false, hits = roc_points(healthy, spoiled)
        ax.text(0.03, 0.92, f"{np.trapezoid(hits, false):.2f}", transform=ax.transAxes, ha="left", va="top", fontsize=8)
    ax.set_yticks([])


def _sides(ax: Axes, methods: Mapping[str, Bool[np.ndarray, " b"]], edges: list[float]) -> None:
    """One bar a method, over the scores that it calls NOK."""
    for number, nok in enumerate(methods.values()):
        ends = np.flatnonzero(np.diff(np.r_[False, nok, False])).reshape(-1, 2).tolist()
        spans = [(edges[first], edges[last] - edges[first]) for first, last in ends]
        ax.broken_barh(spans, (number - 0.35, 0.7), color=GREY, lw=0)
    ax.set_ylim(len(methods) - 0.4, -0.6)
    ax.set_yticks(range(len(methods)), [name.replace("_", " ") for name in methods], fontsize=6)
    ax.yaxis.set_tick_params(labelleft=ax.get_subplotspec().is_first_col())  # type: ignore[union-attr] # of a grid
