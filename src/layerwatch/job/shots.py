"""The printed layers of one job -> the shots that its camera sends, with the times of exposure in s."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from layerwatch.job.machine import Machine
from layerwatch.job.printing import PrintedLayer
from layerwatch.records import Shot

_PHASE = 0.9  # of the layer time, at which the camera exposes: the lamp has passed, the next recoating has not begun
_JITTER = 0.01  # of the layer time, standard deviation of the trigger


def shots_of(
    printed: Iterable[PrintedLayer], machine: Machine, rng: np.random.Generator | None = None
) -> tuple[Shot, ...]:
    """One exposure a layer, at the same phase of the machine's cycle.

    Args:
        printed: the layers of one job, in order.
        machine: its layer time.
        rng: for the trigger's jitter; None: none.
    """
    shots: list[Shot] = []
    for layer in printed:
        jitter = 0.0 if rng is None else _JITTER * float(rng.standard_normal())
        number = layer.layer - shots[0].layer if shots else 0
        time = machine.layer_time * (number + _PHASE + jitter)
        shots.append(Shot(layer.truth.job, layer.layer, round(time, 3), layer.frame))
    return tuple(shots)
