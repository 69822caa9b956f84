"""Bleeding: binder creeps into the sand around the part; a soft rim outside the outline cools like the part."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from scipy import ndimage

from layerwatch.job.defects.base import Defect, Placement, Scene, Site
from layerwatch.job.ranges import Interval


@dataclass(frozen=True)
class Bleeding(Defect):
    """The rim is strongest at the outline, fades outwards and grows from layer to layer."""

    summary: ClassVar[str] = "soft rim of binder outside the outline, growing"
    source: ClassVar[str] = "own; binder migration"

    width: Interval = Interval(2.0, 5.0)  # mm, over which it fades to 1 / e
    growth: float = 0.03  # of the amount, each layer
    layers: Interval = Interval(5.0, 40.0)

    def place(self, rng: np.random.Generator, site: Site) -> Placement:
        """See Defect."""
        width = self.width.draw(rng)
        site.draw_pixel(rng, least=0.5)  # there must be a part
        beyond = ndimage.distance_transform_edt(site.coverage < 0.5) * site.machine.mm_per_px
        shape = np.asarray(np.exp(-beyond / width) * (1 - site.coverage), np.float32)

        def spoil(scene: Scene, amount: float, age: int) -> Scene:
            toward_part = np.sign(float((scene.part - scene.bed).mean()))
            grown = amount * (1 + self.growth * age) * toward_part
            return replace(scene, extra=scene.extra + np.float32(grown) * shape)

        return Placement(spoil, width, round(self.layers.draw(rng)))
