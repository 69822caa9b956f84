"""Wrong depth: frames that come as 8 bits, in a file of 8 bits or at the bottom of one of 16."""

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
class WrongDepth(Fault):
    """In a file of 8 bits temperatures are coarse; 8-bit levels in a file of 16 look nearly black."""

    summary: ClassVar[str] = "8 bits instead of 16: steps of span / 255, or nearly black"
    source: ClassVar[str] = "own; an export with other settings"

    layers: Interval = Interval(1.0, 30.0)
    unscaled: float = 0.5  # share of the jobs in which the file keeps 16 bits; always with an 8-bit camera

    def spoil(
        self, shots: Sequence[Shot], rng: np.random.Generator, machine: Machine, other: Sequence[Shot] = ()
    ) -> Iterator[Arrival]:
        """See Fault."""
        run = self.run(shots, rng)
        unscaled = rng.random() < self.unscaled or machine.bits == 8
        for number, shot in enumerate(shots):
            if number in run:
                levels = np.asarray(np.rint(shot.frame / 257), np.uint16)
                yield self.marked(replace(shot, frame=levels, bits=16 if unscaled else 8))
            else:
                yield healthy(shot)
