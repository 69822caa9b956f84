"""The loudest answer of a layer -> a finding in mm and in words."""

from __future__ import annotations

from typing import Literal

import numpy as np

from layerwatch.detectors.signals.templates import Answer
from layerwatch.records import Finding, LayerImage

_ALONG = 15.0  # degrees, within which a line runs along an axis


def finding_of(answer: Answer, image: LayerImage, head: Literal["x", "y"], layers: int) -> Finding:
    """What was found, where, how large and since when.

    Args:
        answer: the loudest.
        image: the layer.
        head: image axis along which the head travels.
        layers: in a row, this one included.
    """
    mm = image.mm_per_px
    kelvin = None if image.span is None else image.span[1] - image.span[0]
    amplitude = answer.amplitude * (kelvin or 1.0) if answer.kind != "shift" else answer.extent * mm
    x, y = (answer.column + 0.5) * mm, (answer.row + 0.5) * mm
    part = 0
    if np.isfinite(answer.row) and np.isfinite(answer.column) and image.plan is not None:
        part = int(image.plan[int(answer.row), int(answer.column)])
    words = _words(answer, head)
    size = f", {answer.extent * mm:.3g} mm" + (" wide" if answer.kind in {"line", "stripe", "step"} else "")
    unit = "mm" if answer.kind == "shift" else ("K" if kelvin else "grey")
    amount = "" if answer.kind.startswith("texture") else f", {amplitude:+.2g} {unit}"
    size = "" if answer.kind == "shift" else size
    text = f"{words}{size}{amount}, {layers} layer{'s' * (layers > 1)}"
    return Finding(answer.kind, text, x, y, answer.extent * mm, amplitude, part, answer.z, layers)


def _words(answer: Answer, head: Literal["x", "y"]) -> str:
    if answer.kind not in {"line", "stripe", "step"} or answer.angle is None:
        return {"shift": "print shifted", "blob": "spot"}.get(answer.kind, answer.kind)
    along = {0: "x", 90: "y"}.get(90 * round(answer.angle / 90) % 180)
    if min(answer.angle % 90, 90 - answer.angle % 90) > _ALONG or along is None:
        return f"{answer.kind} at {answer.angle:.0f} degrees"
    if answer.kind == "step":  # its front lies along the axis, the level changes across it
        along = "y" if along == "x" else "x"
    return f"{answer.kind} along the {'head' if along == head else 'recoater'}'s travel"
