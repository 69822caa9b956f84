"""The worst layer of one defect -> frame and heat map with the region that was seen, as one PNG."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float32
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from layerwatch.evaluation.style import bare, png, sheet

Image = Float32[np.ndarray, "h w"]
Box = tuple[float, float, float, float]  # mm: left, top, right, bottom
_LEAST = 40.0  # mm of a close-up


def defect_figure(
    frame: Image | None, heat: Image | None, box: Box, bed: tuple[float, float], unit: str, title: str
) -> bytes:
    """The whole frame, the frame close up and the heat map close up, the region framed in each.

    Args:
        frame: in any unit; None: not kept any more.
        heat: signed deviation; None: the same.
        box: of the region.
        bed: width and depth that frame and heat map show, mm.
        unit: of the heat map; empty: the detector's own.
        title: in words.
    """
    figure, axes = sheet(1, 3, 9.0, 3.3)
    whole, close, warm = axes[0]
    extent = (0.0, bed[0], bed[1], 0.0)
    for ax, name in ((whole, "frame"), (close, "frame, close up")):
        if frame is None:
            _nothing(ax, f"{name}: not kept")
            continue
        low, high = np.percentile(frame[np.isfinite(frame)], [0.5, 99.5]).tolist()
        ax.imshow(frame, cmap="gray", vmin=low, vmax=max(high, low + 1e-6), extent=extent, interpolation="none")
        bare(ax, name)
    if heat is None:
        _nothing(warm, "heat map: not kept")
    else:
        most = float(np.abs(heat).max()) or 1.0
        look = colormaps["RdBu_r"].resampled(13)
        shown = warm.imshow(heat, cmap=look, vmin=-most, vmax=most, extent=extent, interpolation="none")
        bare(warm, "deviation, close up")
        bar = figure.colorbar(shown, ax=warm, fraction=0.046, pad=0.02)
        bar.ax.tick_params(labelsize=7)
        bar.ax.set_title(unit, fontsize=8)
    _mark((whole,), box, bed, is_close=False)
    _mark((close, warm), box, bed, is_close=True)
    figure.suptitle(title, fontsize=9, parse_math=False)
    return png(figure)


def _mark(axes: Sequence[Axes], box: Box, bed: tuple[float, float], *, is_close: bool) -> None:
    """Frame the region in white within black, which is seen on every ground."""
    left, top, right, bottom = box
    side = max(_LEAST, 2.5 * (right - left), 2.5 * (bottom - top))
    for ax in axes:
        if not ax.images:
            continue
        for edge, width in (("black", 3.0), ("white", 1.4)):
            ax.add_patch(Rectangle((left, top), right - left, bottom - top, fill=False, edgecolor=edge, lw=width))
        if is_close:
            x, y = (left + right - side) / 2, (top + bottom - side) / 2
            ax.set_xlim(max(x, 0.0), min(x + side, bed[0]))
            ax.set_ylim(min(y + side, bed[1]), max(y, 0.0))
            ax.set_xlabel(f"{side:.0f} mm", fontsize=8)


def _nothing(ax: Axes, text: str) -> None:
    ax.set_axis_off()
    ax.text(0.5, 0.5, text, transform=ax.transAxes, ha="center", va="center", fontsize=9)
