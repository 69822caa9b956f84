"""Losses, held-out figures and samples of trainings -> pictures (Figure 5 of the paper), as PNG bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import UInt8
from matplotlib.figure import Figure
from scipy import ndimage

from layerwatch.evaluation.style import bare, colour, dashes, forms, label_rows, plain, png, sheet

Rows = Sequence[tuple[int, Mapping[str, float]]]  # after how many steps, what was measured
_COLUMNS = 8  # images of one moment
_MANY = 200  # steps of one curve, from which on it is smoothed


def figure_of_losses(runs: Mapping[str, tuple[Rows, Rows]]) -> bytes:
    """One column a training: its losses on the batches above, what held-out images show below."""
    figure, axes = sheet(2, len(runs), max(4.2 * len(runs), 6.0), 5.6)
    for column, (name, sides) in enumerate(runs.items()):
        for row, (told, title) in enumerate(zip(sides, ("on the batch", "on held-out images"), strict=True)):
            ax = axes[row][column]
            plain(ax, "steps", "", f"{name.replace('_', ' ')}, {title}")
            keys = dict.fromkeys(key for _, values in told for key in values)
            for number, key in enumerate(keys):
                at, y = np.array([(step, values[key]) for step, values in told if key in values]).T
                if len(at) > _MANY:  # single batches scatter: their running median over a fiftieth is what is told
                    ax.plot(at, y, color=colour(number), lw=0.5, alpha=0.2)
                    y = ndimage.median_filter(y, len(at) // 50, mode="nearest")
                ax.plot(at, y, color=colour(number), ls=dashes(number), lw=1.1, label=key)
            if keys:
                is_signed = any(values[key] <= 0 for _, values in told for key in values)
                ax.set_yscale("symlog", linthresh=1.0) if is_signed else ax.set_yscale("log")
                ax.legend(fontsize=7, framealpha=0.6, edgecolor="none")
    return png(figure)


def figure_of_samples(samples: Mapping[int, UInt8[np.ndarray, "k s s"]], title: str) -> bytes:
    """Images of constant z, one row a moment of the training."""
    moments = list(samples)
    if len(moments) > 6:  # the first, the last, and some between
        moments = [moments[i] for i in np.unique(np.linspace(0, len(moments) - 1, 6).round().astype(int))]
    columns = min(_COLUMNS, len(samples[moments[0]]))
    figure, axes = sheet(len(moments), columns, 1.25 * columns + 0.6, 1.25 * len(moments) + 0.4)
    for row, step in zip(axes, moments, strict=True):
        for ax, image in zip(row, samples[step], strict=False):
            ax.imshow(image, cmap="inferno", vmin=0, vmax=255)
            bare(ax)
    label_rows(axes, [f"{step} steps" for step in moments])
    figure.suptitle(title, fontsize=11)
    return png(figure, dpi=64)


def figure_of_generators(rows: Mapping[str, UInt8[np.ndarray, "k s s"]], told: Mapping[str, str]) -> bytes:
    """Real images and those of several generators, one row each, with what was measured under its name."""
    return png(_generators(rows, told))


def forms_of_generators(rows: Mapping[str, UInt8[np.ndarray, "k s s"]], told: Mapping[str, str]) -> dict[str, bytes]:
    """The same as PNG and SVG."""
    return forms(_generators(rows, told))


def _generators(rows: Mapping[str, UInt8[np.ndarray, "k s s"]], told: Mapping[str, str]) -> Figure:
    columns = min(10, *(len(images) for images in rows.values()))
    figure, axes = sheet(len(rows), columns, 1.2 * columns + 1.4, 1.35 * len(rows))
    for row, images in zip(axes, rows.values(), strict=True):
        for ax, image in zip(row, images, strict=False):
            ax.imshow(image, cmap="inferno", vmin=0, vmax=255)
            bare(ax)
    label_rows(axes, [f"{name}\n{told.get(name, '')}".strip() for name in rows])
    return figure
