"""A layer of a job -> its frame in colours of its temperatures, its heat map and its outline as PNG pictures."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Bool, Float32, Float64, UInt8

from layerwatch.dashboard.desk import Desk, NotThereError
from layerwatch.inspection.journal.overview import SeenLayer, layer_of_job
from layerwatch.inspection.views import SeenPixels, encode_colour_png, frame_pixels, heat_pixels, outline

_FORM = "1"  # changes when the same layer is drawn in another way
_TAILS = (0.5, 99.5)  # % of the pixels, that the colours reach over
_QUIET = 2.0  # standard deviations of the heat map that stay clear
_STRONG = 6.0  # the same, from which it is opaque at most
_LINE = (80, 220, 255, 255)  # colour of the outline
_HOT, _COLD = (255, 60, 40), (60, 120, 255)  # heat above and below what was expected
_COLOURS = np.array(
    [
        *[(0, 0, 4), (31, 12, 72), (85, 15, 109), (136, 34, 106), (186, 54, 85)],
        *[(227, 89, 51), (249, 140, 10), (249, 201, 50), (252, 255, 164)],
    ],
    np.float64,
)  # dark to bright: readable in grey and by the colour-blind


@dataclass(frozen=True)
class Scale:
    """What the ends of the colour bar mean."""

    low: float
    high: float
    unit: str


@dataclass(frozen=True)
class Drawn:
    """A picture and what a page must know of it."""

    png: bytes = field(repr=False)
    scale: Scale | None = None


def tag(one: SeenLayer, kind: str) -> str:
    """The same for the same picture: the frame's content, its verdict and how it is drawn."""
    judged = "" if one.verdict is None else f"{one.verdict.judged}"
    told = f"{_FORM} {kind} {one.frame.identity} {one.frame.sha256} {judged}"
    return f'"{hashlib.sha256(told.encode()).hexdigest()[:32]}"'


def layer_of(desk: Desk, printer: str, job: str, layer: int) -> SeenLayer:
    """A layer with its frame.

    Raises:
        NotThereError: there is none.
    """
    found = layer_of_job(desk.journal, printer, job, layer)
    if found is None:
        raise NotThereError(f"no layer {layer} of the job {job!r} of the printer {printer!r}")
    return found


def picture(desk: Desk, one: SeenLayer, kind: str) -> Drawn:
    """Draw a layer: ``frame``, ``heat`` or ``outline``; all on the grid that is judged.

    Raises:
        NotThereError: there is no such picture of it.
    """
    identity = one.frame.identity
    where = f"layer {identity.layer} of {identity.job!r}"
    if kind == "frame":
        return _frame(_pixels(desk, one))
    if kind == "heat":
        heat = None if one.verdict is None else heat_pixels(desk.folder, one.verdict)
        if heat is None:
            raise NotThereError(f"{where} has no heat map: it was not judged, or heat maps are not kept so long")
        return Drawn(encode_colour_png(heat_colours(heat)))
    edge = outline(desk.printer(identity.printer).inspected().reader, identity.job, identity.layer)
    if edge is None:
        raise NotThereError(f"no plan of {where} is known")
    return Drawn(encode_colour_png(_line(edge)))


def scale_of(desk: Desk, one: SeenLayer) -> Scale:
    """Of the frame's colours; errors as in ``picture``."""
    return _scale(_pixels(desk, one))


def colours(values: Float32[np.ndarray, "h w"], low: float, high: float) -> UInt8[np.ndarray, "h w 3"]:
    """Values as colours, the ends of the bar for what lies beyond them."""
    steps = np.clip((values - low) / max(high - low, 1e-12), 0, 1) * 255
    return np.asarray(_table()[np.rint(steps).astype(np.uint8)], np.uint8)


def heat_colours(heat: Float32[np.ndarray, "h w"]) -> UInt8[np.ndarray, "h w 4"]:
    """Red above and blue below what was expected; the more, the less can be seen through it."""
    size = np.abs(heat)
    spread = 1.4826 * float(np.median(size))
    full = max(float(size.max()), _STRONG * spread, 1e-12)
    quiet = min(_QUIET * spread, 0.5 * full)
    drawn = np.empty((*heat.shape, 4), np.uint8)
    drawn[..., :3] = np.where((heat > 0)[..., None], np.array(_HOT, np.uint8), np.array(_COLD, np.uint8))
    drawn[..., 3] = np.rint(255 * np.clip((size - quiet) / (full - quiet), 0, 1))
    return drawn


def _pixels(desk: Desk, one: SeenLayer) -> SeenPixels:
    found = frame_pixels(desk.printer(one.frame.identity.printer).inspected().reader, one.frame)
    if found is None:
        text = "it never came, is kept no longer, or cannot be read"
        raise NotThereError(f"no frame of layer {one.frame.identity.layer}: {text}")
    return found


def _frame(found: SeenPixels) -> Drawn:
    scale = _scale(found)
    return Drawn(encode_colour_png(colours(found.values, scale.low, scale.high)), scale)


def _scale(found: SeenPixels) -> Scale:
    low, high = (float(value) for value in np.percentile(found.values, _TAILS))
    return Scale(low, high, found.unit)


def _line(edge: Bool[np.ndarray, "h w"]) -> UInt8[np.ndarray, "h w 4"]:
    drawn = np.zeros((*edge.shape, 4), np.uint8)
    drawn[edge] = _LINE
    return drawn


def _table() -> UInt8[np.ndarray, "256 3"]:
    at: Float64[np.ndarray, " 256"] = np.linspace(0, len(_COLOURS) - 1, 256)
    known = np.arange(len(_COLOURS))
    return np.stack([np.rint(np.interp(at, known, column)) for column in _COLOURS.T], 1).astype(np.uint8)
