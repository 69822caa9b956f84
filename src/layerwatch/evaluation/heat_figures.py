"""A frame, its plan and a heat map -> both side by side with the outline, as a PNG to be looked at."""

from __future__ import annotations

from textwrap import fill

import numpy as np
from jaxtyping import Float32, UInt8
from matplotlib.axes import Axes

from layerwatch.evaluation.style import png, sheet

_SHOWN = (0.5, 99.5)  # percentiles of the frame that become black and white
_HEAT = 99.8  # percentile of the map's absolute values at the ends of the colours
_LEAST = 5.0  # the same at least, for maps in standard deviations of healthy answers


def heat_figure(
    frame: Float32[np.ndarray, "h w"],
    plan: UInt8[np.ndarray, "h w"] | None,
    heat: Float32[np.ndarray, "h w"],
    title: str,
    px: float = 1.0,
    unit: str = "px",
) -> bytes:
    """The figure.

    Args:
        frame: of any unit; nan is left out.
        plan: above 0 is part.
        heat: signed; red is more than expected, blue less. Of a detector that gives grey, all below 1.
        title: above both.
        px: size of a pixel in ``unit``, for the axes.
        unit: of the axes, such as mm.
    """
    height, width = frame.shape
    figure, axes = sheet(1, 2, 8.0, 0.9 + 3.7 * height / width)
    low, high = np.nanpercentile(frame, _SHOWN)
    most = float(np.nanpercentile(np.abs(heat), _HEAT)) or 1.0
    if float(np.nanmax(np.abs(heat))) >= 1:
        most = max(most, _LEAST)
    sides = (0, width * px, height * px, 0)
    axes[0][0].imshow(frame, cmap="gray", vmin=low, vmax=high, interpolation="none", extent=sides)
    shown = axes[0][1].imshow(heat, cmap="RdBu_r", vmin=-most, vmax=most, interpolation="none", extent=sides)
    _placed(axes[0][0], "frame", unit)
    _placed(axes[0][1], "less than expected: blue, more: red", unit)
    if plan is not None and plan.any() and not plan.all():
        x, y = (np.arange(width) + 0.5) * px, (np.arange(height) + 0.5) * px
        for ax, colour in zip(axes[0], ("#E69F00", "black"), strict=True):
            ax.contour(x, y, plan > 0, [0.5], colors=[colour], linewidths=0.6)
    figure.colorbar(shown, ax=axes[0][1], fraction=0.046, pad=0.02)
    figure.suptitle("\n".join(fill(line, 100) for line in title.splitlines()), fontsize=9)
    return png(figure, dpi=100)


def _placed(axes: Axes, title: str, unit: str) -> None:
    """An image with the bed's coordinates beside it."""
    axes.tick_params(labelsize=7, colors="#595959", length=2)
    axes.set_xlabel(f"x, {unit}", fontsize=7)
    axes.set_ylabel(f"y, {unit}", fontsize=7)
    for side in axes.spines.values():
        side.set_color("#c8c8c8")
    axes.set_title(title, fontsize=9)
