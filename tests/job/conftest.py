from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from layerwatch.job.layout import Instance, fill_bed
from layerwatch.job.machine import Axis, Machine, default_machine
from layerwatch.job.printing import JobSettings
from layerwatch.records import Island, Layer


@cache
def ring_layers(size: float = 200.0, count: int = 60) -> tuple[Layer, ...]:
    """A frame of 200 x 120 mm with a hole, its walls leaning a little."""
    layers = []
    for index in range(count):
        lean = 0.05 * index
        outer = np.array([[0, 0], [size, 0], [size, 0.6 * size], [0, 0.6 * size]]) + lean
        hole = np.array([[0.3, 0.2], [0.3, 0.4], [0.7, 0.4], [0.7, 0.2]]) * size + lean
        area = 0.6 * size**2 - 0.08 * size**2
        layers.append(Layer(index, 0.3 * (index + 1), 0.3 * index + 0.15, 0.3, (Island(outer, (hole,)),), area))
    return tuple(layers)


def machine_of(pixels: int = 96, head: Axis = "y") -> Machine:
    return replace(default_machine(), width=pixels, height=pixels, head=head, recoater="x" if head == "y" else "y")


@pytest.fixture
def settings() -> JobSettings:
    machine = machine_of()
    return JobSettings("job", (0, 1), machine, fill_bed(ring_layers(), machine), first_layer=10, layers=8)


def one_instance(x: float = 100.0, y: float = 100.0) -> tuple[Instance, ...]:
    return (Instance(ring_layers(), x, y),)
