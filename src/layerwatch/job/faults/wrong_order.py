"""Wrong order: neighbouring frames change places, with their numbers or under each other's."""

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
class WrongOrder(Fault):
    """A run of frames comes back to front; two threads saved them, or the numbers were given on saving."""

    summary: ClassVar[str] = "frames arrive back to front, some under each other's numbers"
    source: ClassVar[str] = "own; parallel writers, names sorted as text"

    layers: Interval = Interval(2.0, 3.0)
    renumbered: float = (
        0.5  # share of the jobs in which the numbers follow the arrival, so pictures lie under wrong ones
    )

    def spoil(
        self, shots: Sequence[Shot], rng: np.random.Generator, machine: Machine, other: Sequence[Shot] = ()
    ) -> Iterator[Arrival]:
        """See Fault."""
        run, renumbered = self.run(shots, rng, least=2), rng.random() < self.renumbered
        for number, shot in enumerate(shots):
            if number not in run:
                yield healthy(shot)
                continue
            seen = shots[run.start + run.stop - 1 - number]
            yield self.marked(replace(seen, layer=shot.layer) if renumbered else seen, seen)
