"""Duplicated: a frame that is sent again, file for file, because its receipt was not confirmed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from layerwatch.job.faults.base import Arrival, Fault, healthy
from layerwatch.job.machine import Machine
from layerwatch.job.ranges import Interval
from layerwatch.records import Shot


@dataclass(frozen=True)
class Duplicated(Fault):
    """The same pixels, claims and time once more; the first of them is sound."""

    summary: ClassVar[str] = "the same file arrives again"
    source: ClassVar[str] = "own; a sender that repeats what was not confirmed"

    layers: Interval = Interval(1.0, 2.0)
    copies: Interval = Interval(1.0, 2.0)  # more of each

    def spoil(
        self, shots: Sequence[Shot], rng: np.random.Generator, machine: Machine, other: Sequence[Shot] = ()
    ) -> Iterator[Arrival]:
        """See Fault."""
        run, copies = self.run(shots, rng), round(self.copies.draw(rng))
        for number, shot in enumerate(shots):
            yield healthy(shot)
            if number in run:
                yield from [self.marked(shot)] * copies
