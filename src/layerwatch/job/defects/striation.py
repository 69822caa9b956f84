"""Striation: lines along the head's travel from clogged or dripping nozzles, at a fixed place, growing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from layerwatch.job.defects.base import Defect, Placement, Scene, Site, draw_sign
from layerwatch.job.ranges import Interval


@dataclass(frozen=True)
class Striation(Defect):
    """Clogged nozzles leave lines inside the part only; dripping ones also outside."""

    summary: ClassVar[str] = "lines along the head's travel at a fixed place, growing from layer to layer"
    source: ClassVar[str] = "Zeiser et al. 2023, Figure 4: striations from excess binder, sand or nozzle clogging"

    lines: Interval = Interval(1.0, 5.0)
    width: Interval = Interval(4.0, 12.0)  # mm
    growth: float = 0.05  # of the amount, each layer
    layers: Interval = Interval(5.0, 20.0)

    def place(self, rng: np.random.Generator, site: Site) -> Placement:
        """See Defect."""
        width, places = self.width.draw(rng), [site.draw_pixel(rng)[1] for _ in range(round(self.lines.draw(rng)))]
        drips = bool(rng.integers(2))
        low, high = site.range_along("u")
        u, v = site.uv
        beyond = 0.1 * (high - low) if drips else 0.0
        along = site.edge(np.maximum(low - beyond - u, u - high - beyond))
        across = np.max([site.edge(np.abs(v - place) - width / 2) for place in places], axis=0)

        def spoil(scene: Scene, amount: float, age: int) -> Scene:
            where = along * across * (1.0 if drips else scene.coverage)
            return replace(scene, extra=scene.extra + np.float32(amount * (1 + self.growth * age)) * where)

        return Placement(spoil, width, round(self.layers.draw(rng)), draw_sign(rng))
