"""Fouled window: dust or condensed binder on the window blurs and weakens a soft-edged area."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy import ndimage

from layerwatch.job.faults.base import Change, Image, PictureFault, across, sensor_noise
from layerwatch.job.machine import Machine
from layerwatch.job.ranges import Interval


@dataclass(frozen=True)
class FouledWindow(PictureFault):
    """Within the smudge a share of the bed's heat is replaced by the window's own, and what passes is scattered."""

    summary: ClassVar[str] = "a smudge: blurred, weaker, drawn toward the window's temperature"
    source: ClassVar[str] = "own; transmission and emission of a dusty window"

    layers: Interval = Interval(2.0, 30.0)
    radius: Interval = Interval(0.2, 0.45)  # of the frame's shorter side
    passes: Interval = Interval(0.35, 0.75)  # share of the heat that comes through
    window: Interval = Interval(29.0, 35.0)  # degC, it is warmed by the bed
    scatter: Interval = Interval(0.015, 0.04)  # of the frame's shorter side, standard deviation of the blur

    def draw(self, rng: np.random.Generator, machine: Machine) -> Change:
        """See PictureFault."""
        smudge = self._smudge(rng, machine)
        passes, window = np.float32(self.passes.draw(rng)), np.float32(self.window.draw(rng))
        blur = self.scatter.draw(rng) * min(machine.height, machine.width)

        def change(heat: Image, age: int) -> Image:
            scattered = ndimage.gaussian_filter(heat, blur, mode="nearest")
            seen = passes * scattered + (1 - passes) * window + sensor_noise(machine, heat.shape, rng)
            return np.asarray(heat + smudge * (seen - heat), np.float32)

        return change

    def _smudge(self, rng: np.random.Generator, machine: Machine) -> Image:
        """1 in its middle, 0 outside, with a wandering soft edge."""
        size, short = (machine.height, machine.width), min(machine.height, machine.width)
        rows, columns = across(size)
        dy = (rows - rng.uniform(-0.35, 0.35)) * size[0] / short
        dx = (columns - rng.uniform(-0.35, 0.35)) * size[1] / short
        ragged = ndimage.gaussian_filter(rng.standard_normal(size, np.float32), 0.08 * short, mode="nearest")
        reach = np.hypot(dy, dx) / self.radius.draw(rng) + 0.25 * ragged / ragged.std()
        return np.asarray(1 / (1 + np.exp(np.clip(8 * (reach - 1), -30, 30))), np.float32)
