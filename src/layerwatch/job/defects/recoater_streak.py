"""Recoater streak: a groove along the recoater's travel, with a twin edge, to the end of the bed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from layerwatch.job.defects.base import Defect, Placement, Scene, Site, draw_sign
from layerwatch.job.ranges import Interval


@dataclass(frozen=True)
class RecoaterStreak(Defect):
    """A lump under the blade ploughs a line: one rim is colder, the other warmer, from where it got stuck on."""

    summary: ClassVar[str] = "line along the recoater's travel with a twin edge, to the bed's end"
    source: ClassVar[str] = "Scime et al. 2020, Additive Manufacturing 36: recoater streaking"

    width: Interval = Interval(3.0, 10.0)  # mm
    layers: Interval = Interval(1.0, 40.0)

    def place(self, rng: np.random.Generator, site: Site) -> Placement:
        """See Defect."""
        width, (u0, v0) = self.width.draw(rng), site.draw_pixel(rng)
        u, v = site.uv
        across = (u - u0) / (width / 2)
        twin = -across * np.exp((1 - across**2) / 2)  # a groove's slopes, largest 1 at its rims
        shape = np.asarray(twin * site.edge(v0 - v), np.float32)

        def spoil(scene: Scene, amount: float, age: int) -> Scene:
            return replace(scene, extra=scene.extra + np.float32(amount) * shape)

        return Placement(spoil, width, round(self.layers.draw(rng)), draw_sign(rng))
