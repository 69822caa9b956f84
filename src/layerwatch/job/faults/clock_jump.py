"""Clock jump: the machine's clock is set, by an hour or anew, while the job runs on."""

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
class ClockJump(Fault):
    """Pictures go on as ever; one interval between time stamps is impossible, and the shot that ends it is marked."""

    summary: ClassVar[str] = "time stamps jump forth or back, and stay there"
    source: ClassVar[str] = "own; summer time, a clock set by hand or over the network"
    shifts_clock: ClassVar[bool] = True

    hour: float = 0.5  # share of the jobs in which it is summer time
    jump: Interval = Interval(2.0, 50.0)  # layer times, else

    def spoil(
        self, shots: Sequence[Shot], rng: np.random.Generator, machine: Machine, other: Sequence[Shot] = ()
    ) -> Iterator[Arrival]:
        """See Fault."""
        start = self.run(shots, rng).start
        by = 3600.0 if rng.random() < self.hour else self.jump.draw(rng) * machine.layer_time
        by = max(by, 2 * machine.layer_time) * (1 if rng.random() < 0.5 else -1)
        for number, shot in enumerate(shots):
            late = replace(shot, time=round(shot.time + by, 3)) if number >= start else shot
            yield self.marked(late) if number == start else healthy(late)
