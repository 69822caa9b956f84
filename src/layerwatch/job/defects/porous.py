"""Porous: from a place along the head's travel on, the part has too little binder and is as warm as the bed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from layerwatch.job.defects.base import Defect, Placement, Scene, Site, draw_sign
from layerwatch.job.ranges import Interval


@dataclass(frozen=True)
class Porous(Defect):
    """A step or ramp along the head's travel, toward the bed's temperature, only inside the printed area."""

    summary: ClassVar[str] = "step or ramp along the head's travel, inside the part, toward the bed's temperature"
    source: ClassVar[str] = "Zeiser et al. 2023, Figure 4: temperature difference in the direction of head movement"

    ramp: Interval = Interval(3.0, 25.0)  # mm
    layers: Interval = Interval(4.0, 15.0)

    def place(self, rng: np.random.Generator, site: Site) -> Placement:
        """See Defect."""
        low, high = site.range_along("u")
        start, width, side = low + (high - low) * rng.uniform(0.3, 0.7), self.ramp.draw(rng), draw_sign(rng)
        rise = np.asarray(np.clip(0.5 + side * (site.uv[0] - start) / width, 0, 1), np.float32)

        def spoil(scene: Scene, amount: float, age: int) -> Scene:
            toward_bed = np.sign(float((scene.bed - scene.part).mean()))
            return replace(scene, part=scene.part + np.float32(amount * toward_bed) * rise)

        return Placement(spoil, width, round(self.layers.draw(rng)))
