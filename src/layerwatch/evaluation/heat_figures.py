"""A frame, its plan and a heat map -> both side by side with the outline, as a PNG to be looked at."""

from __future__ import annotations

from textwrap import fill

import numpy as np
from jaxtyping import Float32, UInt8

from layerwatch.evaluation.style import bare, png, sheet

_SHOWN = (0.5, 99.5)  # percentiles of the frame that become black and white
_HEAT = 99.8  # percentile of the map's absolute values at the ends of the colours
_LEAST = 5.0  # the same at least, for maps in standard deviations of healthy answers


def heat_figure(
    frame: Float32[np.ndarray, "h w"],
    plan: UInt8[np.ndarray, "h w"] | None,
    heat: Float32[np.ndarray, "h w"],
    title: str,
) -> bytes:
    """The figure.

    Args:
        frame: of any unit; nan is left out.
        plan: above 0 is part.
        heat: signed; red is more than expected, blue less. Of a detector that gives grey, all below 1.
        title: above both.
    """
    height, width = frame.shape
    figure, axes = sheet(1, 2, 8.0, 0.9 + 3.7 * height / width)
    low, high = np.nanpercentile(frame, _SHOWN)
    most = float(np.nanpercentile(np.abs(heat), _HEAT)) or 1.0
    if float(np.nanmax(np.abs(heat))) >= 1:
        most = max(most, _LEAST)
    axes[0][0].imshow(frame, cmap="gray", vmin=low, vmax=high, interpolation="none")
    shown = axes[0][1].imshow(heat, cmap="RdBu_r", vmin=-most, vmax=most, interpolation="none")
    bare(axes[0][0], "frame")
    bare(axes[0][1], "less than expected: blue, more: red")
    if plan is not None and plan.any() and not plan.all():
        for ax, colour in zip(axes[0], ("#E69F00", "black"), strict=True):
            ax.contour(plan > 0, [0.5], colors=[colour], linewidths=0.6)
    figure.colorbar(shown, ax=axes[0][1], fraction=0.046, pad=0.02)
    figure.suptitle("\n".join(fill(line, 100) for line in title.splitlines()), fontsize=9)
    return png(figure, dpi=100)
