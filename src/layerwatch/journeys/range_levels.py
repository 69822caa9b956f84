"""Ranges and a machine -> which degC its layers reach, and what of the lamp's field looks like another level."""

from __future__ import annotations

import numpy as np

from layerwatch.job.machine import Machine
from layerwatch.job.ranges import Ranges
from layerwatch.job.thermal import Kernel

_BEYOND = 3.0  # standard deviations of textures and of the lamp's field that a camera should still see
_OLD = 200  # layers whose heat is still counted


def needed_span(ranges: Ranges, machine: Machine) -> tuple[int, int]:
    """Whole degC between which all layers of all jobs lie, but for rare pixels.

    Args:
        ranges: whose levels are taken at their ends, with a warmer part where ``hot_part`` allows it.
        machine: gives the layer time, over which conducted heat fades.
    """
    kernel = Kernel.conduction(machine.layer_time)
    steady = 1.0 if ranges.memory == "decay" else sum(kernel.after(n) for n in range(_OLD))
    warmer = ranges.binder.high if ranges.hot_part > 0 else 0.0
    low = ranges.chamber.low + steady * (ranges.lamp.low - ranges.sand.high - ranges.binder.high)
    high = ranges.chamber.high + steady * (ranges.lamp.high - ranges.sand.low + warmer)
    texture = max(ranges.bed_texture.high, ranges.part_texture.high)
    more = _BEYOND * float(np.hypot(texture, ranges.uneven.high * steady * ranges.lamp.high))
    return int(np.floor(low - more)), int(np.ceil(high + more))


def mean_share(ranges: Ranges, machine: Machine) -> float:
    """Share of the lamp field's variance that lies in its mean over the bed, which looks like another level."""
    length = (ranges.lamp_length.low + ranges.lamp_length.high) / 2
    smooth = float(np.prod([min(np.sqrt(np.pi) * length / size, 1.0) for size in machine.bed[:2]]))
    away = ((np.arange(256) + 0.5) / 256)[:, None] - (np.arange(machine.emitters) + 0.5) / machine.emitters
    weights = np.exp(-0.5 * (away * machine.emitters / 0.7) ** 2)
    stripes = float(((weights / np.sqrt((weights**2).sum(1, keepdims=True))).mean(0) ** 2).sum())
    return min((smooth + stripes) / 2, 0.9)
