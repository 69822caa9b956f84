"""Thermal drift: a smooth field that grows slowly, as when a side of the bed cools or a heater creeps away."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from layerwatch.job.defects.base import Defect, Placement, Scene, Site, draw_sign
from layerwatch.job.ranges import Interval


@dataclass(frozen=True)
class ThermalDrift(Defect):
    """A wide bump anywhere over the bed; full after ``rise`` of its layers, seen by its change over time."""

    summary: ClassVar[str] = "smooth field over a third of the bed or more, growing slowly, non-geometric"
    source: ClassVar[str] = "own; cooling from a side, a creeping heater"
    needs_part: ClassVar[bool] = False

    radius: Interval = Interval(0.15, 0.4)  # of the bed's longest side
    rise: float = 0.2  # of the amount, each layer, until it is whole
    layers: Interval = Interval(10.0, 100.0)

    def place(self, rng: np.random.Generator, site: Site) -> Placement:
        """See Defect."""
        radius = self.radius.draw(rng) * max(site.machine.bed[:2])
        u, v = site.uv
        u0, v0 = rng.uniform(0, float(u.max())), rng.uniform(0, float(v.max()))
        shape = np.asarray(np.exp(-((u - u0) ** 2 + (v - v0) ** 2) / (2 * radius**2)), np.float32)

        def spoil(scene: Scene, amount: float, age: int) -> Scene:
            share = min(1.0, 1.0 if self.rise <= 0 else self.rise * (age + 1))
            return replace(scene, extra=scene.extra + np.float32(amount * share) * shape)

        return Placement(spoil, radius, round(self.layers.draw(rng)), draw_sign(rng))
