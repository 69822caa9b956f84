"""Shift: the printed outline jumps sideways against its place; the bed does not move."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Literal

import numpy as np
from scipy import ndimage

from layerwatch.job.defects.base import Defect, Placement, Scene, Site, draw_sign
from layerwatch.job.ranges import Interval


@dataclass(frozen=True)
class Shift(Defect):
    """The coverage moves by the amount in mm along one of the machine's axes; crescents appear at the outline."""

    summary: ClassVar[str] = "the printed outline jumps by some mm along one machine axis"
    source: ClassVar[str] = "Zeiser et al. 2023, Figure 4: sudden change of the component location"
    needs_part: ClassVar[bool] = False
    unit: ClassVar[Literal["K", "mm"]] = "mm"

    layers: Interval = Interval(3.0, 20.0)

    def place(self, rng: np.random.Generator, site: Site) -> Placement:
        """See Defect."""
        axis, mm_per_px = int(rng.integers(2)), site.machine.mm_per_px

        def spoil(scene: Scene, amount: float, age: int) -> Scene:
            moved = ndimage.shift(scene.coverage, np.eye(2)[axis] * amount / mm_per_px, order=3, mode="constant")
            return replace(scene, coverage=np.asarray(np.clip(moved, 0, 1), np.float32))

        return Placement(spoil, 0.0, round(self.layers.draw(rng)), draw_sign(rng))
