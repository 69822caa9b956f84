"""Real and synthetic properties -> distributions, spectra, lag curves and the order of detectors, as PNG bytes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float64
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from layerwatch.evaluation.agreement import Agreement
from layerwatch.evaluation.domain import Domain
from layerwatch.evaluation.style import colour, dashes, plain, png, sheet

_COLUMNS = 4
_BANDS = (10, 90)  # percentiles


def distributions(domains: Sequence[Domain], labels: dict[str, str]) -> bytes:
    """The share of values below each value (ECDF), a diagram a property.

    Args:
        domains: real ones first.
        labels: what the axis of each property says; those without a label are left out.
    """
    names = [name for name in labels if any(len(domain.values.get(name, ())) for domain in domains)]
    rows = max(-(-len(names) // _COLUMNS), 1)
    figure, axes = sheet(rows, _COLUMNS, 11.5, 0.4 + 2.3 * rows)
    flat = [ax for row in axes for ax in row]
    for ax in flat[len(names) :]:
        ax.set_axis_off()
    for ax, name in zip(flat, names, strict=False):
        for number, domain in enumerate(domains):
            _shares_below(ax, np.sort(domain.values.get(name, np.zeros(0))), number, domain.name)
        ax.set_ylim(0, 1.02)
        _plain_numbers(ax)
        plain(ax, labels[name], "share below" if ax in [row[0] for row in axes] else "")
    _legend(flat[0])
    return png(figure)


def _shares_below(ax: Axes, values: Float64[np.ndarray, " n"], number: int, name: str) -> None:
    """One step a value; a single value is a line with its number."""
    if not len(values):
        return
    if values[0] == values[-1]:
        (line,) = ax.plot([values[0]] * 2, [0, 1], label=name)
        ax.annotate(f"{values[0]:.4g}", (values[0], 0.9 - 0.14 * number), xytext=(4, 0), textcoords="offset points")
    else:
        (line,) = ax.step(values, (np.arange(len(values)) + 1) / len(values), where="post", label=name)
    line.set(color=colour(number), ls=dashes(number))


def _plain_numbers(ax: Axes) -> None:
    """Few ticks of four digits without an offset, on an axis wide enough that they differ."""
    low, high = ax.get_xlim()
    least = 4e-3 * max(abs(low), abs(high))
    if high - low < least:
        ax.set_xlim((low + high - least) / 2, (low + high + least) / 2)
    ax.xaxis.set_major_locator(MaxNLocator(4))
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:.4g}")


def spectra(domains: Sequence[Domain]) -> bytes:
    """Median power of the bed's texture against frequency, and the band between 10 and 90 % of the layers.

    The lowest frequency is left out: detrending leaves nothing of it, and its zero would squeeze all others.
    """
    figure, ((ax,),) = sheet(1, 1, 7.5, 4.0)
    for number, domain in enumerate(domains):
        if len(domain.spectra):
            frequencies, power = domain.frequencies[1:], domain.spectra[:, 1:]
            low, high = np.percentile(power, _BANDS, axis=0)
            ax.fill_between(frequencies, low, high, color=colour(number), alpha=0.18, lw=0)
            middle = np.median(power, 0)
            ax.plot(frequencies, middle, color=colour(number), ls=dashes(number), label=domain.name)
    ax.set_xscale("log")
    ax.set_yscale("log")
    plain(ax, "cycles a px", "power density, K² px²")
    _legend(ax)
    return png(figure)


def lag_curves(domains: Sequence[Domain]) -> bytes:
    """Median correlation of the texture 1 to 5 layers later, and the band between 10 and 90 % of the runs."""
    figure, ((ax,),) = sheet(1, 1, 7.5, 3.6)
    for number, domain in enumerate(domains):
        known = np.isfinite(domain.lags).any(0) if len(domain.lags) else np.zeros(0, bool)
        if known.any():
            lags = np.flatnonzero(known) + 1
            low, middle, high = np.nanpercentile(domain.lags[:, known], [_BANDS[0], 50, _BANDS[1]], axis=0)
            ax.fill_between(lags, low, high, color=colour(number), alpha=0.18, lw=0)
            ax.plot(lags, middle, "o", color=colour(number), ls=dashes(number), label=domain.name)
    ax.axhline(0, color="#b0b0b0", lw=0.8)
    plain(ax, "layers later", "correlation of the texture")
    _legend(ax)
    return png(figure)


def rank_scatter(found: Agreement) -> bytes:
    """AUROC on real against AUROC on synthetic images, one point a detector with both intervals."""
    figure, ((ax,),) = sheet(1, 1, 5.2, 4.8)
    for number, (name, real) in enumerate(found.real.items()):
        synthetic = found.synthetic[name]
        x = [[synthetic.value - synthetic.low], [synthetic.high - synthetic.value]]
        y = [[real.value - real.low], [real.high - real.value]]
        mark = "osD^v<>"[number % 7]
        ax.errorbar(
            [synthetic.value],
            [real.value],
            y,
            x,
            fmt=mark,
            color=colour(number),
            capsize=3,
            label=name.replace("_", " "),
        )
    ax.plot([0, 1], [0, 1], color="#b0b0b0", lw=0.8)
    ax.set_xlim(0, 1.02)
    ax.set_ylim(0, 1.02)
    plain(ax, "AUROC on synthetic images", "AUROC on real images", f"Kendall's tau {found.tau}")
    _legend(ax)
    return png(figure)


def _legend(ax: Axes) -> None:
    if ax.get_legend_handles_labels()[0]:
        ax.legend(fontsize=8, frameon=False)
