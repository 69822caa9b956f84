"""Jobs to be printed -> one hash of machine, places and shapes, by which a resumed archive is known to be the same."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict

import numpy as np

from layerwatch.job.layout import Instance
from layerwatch.job.machine import Machine
from layerwatch.job.printing import JobSettings
from layerwatch.records import Layer

_DIGITS = 3  # of a mm: processors may differ in the last bits of a contour


def settings_hash(machine: Machine, jobs: Iterable[JobSettings]) -> str:
    """SHA-256 of the whole machine and of every job's seed, layers, and copies: their place, size and middle."""
    shapes: dict[int, list[float]] = {}
    told = [
        {
            "seed": list(job.seed),
            "layers": [job.first_layer, job.layers, job.burn_in],
            "orders": [asdict(order) for order in job.orders],
            "copies": [_copy(instance, shapes) for instance in job.instances],
        }
        for job in jobs
    ]
    text = json.dumps([asdict(machine), told], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _copy(instance: Instance, shapes: dict[int, list[float]]) -> list[float]:
    """Where a copy lies, and the shape of its part; parts that copies share are looked at once."""
    key = id(instance.layers)
    if key not in shapes:
        shapes[key] = _shape(instance.layers)
    return [round(instance.x, _DIGITS), round(instance.y, _DIGITS), *shapes[key]]


def _shape(layers: tuple[Layer, ...]) -> list[float]:
    """Layers, height, and bounds and middle of all outlines, which a turn or another unit changes."""
    rings = [ring for layer in layers for island in layer.islands for ring in (island.outer, *island.holes)]
    points = np.concatenate(rings) if rings else np.zeros((1, 2))
    values = [layers[-1].z, *points.min(0), *points.max(0), *points.mean(0)]
    return [float(len(layers)), *(round(float(value), _DIGITS) + 0.0 for value in values)]
