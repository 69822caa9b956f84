"""Missing swath: a band as wide as a print module gets no binder, so that the part looks like the bed there."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from layerwatch.job.defects.base import Defect, Placement, Scene, Site
from layerwatch.job.ranges import Interval


@dataclass(frozen=True)
class MissingSwath(Defect):
    """A band along the head's travel, sharp edges, only inside the printed area, toward the bed's temperature."""

    summary: ClassVar[str] = "band along the head's travel without binder, part looks like bed"
    source: ClassVar[str] = "own; a print module that does not fire"

    width: Interval = Interval(15.0, 60.0)  # mm, of a module
    layers: Interval = Interval(1.0, 20.0)

    def place(self, rng: np.random.Generator, site: Site) -> Placement:
        """See Defect."""
        width, (_, v0) = min(self.width.draw(rng), site.machine.swath), site.draw_pixel(rng)
        band = site.edge(np.abs(site.uv[1] - v0) - width / 2)

        def spoil(scene: Scene, amount: float, age: int) -> Scene:
            toward_bed = np.sign(float((scene.bed - scene.part).mean()))
            return replace(scene, part=scene.part + np.float32(amount * toward_bed) * band)

        return Placement(spoil, width, round(self.layers.draw(rng)))
