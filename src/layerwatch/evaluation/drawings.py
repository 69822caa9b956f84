"""Boxes and arrows -> Figures 1 and 6 of the paper as drawings; stages of a layer and defects -> Figures 2, 3 and 4."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import Colormap
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from layerwatch.evaluation.style import GREY, bare, colour, forms, label_rows, sheet

Image = Float32[np.ndarray, "h w"]
_BOX = 0.8  # half a box's width, in units of the drawing
_HIGH = 0.33


@dataclass(frozen=True)
class Box:
    """A step, at its place in a drawing."""

    text: str
    x: float
    y: float
    tint: int = 0  # number of its colour


@dataclass(frozen=True)
class Arrow:
    """From one box to another, by their numbers, with words beside it."""

    start: int
    end: int
    words: str = ""
    bend: float = 0.0  # other than 0: from bottom to bottom, under what lies between


@dataclass(frozen=True)
class Drawing:
    """A titled set of boxes and arrows."""

    title: str
    boxes: Sequence[Box]
    arrows: Sequence[Arrow]


def figure_1() -> dict[str, bytes]:
    """Synthetic data in the loop: the real process is abstracted, and models of virtual layers judge real ones."""
    return _drawn([_LOOP], 9.5, 4.2)


def figure_6() -> dict[str, bytes]:
    """The three generative architectures: VAE, AnoGAN, f-AnoGAN."""
    return _drawn([_VAE, _ANOGAN, _FANOGAN], 9.5, 5.6)


def figure_3(stages: Mapping[str, Image]) -> dict[str, bytes]:
    """One layer as it comes to be, stage by stage; below what a stage adds in K, or its middle three times as large."""
    figure, axes = sheet(2, len(stages), 9.6, 4.0)
    before: Image | None = None
    for (top, below), (name, image) in zip(zip(*axes, strict=True), stages.items(), strict=True):
        unit = _unit(image)
        shown = top.imshow(image, cmap=_levels("inferno" if unit == "degC" else "gray"), interpolation="none")
        _bar(figure, shown, top, unit)
        bare(top, name)
        _stage_below(figure, below, image, before if unit == "degC" else None)
        before = image if unit == "degC" else None
    return forms(figure)


def _stage_below(figure: Figure, ax: Axes, image: Image, before: Image | None) -> None:
    """The difference from the stage before, where that is of the same kind; else the middle of the image."""
    if before is None or before.shape != image.shape:
        ax.imshow(_middle(image), cmap=_levels("inferno" if _unit(image) == "degC" else "gray"), interpolation="none")
        bare(ax, "its middle")
        return
    added = image - before
    if not added.any():
        ax.set_axis_off()
        ax.text(0.5, 0.5, "adds nothing here", transform=ax.transAxes, ha="center", va="center", fontsize=9)
        return
    most = float(np.percentile(np.abs(added), 99.5)) or 1.0
    _bar(figure, ax.imshow(added, cmap=_levels("RdBu_r"), vmin=-most, vmax=most, interpolation="none"), ax, "K")
    bare(ax, "what this adds")


def figure_4(rows: Sequence[tuple[str, Image, Bool[np.ndarray, "h w"]]]) -> dict[str, bytes]:
    """A layer with each defect above, the same with the defect outlined below."""
    figure, axes = sheet(2, len(rows), 11.5, 5.0)
    for column, (name, image, mask) in enumerate(rows):
        low, high = np.percentile(image, [0.5, 99.5])
        for row in (0, 1):
            axes[row][column].imshow(image, cmap="gray", vmin=low, vmax=high)
            bare(axes[row][column], name.replace("_", " ") if row == 0 else "")
        if mask.any() and not mask.all():
            axes[1][column].contour(mask.astype(np.float32), [0.5], colors=["#D55E00"], linewidths=1.2)
    return forms(figure)


def figure_2(frames: Sequence[tuple[str, Image, Bool[np.ndarray, "h w"]]]) -> dict[str, bytes]:
    """Layers of one job in which a defect begins and goes on; below what changed since the first, defect outlined."""
    figure, axes = sheet(2, len(frames), 9.0, 3.8)
    low, high = np.percentile(np.stack([image for _, image, _ in frames]), [0.5, 99.5])
    first = frames[0][1]
    most = float(np.percentile(np.abs(np.stack([image - first for _, image, _ in frames])), 99)) or 1.0
    for (top, below), (name, image, mask) in zip(zip(*axes, strict=True), frames, strict=True):
        shown = top.imshow(image, cmap=_levels("inferno"), vmin=low, vmax=high, interpolation="none")
        bare(top, name)
        changed = below.imshow(image - first, cmap=_levels("RdBu_r"), vmin=-most, vmax=most, interpolation="none")
        bare(below)
        if mask.any() and not mask.all():
            below.contour(mask.astype(np.float32), [0.5], colors=["black"], linewidths=1.0)
    _bar(figure, shown, axes[0][-1], "grey")
    _bar(figure, changed, axes[1][-1], "change")
    label_rows(axes, ("frame", f"less {frames[0][0]}"))
    return forms(figure)


def _unit(image: Image) -> str:
    """Shares and grey levels lie in [0, 1], temperatures of a bed do not."""
    return "degC" if float(image.max()) > 1.5 else "share"


def _levels(name: str) -> Colormap:
    """A colour map of few colours, one of them in the middle: as easy to read, and its pictures are small."""
    return colormaps[name].resampled(13)


def _bar(figure: Figure, shown: AxesImage, ax: Axes, unit: str) -> None:
    bar = figure.colorbar(shown, ax=ax, fraction=0.046, pad=0.02)
    bar.ax.tick_params(labelsize=6)
    bar.ax.set_title(unit, fontsize=7)


def _middle(image: Image) -> Float32[np.ndarray, "r c"]:
    """The ninth in the middle."""
    rows, columns = (slice(size // 3, size - size // 3) for size in image.shape)
    return image[rows, columns]


def _drawn(drawings: Sequence[Drawing], width: float, height: float) -> dict[str, bytes]:
    figure, axes = sheet(len(drawings), 1, width, height)
    for (ax,), drawing in zip(axes, drawings, strict=True):
        _draw(ax, drawing)
    return forms(figure)


def _draw(ax: Axes, drawing: Drawing) -> None:
    for box in drawing.boxes:
        shape = FancyBboxPatch(
            (box.x - _BOX, box.y - _HIGH),
            *(2 * _BOX, 2 * _HIGH),
            boxstyle="round,pad=0.02,rounding_size=0.08",
            fc=f"{colour(box.tint)}22",
            ec=colour(box.tint),
        )
        ax.add_patch(shape)
        ax.text(box.x, box.y, box.text, ha="center", va="center", fontsize=8.5)
    for arrow in drawing.arrows:
        start, end = drawing.boxes[arrow.start], drawing.boxes[arrow.end]
        (x0, y0), (x1, y1) = _bottoms(start, end) if arrow.bend else _ends(start, end)
        line = FancyArrowPatch(
            (x0, y0),
            (x1, y1),
            arrowstyle="-|>",
            mutation_scale=11,
            color=GREY,
            connectionstyle=f"arc3,rad={arrow.bend}",
        )
        ax.add_patch(line)
        if arrow.words:
            low = min(y0, y1) - 0.62 if arrow.bend else (y0 + y1) / 2
            ax.text((x0 + x1) / 2 + 0.1, low, arrow.words, ha="left", va="center", fontsize=7.5, color=GREY)
    ax.set_title(drawing.title, fontsize=10, loc="left")
    xs, ys = [box.x for box in drawing.boxes], [box.y for box in drawing.boxes]
    ax.set_xlim(min(xs) - 1.0, max(xs) + 1.0)
    ax.set_ylim(min(ys) - (1.1 if any(arrow.bend for arrow in drawing.arrows) else 0.7), max(ys) + 0.7)
    ax.set_aspect("equal")
    ax.set_axis_off()


def _bottoms(start: Box, end: Box) -> tuple[tuple[float, float], tuple[float, float]]:
    return (start.x, start.y - _HIGH - 0.03), (end.x, end.y - _HIGH - 0.03)


def _ends(start: Box, end: Box) -> tuple[tuple[float, float], tuple[float, float]]:
    """Where an arrow leaves and arrives: at the sides that face one another."""
    if abs(end.x - start.x) > abs(end.y - start.y):
        side = np.sign(end.x - start.x)
        return (start.x + side * (_BOX + 0.03), start.y), (end.x - side * (_BOX + 0.03), end.y)
    side = np.sign(end.y - start.y)
    return (start.x, start.y + side * (_HIGH + 0.03)), (end.x, end.y - side * (_HIGH + 0.03))


_LOOP = Drawing(
    "Synthetic data in the loop",
    (
        Box("STL of the part", 0, 2, 0),
        Box("slicing,\nlayer masks", 2.4, 2, 0),
        Box("domain\nrandomisation", 4.8, 2, 0),
        Box("virtual layers,\nhealthy and labelled", 7.2, 2, 0),
        Box("real process,\ninfrared camera", 0, 0, 1),
        Box("intervals of\nheat and texture", 2.4, 0, 1),
        Box("verdict on\nreal layers", 4.8, 0, 2),
        Box("generative models,\nclusters", 7.2, 0, 2),
    ),
    (
        Arrow(0, 1),
        Arrow(1, 2),
        Arrow(2, 3),
        Arrow(3, 7, "healthy ones"),
        Arrow(7, 6),
        Arrow(4, 5),
        Arrow(5, 2),
        Arrow(4, 6, "", 0.25),
    ),
)
_VAE = Drawing(
    "(A) VAE",
    (
        Box("X", 0, 0, 0),
        Box("encoder\nmean, variance", 2.4, 0, 2),
        Box("z", 4.8, 0, 3),
        Box("decoder", 7.2, 0, 2),
        Box("X'", 9.6, 0, 0),
        Box("A_R = MSE(X, X')", 12.0, 0, 1),
    ),
    (Arrow(0, 1), Arrow(1, 2), Arrow(2, 3), Arrow(3, 4), Arrow(4, 5)),
)
_ANOGAN = Drawing(
    "(B) AnoGAN: z is searched anew for every image X",
    (
        Box("z", 0, 0, 3),
        Box("G", 2.4, 0, 2),
        Box("X, G(z)", 4.8, 0, 0),
        Box("D", 7.2, 0, 2),
        Box("D_f(X), D_f(G(z))", 9.6, 0, 0),
        Box("A = (1 - lam) A_R\n+ lam A_D", 12.0, 0, 1),
    ),
    (
        Arrow(0, 1),
        Arrow(1, 2),
        Arrow(2, 3),
        Arrow(3, 4),
        Arrow(4, 5),
        Arrow(5, 0, "steps of z against the gradient of A", -0.06),
    ),
)
_FANOGAN = Drawing(
    "(C) f-AnoGAN: the encoder finds z in one pass",
    (
        Box("X", 0, 0, 0),
        Box("E", 2.4, 0, 2),
        Box("z = E(X)", 4.8, 0, 3),
        Box("G, then D", 7.2, 0, 2),
        Box("D_f(X),\nD_f(G(E(X)))", 9.6, 0, 0),
        Box("A = (1 - lam) A_R\n+ lam A_D", 12.0, 0, 1),
    ),
    (Arrow(0, 1), Arrow(1, 2), Arrow(2, 3), Arrow(3, 4), Arrow(4, 5)),
)
