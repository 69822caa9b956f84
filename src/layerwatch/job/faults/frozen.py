"""Frozen: the picture of an earlier layer under new names, because a shutter correction held the sensor."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from layerwatch.job.faults.base import Arrival, Fault, healthy
from layerwatch.job.machine import Machine
from layerwatch.job.ranges import Interval
from layerwatch.records import Shot


@dataclass(frozen=True)
class Frozen(Fault):
    """Pixel for pixel the last sound frame, noise included, which no living sensor repeats."""

    summary: ClassVar[str] = "the picture stands still while layers and times go on"
    source: ClassVar[str] = "own; uncooled cameras hold the last picture while their shutter is shut"

    layers: Interval = Interval(1.0, 4.0)

    def spoil(
        self, shots: Sequence[Shot], rng: np.random.Generator, machine: Machine, other: Sequence[Shot] = ()
    ) -> Iterator[Arrival]:
        """See Fault."""
        run = self.run(shots, rng)
        held = shots[run.start - 1]
        for number, shot in enumerate(shots):
            yield self.marked(replace(shot, frame=held.frame), held) if number in run else healthy(shot)
