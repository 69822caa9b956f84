"""What commissioning found -> figures: healthy scores, drift, places of prints, probability of detection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float64
from matplotlib.ticker import FormatStrFormatter, LogLocator, NullFormatter

from layerwatch.evaluation.pod import Curve, Trial
from layerwatch.evaluation.style import GREY, HEALTHY, colour, plain, png, sheet

_MOST_NAMED = 10  # jobs that get a colour and a name


def healthy_scores(scores: Mapping[str, Float64[np.ndarray, " n"]], line: float) -> bytes:
    """Every healthy job's scores over its layers, and the highest of each job beside the line of alarm."""
    figure, (axes,) = sheet(1, 2, 10.0, 3.4)
    for number, own in enumerate(scores.values()):
        axes[0].plot(own, color=_tone(number, len(scores)), lw=0.9, alpha=0.8)
    highest = np.sort([float(own.max()) for own in scores.values()])
    axes[1].plot(highest, (np.arange(len(highest)) + 1) / len(highest), "o", color=colour(0), ms=4)
    axes[0].axhline(line, color=colour(1), lw=1, ls="--")
    axes[1].axvline(line, color=colour(1), lw=1, ls="--", label="line of alarm")
    axes[1].legend(fontsize=8, frameon=False)
    plain(axes[0], "layer of the job", "score", "each job by a detector that has not learnt from it")
    plain(axes[1], "highest score of a job", "share of jobs", "the job is the unit")
    return png(figure)


def drift(levels: Mapping[str, tuple[Sequence[float], Sequence[float]]], unit: str) -> bytes:
    """Mean of bed and of part over the layers of each job.

    Args:
        levels: by job: of the bed, of the part, one a layer.
        unit: of both.
    """
    figure, (axes,) = sheet(1, 2, 10.0, 3.0)
    for number, (name, pair) in enumerate(levels.items()):
        for ax, values in zip(axes, pair, strict=True):
            label = name if len(levels) <= _MOST_NAMED else None
            ax.plot(values, color=_tone(number, len(levels)), lw=1, label=label)
    plain(axes[0], "layer of the job", unit, "bed")
    plain(axes[1], "layer of the job", unit, "part")
    if len(levels) <= _MOST_NAMED:
        axes[1].legend(fontsize=7, frameon=False)
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
    plain(ax, f"x, {unit}", f"y, {unit}", "prints against their plans")
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
        ax.set_xscale("log")
        ax.xaxis.set_major_locator(LogLocator(subs=(1.0, 3.0), numticks=8))
        ax.xaxis.set_major_formatter(FormatStrFormatter("%g"))
        ax.xaxis.set_minor_formatter(NullFormatter())
        ax.set_ylim(-0.03, 1.03)
        ax.axhline(0.9, color=HEALTHY, lw=0.8, ls=":")
        plain(ax, units[kind], "found", kind)
    for ax in flat[len(found) :]:
        ax.set_visible(False)
    return png(figure)


def _tone(number: int, count: int) -> str:
    return colour(number) if count <= _MOST_NAMED else HEALTHY
