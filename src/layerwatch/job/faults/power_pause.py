"""Power pause: the machine stood still for ten layer times; the bed has cooled when it goes on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from layerwatch.job.faults.base import Arrival, Fault, across, frame_of, healthy, heat_of
from layerwatch.job.machine import Machine
from layerwatch.job.ranges import Interval
from layerwatch.records import Shot

_AMBIENT = 22.0  # degC, of the hall


@dataclass(frozen=True)
class PowerPause(Fault):
    """The bed falls toward the hall's temperature, its border first, and the lamp brings it back over some layers."""

    summary: ClassVar[str] = "one layer takes ten layer times, the next frames are colder"
    source: ClassVar[str] = "own; Newton's cooling of the bed's surface"
    shifts_clock: ClassVar[bool] = True

    layers: Interval = Interval(5.0, 10.0)  # until it is as warm as before
    length: float = 10.0  # layer times, of the layer with the pause
    cooling: Interval = Interval(500.0, 1200.0)  # s, in which the surface falls to a 1 / e
    border: Interval = Interval(0.2, 0.6)  # more of that at the frame's corners

    def spoil(
        self, shots: Sequence[Shot], rng: np.random.Generator, machine: Machine, other: Sequence[Shot] = ()
    ) -> Iterator[Arrival]:
        """See Fault."""
        run, pause = self.run(shots, rng), (self.length - 1) * machine.layer_time
        share, border = 1 - np.exp(-pause / self.cooling.draw(rng)), self.border.draw(rng)
        for number, shot in enumerate(shots):
            after = replace(shot, time=round(shot.time + pause, 3)) if number >= run.start else shot
            if number not in run:
                yield healthy(after)
                continue
            rows, columns = across(shot.frame.shape)
            back = (1 - (number - run.start) / len(run)) ** 2  # fades to nothing at the run's end
            lost = np.minimum(share * back * (1 + border * 2 * (rows**2 + columns**2)), 1)
            heat = heat_of(shot.frame, machine)
            cold = heat - lost * (heat - np.float32(_AMBIENT))
            yield self.marked(replace(after, frame=frame_of(np.asarray(cold, np.float32), machine)))
