"""A frame and the outline that was found on it -> a colour picture as PNG, to be looked at."""

from __future__ import annotations

import io

import numpy as np
from jaxtyping import Float32, Float64, UInt8
from PIL import Image as Pictures
from PIL import ImageDraw

from layerwatch.images.registration import Registration
from layerwatch.records import DataError

_SHOWN = (0.005, 0.995)  # quantiles of the frame that become black and white
_SEEN, _UNSEEN, _PLANNED = (255, 140, 0), (86, 180, 233), (0, 200, 120)


def overlay(
    frame: Float32[np.ndarray, "h w"], found: Registration, zoom: int = 1, form: str = "PNG", quality: int = 80
) -> bytes:
    """The frame with the outline where it is seen (orange), where none is seen (blue), and as planned (green).

    Args:
        frame: rectified, in any unit; nan is black.
        found: the answer for this frame.
        zoom: pixels of the picture to a pixel of the frame.
        form: "PNG" or "JPEG".
        quality: of a JPEG.

    Raises:
        DataError: a frame without a single pixel that is known.
    """
    picture = Pictures.fromarray(_grey(frame)).convert("RGB")
    picture = picture.resize((frame.shape[1] * zoom, frame.shape[0] * zoom), Pictures.Resampling.BILINEAR)
    if found.outline is not None and found.place is not None:
        traced, place = found.outline, found.place
        on_frame, normals = place.seen(traced.points), place.turned(traced.normals)
        where = on_frame + np.nan_to_num(traced.deviation)[:, None] * normals
        draw = ImageDraw.Draw(picture)
        _dots(draw, on_frame, zoom, _PLANNED, 0.0)
        _dots(draw, where[traced.seen], zoom, _SEEN, 0.6)
        _dots(draw, on_frame[~traced.seen], zoom, _UNSEEN, 0.6)
    file = io.BytesIO()
    picture.save(file, form, **({"quality": quality} if form == "JPEG" else {}))
    return file.getvalue()


def _grey(frame: Float32[np.ndarray, "h w"]) -> UInt8[np.ndarray, "h w"]:
    known = np.isfinite(frame)
    if not known.any():
        raise DataError("the frame shows nothing of the bed, so there is nothing to draw; look at the corners")
    low, high = (float(q) for q in np.quantile(frame[known], _SHOWN))
    shown = (np.where(known, frame, low) - low) / max(high - low, 1e-9)
    return np.asarray(np.rint(np.clip(shown, 0, 1) * 255), np.uint8)


def _dots(
    draw: ImageDraw.ImageDraw,
    points: Float64[np.ndarray, "n 2"],
    zoom: int,
    colour: tuple[int, int, int],
    radius: float,
) -> None:
    for x, y in (points * zoom).tolist():
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)
