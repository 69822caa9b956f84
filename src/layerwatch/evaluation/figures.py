"""Layers, readings and truth -> the figures of a report, as PNG bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float32, Float64
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from layerwatch.evaluation.metrics import Estimate, roc_points
from layerwatch.evaluation.style import GREY, bare, colour, dashes, label_rows, plain, png, sheet
from layerwatch.records import LayerImage, Reading, Truth, Verdict

Image = Float32[np.ndarray, "h w"]


@dataclass(frozen=True, eq=False)
class Pair:
    """A defective layer beside the same layer without its defect, with the words under it."""

    name: str
    healthy: LayerImage
    defective: LayerImage
    truth: Truth
    said: str


def layer_sheet(rows: Sequence[tuple[str, Sequence[tuple[LayerImage, float]]]]) -> bytes:
    """Virtual layers with the contours of their plans.

    Args:
        rows: for each part its name and its layers, each with its height in mm.
    """
    columns = max(len(layers) for _, layers in rows)
    figure, axes = sheet(len(rows), columns, 11.5, 2.5 * len(rows))
    for row, (_, layers) in zip(axes, rows, strict=True):
        for ax in row[len(layers) :]:
            ax.set_axis_off()
        for ax, (image, z) in zip(row, layers, strict=False):
            _frame(ax, image.pixels)
            _outline(ax, np.asarray(image.plan) > 0, "white", 0.7)
            bare(ax, f"z = {z:.1f} mm")
    label_rows(axes, [name[:24] for name, _ in rows])
    return png(figure)


def pairs_sheet(pairs: Sequence[Pair]) -> bytes:
    """Healthy, defective, and their difference, one column a defect."""
    figure, axes = sheet(3, len(pairs), 11.5, 7.4)
    for column, pair in enumerate(pairs):
        low, high = np.percentile(pair.healthy.pixels, [0.5, 99.5])
        reach = max(0.15 * float(high - low), 1e-3)
        for row, image in enumerate((pair.healthy, pair.defective)):
            axes[row][column].imshow(image.pixels, cmap="inferno", vmin=low - reach, vmax=high + reach)
        change = pair.defective.pixels - pair.healthy.pixels
        most = max(float(np.abs(change).max()), 1e-6)
        axes[2][column].imshow(change, cmap="RdBu_r", vmin=-most, vmax=most)
        _outline(axes[1][column], pair.truth.mask, "#56B4E9", 1.1)
        for row in range(3):
            bare(axes[row][column], pair.name.replace("_", " ") if row == 0 else "")
        axes[2][column].set_xlabel(pair.said, fontsize=8)
    label_rows(axes, ["healthy", "with its defect", "difference"])
    return png(figure)


def heat_sheet(
    rows: Sequence[tuple[LayerImage, Truth, Mapping[str, Reading], Verdict]], detectors: Sequence[str]
) -> bytes:
    """One row a defective layer: the frame with the found regions, then each detector's heat map over it."""
    figure, axes = sheet(len(rows), len(detectors) + 1, 11.5, 2.3 * len(rows))
    for line, (image, truth, readings, verdict) in zip(axes, rows, strict=True):
        _frame(line[0], image.pixels)
        for region in verdict.regions:
            top, left, bottom, right = region.box
            box = Rectangle((left - 1, top - 1), right - left + 1, bottom - top + 1, fill=False, ec="#56B4E9", lw=1.3)
            line[0].add_patch(box)
        bare(line[0], f"{verdict.word}, p = {verdict.p_value:.3f}")
        for ax, name in zip(line[1:], detectors, strict=True):
            heat = readings[name].heat
            ax.imshow(image.pixels, cmap="gray")
            if heat is not None:
                size = np.abs(heat)
                top_heat = float(np.quantile(size, 0.999)) + 1e-12
                ax.imshow(size, cmap="inferno", alpha=np.clip(size / top_heat, 0, 1) * 0.9, vmax=top_heat)
            _outline(ax, truth.mask, "#56B4E9", 1.0)
            bare(ax, name.replace("_", " "))
    label_rows(axes, [truth.label for _, truth, _, _ in rows])
    return png(figure)


def timeline(
    layers: Sequence[int],
    scores: Mapping[str, Float64[np.ndarray, " n"]],
    thresholds: Mapping[str, float],
    spans: Sequence[tuple[str, int, int]],
) -> bytes:
    """Score against layer for each detector, its threshold, and the spans of the true defects shaded.

    Args:
        layers: index of each layer.
        scores: of each layer, by detector.
        thresholds: by detector.
        spans: defect, first and last layer.
    """
    figure, axes = sheet(len(scores), 1, 11.5, 1.0 + 1.75 * len(scores))
    for number, (name, values) in enumerate(scores.items()):
        ax, line = axes[number][0], thresholds[name]
        for defect, first, last in spans:
            ax.axvspan(first - 0.5, last + 0.5, color="#E69F00", alpha=0.25, lw=0)
            if number == 0:
                ax.annotate(
                    defect.replace("_", " "),
                    ((first + last) / 2, 1.02),
                    xycoords=("data", "axes fraction"),
                    ha="center",
                    fontsize=8,
                )
        nok = values > line
        ax.plot(layers, values, color=GREY, lw=0.8)
        ax.plot(np.asarray(layers)[~nok], values[~nok], "o", color="#0072B2", ms=3.5, label="OK")
        ax.plot(np.asarray(layers)[nok], values[nok], "^", color="#D55E00", ms=5, label="NOK")
        ax.axhline(line, color="black", lw=1, ls="--", label="threshold")
        plain(ax, "layer" if number == len(scores) - 1 else "", "score", "")
        ax.set_title(name.replace("_", " "), fontsize=10, loc="left", y=1.12 if number == 0 else 1.0)
        ax.margins(x=0.01, y=0.12)
    axes[0][0].legend(fontsize=8, ncols=3, loc="lower right", bbox_to_anchor=(1.0, 1.14), frameon=False)
    return png(figure)


def roc(healthy: Mapping[str, Float64[np.ndarray, " n"]], defective: Mapping[str, Float64[np.ndarray, " m"]]) -> bytes:
    """ROC of each detector over all defects; the false-alarm axis again as a logarithm, where plants live."""
    figure, axes = sheet(1, 2, 11.5, 4.2)
    for ax, scale in zip(axes[0], ("linear", "log"), strict=True):
        for number, name in enumerate(healthy):
            false, hits = roc_points(healthy[name], defective[name])
            ax.plot(false, hits, color=colour(number), ls=dashes(number), lw=1.8, label=name.replace("_", " "))
        ax.plot([1e-4, 1], [1e-4, 1], color="#b0b0b0", lw=0.8)
        ax.set_xscale(scale)
        ax.set_xlim((0, 1) if scale == "linear" else (0.5 / min(map(len, healthy.values())), 1))
        ax.set_ylim(0, 1.01)
        plain(ax, f"false-alarm rate{'' if scale == 'linear' else ' (log)'}", "hit rate")
    axes[0][0].legend(fontsize=9, loc="lower right", frameon=False)
    return png(figure)


def auroc_bars(figures: Mapping[str, Mapping[str, Estimate]]) -> bytes:
    """AUROC of each detector for each defect, with its 95 % interval."""
    kinds = list(next(iter(figures.values())))
    figure, ((ax,),) = sheet(1, 1, 11.5, 3.4)
    width = 0.8 / len(figures)
    for number, (name, row) in enumerate(figures.items()):
        x = np.arange(len(kinds)) + (number - (len(figures) - 1) / 2) * width
        values = np.array([row[kind].value for kind in kinds])
        ends = np.array([[row[k].value - row[k].low, row[k].high - row[k].value] for k in kinds]).T
        ax.errorbar(
            x, values, ends, fmt="osD^v<>"[number % 7], color=colour(number), capsize=3, label=name.replace("_", " ")
        )
    ax.axhline(0.5, color="#b0b0b0", lw=0.8)
    ax.set_xticks(range(len(kinds)), [kind.replace("_", " ") for kind in kinds])
    ax.set_ylim(0, 1.03)
    plain(ax, "", "AUROC")
    figure.legend(loc="outside lower center", ncols=len(figures), fontsize=9, frameon=False)
    return png(figure)


def _frame(ax: Axes, pixels: Image) -> None:
    low, high = np.percentile(pixels, [0.5, 99.5])
    ax.imshow(pixels, cmap="inferno", vmin=low, vmax=max(high, low + 1e-6))


def _outline(ax: Axes, mask: Bool[np.ndarray, "h w"] | Float[np.ndarray, "h w"], ink: str, width: float) -> None:
    if mask.any() and not mask.all():
        ax.contour(mask.astype(np.float32), [0.5], colors=[ink], linewidths=width)
