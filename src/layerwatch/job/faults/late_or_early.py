"""Late or early: exposed while the recoater already travels, or while the print head is still at work."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from scipy import ndimage

from layerwatch.job.faults.base import Arrival, Fault, Image, frame_of, healthy, heat_of, sensor_noise
from layerwatch.job.machine import Machine
from layerwatch.job.ranges import Interval
from layerwatch.job.view import View
from layerwatch.records import Shot


@dataclass(frozen=True)
class LateOrEarly(Fault):
    """Late, the recoater has covered part of the bed with cold sand; early, the head has not printed the last of it."""

    summary: ClassVar[str] = "recoater or print head in view, time stamp off by some seconds"
    source: ClassVar[str] = "own; a trigger that comes too late or too early"

    layers: Interval = Interval(1.0, 2.0)
    late: float = 0.5  # share of the jobs in which the trigger is late
    travel: Interval = Interval(0.2, 0.8)  # of the bed, how far recoater or head are
    travel_time: float = 0.3  # of the layer time, for the whole bed
    bar: Interval = Interval(35.0, 60.0)  # mm, width of the recoater or of the head's beam
    steel: Interval = Interval(26.0, 31.0)  # degC, of both
    head: Interval = Interval(38.0, 43.0)  # degC, of the head's electronics
    head_length: float = 90.0  # mm, along its travel
    sand: Interval = Interval(2.5, 6.0)  # K, by which fresh sand is colder than the bed
    shines_through: float = 0.3  # share of the last layer that is seen through fresh sand

    def spoil(
        self, shots: Sequence[Shot], rng: np.random.Generator, machine: Machine, other: Sequence[Shot] = ()
    ) -> Iterator[Arrival]:
        """See Fault."""
        run, late = self.run(shots, rng), rng.random() < self.late
        for number, shot in enumerate(shots):
            if number not in run:
                yield healthy(shot)
                continue
            travel, heat = self.travel.draw(rng), heat_of(shot.frame, machine)
            seen = self._recoater(heat, travel, rng, machine) if late else self._head(heat, travel, rng, machine)
            off = self.travel_time * machine.layer_time * (travel if late else travel - 1)
            yield self.marked(replace(shot, frame=frame_of(seen, machine), time=round(shot.time + off, 3)))

    def _recoater(self, heat: Image, travel: float, rng: np.random.Generator, machine: Machine) -> Image:
        """A bar across the whole bed, fresh sand behind it."""
        (_, v), (_, whole) = _axes(machine)
        front, bar = travel * whole, min(self.bar.draw(rng), whole / 4)
        covered = self._covered(heat, rng, machine)
        seen = heat + _edge(v - front, machine) * (covered - heat)
        steel = self.steel.draw(rng) + 3.0 * np.clip((v - front) / bar, 0, 1)  # its front is lit by the warm bed
        return _with(seen, _edge(np.abs(v - front - bar / 2) - bar / 2, machine), steel, rng, machine)

    def _head(self, heat: Image, travel: float, rng: np.random.Generator, machine: Machine) -> Image:
        """A beam across the bed with the head on it, the rest of its swath not printed yet."""
        (u, v), (long, wide) = _axes(machine)
        at, bar, length = travel * long, min(self.bar.draw(rng), long / 5), min(self.head_length, long / 3)
        swath = min(machine.swath, wide / 2)
        middle = (int(rng.integers(max(int(wide // swath), 1))) + 0.5) * swath
        band = _edge(np.abs(v - middle) - swath / 2, machine)
        covered = self._covered(heat, rng, machine)
        seen = heat + band * _edge(at - u, machine) * (covered - heat)
        beam = _edge(np.abs(u - at) - bar / 2, machine)
        seen = _with(seen, beam, self.steel.draw(rng), rng, machine)
        return _with(seen, band * _edge(np.abs(u - at) - length / 2, machine), self.head.draw(rng), rng, machine)

    def _covered(self, heat: Image, rng: np.random.Generator, machine: Machine) -> Image:
        """Fresh sand over the layer."""
        level = np.median(heat)
        grain = ndimage.gaussian_filter(rng.standard_normal(heat.shape, np.float32), 12.0 / machine.mm_per_px)
        through = self.shines_through * (heat - level) + 0.2 * grain / max(float(grain.std()), 1e-6)
        fresh = level - self.sand.draw(rng) + through + sensor_noise(machine, heat.shape, rng)
        return np.asarray(heat + _sand(machine) * (fresh - heat), np.float32)


def _axes(machine: Machine) -> tuple[tuple[Image, Image], tuple[float, float]]:
    """Place of each pixel along the head's and the recoater's travel, and the bed's sides along them, in mm."""
    (x, y), (long, wide) = _places(machine), machine.bed[:2]
    return ((x, y), (long, wide)) if machine.head == "x" else ((y, x), (wide, long))


def _places(machine: Machine) -> tuple[Image, Image]:
    """Where each pixel of the frame looks on the bed, x and y in mm."""
    rows, columns = np.indices((machine.height, machine.width), np.float32) + np.float32(0.5)
    if machine.tilt == 0:
        return np.asarray(columns * machine.mm_per_px), np.asarray(rows * machine.mm_per_px)
    seen = np.einsum("ij,jhw->ihw", np.linalg.inv(View(machine).homography), [columns, rows, np.ones_like(rows)])
    return np.asarray(seen[0] / seen[2], np.float32), np.asarray(seen[1] / seen[2], np.float32)


def _sand(machine: Machine) -> Image:
    """1 where sand lies, 0 over the machine's frame."""
    (x, y), (wide, high), rim = _places(machine), machine.bed[:2], machine.rim
    outside = [rim - x, x - wide + rim, rim - y, y - high + rim]
    return _edge(np.asarray(np.max(outside, axis=0), np.float32), machine)


def _edge(distance: Image, machine: Machine) -> Image:
    """1 at negative distances in mm, 0 at positive ones, a pixel wide between."""
    return np.asarray(np.clip(0.5 - distance / machine.mm_per_px, 0, 1), np.float32)


def _with(heat: Image, shape: Image, level: float | Image, rng: np.random.Generator, machine: Machine) -> Image:
    """A smooth thing over the picture."""
    thing = level + sensor_noise(machine, heat.shape, rng)
    return np.asarray(heat + shape * (thing - heat), np.float32)
