"""What commissioning found -> the file beside the model that tells the smallest defects it finds."""

from __future__ import annotations

import math

from layerwatch.journeys.commissioning.injections import Kind
from layerwatch.journeys.commissioning.results import Commissioned
from layerwatch.journeys.serving.smallest import SMALLEST, Found, Smallest, packed


def smallest_of(done: Commissioned, model: str) -> dict[str, bytes]:
    """The file by its name within the result; none where no defect was tried.

    Args:
        done: what was found.
        model: name of the model's folder.
    """
    found = tuple(_found(done, kind) for kind in done.kinds if kind.name in done.found)
    return {f"{model}/{SMALLEST}": packed(Smallest(done.line.value, found))} if found else {}


def _found(done: Commissioned, kind: Kind) -> Found:
    trials, detection = done.found[kind.name]
    ninety = detection.ninety
    amount, low, high = (_number(done.told(kind, value)) for value in (ninety.value, ninety.low, ninety.high))
    size = _number(kind.size * (done.mm_per_px or 1.0)) if kind.size else None
    return Found(kind.name, size, done.length, amount, low, high, done.unit_of(kind), len({one.job for one in trials}))


def _number(value: float) -> float | None:
    return float(f"{value:.6g}") if math.isfinite(value) else None
