"""Lamp fault: an emitter of the heating lamp fails; a broad, soft-edged stripe of the whole bed stays colder."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from layerwatch.job.defects.base import Defect, Placement, Scene, Site
from layerwatch.job.ranges import Interval


@dataclass(frozen=True)
class LampFault(Defect):
    """The lamp travels with the recoater, so the stripe lies along that travel; it ignores part and bed."""

    summary: ClassVar[str] = "broad cold stripe over the whole bed, non-geometric"
    source: ClassVar[str] = "own; a dead emitter"
    needs_part: ClassVar[bool] = False

    width: Interval = Interval(40.0, 120.0)  # mm
    softness: Interval = Interval(6.0, 20.0)  # mm, of the stripe's edges
    layers: Interval = Interval(1.0, 60.0)

    def place(self, rng: np.random.Generator, site: Site) -> Placement:
        """See Defect."""
        width, soft = self.width.draw(rng), self.softness.draw(rng)
        u = site.uv[0]
        middle = rng.uniform(float(u.min()) + width / 4, float(u.max()) - width / 4)
        rims = (np.abs(u - middle) - width / 2) / soft
        shape = np.asarray(1 / (1 + np.exp(np.clip(2 * rims, -30, 30))), np.float32)

        def spoil(scene: Scene, amount: float, age: int) -> Scene:
            return replace(scene, extra=scene.extra - np.float32(amount) * shape)

        return Placement(spoil, width, round(self.layers.draw(rng)))
