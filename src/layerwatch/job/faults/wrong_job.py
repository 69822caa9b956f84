"""Wrong job: frames of another job under the names of this one, as when a folder is given twice."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from layerwatch.job.faults.base import Arrival, Fault, healthy
from layerwatch.job.machine import Machine
from layerwatch.job.ranges import Interval
from layerwatch.records import DataError, Shot


@dataclass(frozen=True)
class WrongJob(Fault):
    """Sound pictures of other layers at another place: only the plan and the layers before can tell."""

    summary: ClassVar[str] = "frames of another job of the machine"
    source: ClassVar[str] = "own; a folder that two jobs share"
    needs_other: ClassVar[bool] = True

    layers: Interval = Interval(1.0, 6.0)

    def spoil(
        self, shots: Sequence[Shot], rng: np.random.Generator, machine: Machine, other: Sequence[Shot] = ()
    ) -> Iterator[Arrival]:
        """See Fault."""
        if not other:
            raise DataError(f"{self.name} needs the shots of another job; print one more and hand it in")
        run = self.run(shots, rng)
        for number, shot in enumerate(shots):
            seen = other[number % len(other)]
            yield self.marked(replace(shot, frame=seen.frame), seen) if number in run else healthy(shot)
