"""Lamp fault: an emitter of the heating lamp fails; a broad, soft-edged stripe of the whole bed stays colder."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from layerwatch.job.defects.base import Defect, Placement, Scene, Site
from layerwatch.job.ranges import Interval


@dataclass(frozen=True)
class LampFault(Defect):
    """The stripe lies along the lamp's travel and ignores part and bed."""

    summary: ClassVar[str] = "broad cold stripe over the whole bed, non-geometric"
    source: ClassVar[str] = "own; a dead emitter"
    needs_part: ClassVar[bool] = False

    width: Interval = Interval(40.0, 120.0)  # mm
    softness: Interval = Interval(6.0, 20.0)  # mm, of the stripe's edges
    layers: Interval = Interval(1.0, 60.0)

    def place(self, rng: np.random.Generator, site: Site) -> Placement:
        """See Defect."""
        width, soft = self.width.draw(rng), self.softness.draw(rng)
        across = site.uv[0] if site.machine.lamp == site.machine.recoater else site.uv[1]
        middle = rng.uniform(float(across.min()) + width / 4, float(across.max()) - width / 4)
        rims = (np.abs(across - middle) - width / 2) / soft
        shape = np.asarray(1 / (1 + np.exp(np.clip(2 * rims, -30, 30))), np.float32)

        def spoil(scene: Scene, amount: float, age: int) -> Scene:
            return replace(scene, extra=scene.extra + np.float32(amount) * shape)

        return Placement(spoil, width, round(self.layers.draw(rng)), -1)
