"""The part instances of a bed and what became of each -> a map for whoever unpacks the job, as a PNG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8

from layerwatch.evaluation.style import bare, colour, png, sheet

_LOOKS = {"OK": (5, ""), "NOK": (1, "///"), "not judged": (4, "...")}  # colour and hatching, so that shape tells, too


@dataclass(frozen=True)
class Mark:
    """One part instance on the map."""

    part: int
    word: str  # OK, NOK or not judged
    text: str = ""  # its worst defect
    x: float = float("nan")  # mm, of the worst defect
    y: float = float("nan")


def unpack_map(bed: UInt8[np.ndarray, "h w"], marks: Sequence[Mark], mm_per_px: float, title: str) -> bytes:
    """The figure.

    Args:
        bed: part instance that any layer has at each pixel; 0 is bed.
        marks: what became of each instance.
        mm_per_px: size of a pixel.
        title: above the map.
    """
    height, width = bed.shape
    figure, axes = sheet(1, 1, 7.0, 0.9 + 6.6 * height / width)
    ax, extent = axes[0][0], (0.0, width * mm_per_px, height * mm_per_px, 0.0)
    ax.imshow(np.ones((height, width, 3)), extent=extent)
    for mark in marks:
        own = (bed == mark.part).astype(float)
        if not own.any() or own.all():
            continue
        number, hatching = _LOOKS[mark.word]
        ax.contourf(
            own, [0.5, 1.5], colors=[colour(number)], alpha=0.75, hatches=[hatching], extent=extent, origin="upper"
        )
        ax.contour(own, [0.5], colors=["black"], linewidths=0.8, extent=extent, origin="upper")
        rows, columns = np.nonzero(own)
        place = ((columns.mean() + 0.5) * mm_per_px, (rows.mean() + 0.5) * mm_per_px)
        told = f"{mark.part}: {mark.word}" + (f"\n{mark.text}" if mark.text else "")
        ax.annotate(
            told, place, ha="center", va="center", fontsize=9, bbox={"facecolor": "white", "alpha": 0.85, "lw": 0}
        )
        if np.isfinite(mark.x):
            ax.plot([mark.x], [mark.y], "x", color="black", markersize=10, markeredgewidth=2)
    bare(ax, title)
    ax.set_xlabel(f"{width * mm_per_px:.0f} mm; x: the worst defect", fontsize=8)
    return png(figure)
