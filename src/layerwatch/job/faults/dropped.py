"""Dropped: frames that were exposed and never came, because the network or the disk lost them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from layerwatch.job.faults.base import Arrival, Fault, healthy
from layerwatch.job.machine import Machine
from layerwatch.job.ranges import Interval
from layerwatch.records import Shot, ShotTruth


@dataclass(frozen=True)
class Dropped(Fault):
    """Nothing arrives: what is wrong shows in the layer numbers and times of the frames around the gap."""

    summary: ClassVar[str] = "frames that never come"
    source: ClassVar[str] = "own; a lost packet, a full disk"

    layers: Interval = Interval(1.0, 3.0)

    def spoil(
        self, shots: Sequence[Shot], rng: np.random.Generator, machine: Machine, other: Sequence[Shot] = ()
    ) -> Iterator[Arrival]:
        """See Fault."""
        run = self.run(shots, rng, after=1)  # a gap has an end, else the job would only be shorter
        for number, shot in enumerate(shots):
            lost = Arrival(None, ShotTruth(self.name, shot.job, shot.layer, arrived=False))
            yield lost if number in run else healthy(shot)
