"""What commissioning found -> figures: healthy scores, drift, places of prints, probability of detection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float64
from matplotlib.ticker import NullLocator

from layerwatch.evaluation.pod import Curve, Trial
from layerwatch.evaluation.style import GREY, HEALTHY, colour, plain, png, sheet

_MOST_NAMED = 10  # jobs that get a colour and a name


def healthy_scores(scores: Mapping[str, tuple[Sequence[int], Float64[np.ndarray, " n"]]], line: float) -> bytes:
    """Every healthy job's scores over its layers, and the highest of each job beside the line of alarm.

    Args:
        scores: by job: numbers of the layers, and their scores.
        line: of alarm.
    """
    figure, (axes,) = sheet(1, 2, 10.0, 3.4)
    for number, (layers, own) in enumerate(scores.values()):
        axes[0].plot(layers, own, color=_tone(number, len(scores)), lw=0.9, alpha=0.8)
    highest = np.sort([float(own.max()) for _, own in scores.values()])
    axes[1].step(highest, (np.arange(len(highest)) + 1) / len(highest), where="post", color=colour(0), lw=1)
    axes[1].plot(highest, (np.arange(len(highest)) + 1) / len(highest), "o", color=colour(0), ms=4)
    axes[0].axhline(line, color=colour(1), lw=1, ls="--", label="line of alarm")
    axes[1].axvline(line, color=colour(1), lw=1, ls="--")
    axes[0].legend(fontsize=8, frameon=False)
    plain(axes[0], "layer", "score", "each job by a detector that has not learnt from it")
    plain(axes[1], "highest score of a job", "share of jobs up to it", "highest scores")
    return png(figure)


def drift(levels: Mapping[str, tuple[Sequence[float], Sequence[float], Sequence[float]]], unit: str) -> bytes:
    """Mean of bed and of part over the layers of each job.

    Args:
        levels: by job: numbers of the layers, levels of the bed, of the part.
        unit: of levels.
    """
    figure, (axes,) = sheet(1, 2, 10.0, 3.2)
    named = len(levels) <= _MOST_NAMED
    for number, (name, (layers, *pair)) in enumerate(levels.items()):
        for ax, values in zip(axes, pair, strict=True):
            ax.plot(
                layers, values, color=_tone(number, len(levels)), lw=1, label=name if named and ax is axes[0] else None
            )
    plain(axes[0], "layer", unit, "bed")
    plain(axes[1], "layer", unit, "part")
    if named:
        figure.legend(fontsize=7, frameon=False, loc="outside right upper")
    return png(figure)


def places(moved: Mapping[str, tuple[Sequence[float], Sequence[float]]], unit: str) -> bytes:
    """Where prints lie against their plans: a point a layer, a colour a job."""
    figure, ((ax,),) = sheet(1, 1, 4.6, 4.2)
    for number, (x, y) in enumerate(moved.values()):
        ax.plot(x, y, ".", color=_tone(number, len(moved)), ms=4)
    ax.axhline(0, color=GREY, lw=0.6)
    ax.axvline(0, color=GREY, lw=0.6)
    ax.set_aspect("equal", adjustable="datalim")
    ax.invert_yaxis()
    plain(ax, f"x, {unit}", f"y, {unit} (down, as in the frame)", "prints against their plans")
    return png(figure)


def detection_curves(found: Mapping[str, tuple[Sequence[Trial], Curve | None]], units: Mapping[str, str]) -> bytes:
    """Share of jobs in which each kind of defect was found, over its amount, with the fitted curve."""
    columns = 3
    rows = -(-len(found) // columns)
    figure, axes = sheet(rows, columns, 10.0, 2.9 * rows)
    flat = [ax for row in axes for ax in row]
    for ax, (kind, (trials, curve)) in zip(flat, found.items(), strict=False):
        amounts = np.unique([trial.amount for trial in trials])
        shares = [float(np.mean([t.is_found for t in trials if t.amount == amount])) for amount in amounts]
        ax.plot(amounts, shares, "o", color=colour(0), ms=4)
        if curve is not None:
            smooth = np.geomspace(amounts.min(), amounts.max(), 200)
            ax.plot(smooth, curve(smooth), color=colour(0), lw=1.2)
            ax.axvline(curve.amount_at(0.9), color=HEALTHY, lw=0.8, ls=":")
        ax.set_xscale("log")
        ax.set_xticks(amounts[:: 1 + len(amounts) // 5], [f"{a:.2g}" for a in amounts[:: 1 + len(amounts) // 5]])
        ax.xaxis.set_minor_locator(NullLocator())
        ax.set_ylim(-0.03, 1.03)
        ax.axhline(0.9, color=HEALTHY, lw=0.8, ls=":")
        plain(ax, f"amount, {units[kind]}", "found", kind)
    for ax in flat[len(found) :]:
        ax.set_visible(False)
    return png(figure)


def _tone(number: int, count: int) -> str:
    return colour(number) if count <= _MOST_NAMED else HEALTHY
