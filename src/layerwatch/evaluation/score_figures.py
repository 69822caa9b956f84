"""Anomaly scores of healthy layers and of each defect -> Figure 7 of the paper, and AUROC against severity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float64
from matplotlib.figure import Figure

from layerwatch.evaluation.metrics import Estimate
from layerwatch.evaluation.style import HEALTHY, colour, dashes, forms, plain, png, sheet

Scores = Mapping[str, Float64[np.ndarray, " n"]]  # by the score's name
_BINS = 36


def edges_of(values: Float64[np.ndarray, " n"]) -> Float64[np.ndarray, " k"]:
    """Bins of equal width on a logarithmic axis over all values."""
    positive = np.maximum(values, 1e-12)
    return np.geomspace(positive.min(), positive.max() * 1.0001, _BINS)


def histograms(scores: Scores, kinds: Sequence[str]) -> bytes:
    """Figure 7 as PNG: the distribution of each anomaly score, one line a type."""
    return png(_histograms(scores, kinds))


def figure_7(scores: Scores, kinds: Sequence[str]) -> dict[str, bytes]:
    """The same as PNG and SVG."""
    return forms(_histograms(scores, kinds))


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


def _histograms(scores: Scores, kinds: Sequence[str]) -> Figure:
    figure, axes = sheet(1, len(scores), 11.5, 3.4)
    kind_of = np.array(kinds)
    defects = sorted(set(kinds) - {"healthy", ""})
    for ax, (name, values) in zip(axes[0], scores.items(), strict=True):
        positive, edges = np.maximum(values, 1e-12), edges_of(values).tolist()
        ax.hist(positive[kind_of == "healthy"], edges, density=False, color=HEALTHY, alpha=0.45, label="healthy")
        for number, defect in enumerate(defects):
            ax.hist(
                positive[kind_of == defect],
                edges,
                histtype="step",
                color=colour(number),
                ls=dashes(number),
                lw=1.4,
                label=defect.replace("_", " "),
            )
        ax.set_xscale("log")
        plain(ax, "anomaly score", "layers" if ax is axes[0][0] else "", name)
        ax.minorticks_off()
    handles, labels = axes[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=6, fontsize=8, frameon=False)
    return figure
