"""Truncated: files that were cut while they were written, copied or sent."""

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
class Truncated(Fault):
    """The pixels would be sound, yet only a share of the file's bytes arrives."""

    summary: ClassVar[str] = "the file ends too early"
    source: ClassVar[str] = "own; read before it was written, a broken link"

    layers: Interval = Interval(1.0, 2.0)
    share: Interval = Interval(0.02, 0.95)  # of the bytes that arrive

    def spoil(
        self, shots: Sequence[Shot], rng: np.random.Generator, machine: Machine, other: Sequence[Shot] = ()
    ) -> Iterator[Arrival]:
        """See Fault."""
        run = self.run(shots, rng)
        for number, shot in enumerate(shots):
            if number in run:
                yield self.marked(replace(shot, share=round(self.share.draw(rng), 4)))
            else:
                yield healthy(shot)
