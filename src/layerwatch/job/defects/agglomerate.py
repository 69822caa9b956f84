"""Agglomerate: loose sand stuck together to an irregular blob, which may lie across the part's edge."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from layerwatch.job.defects.base import Defect, Placement, Scene, Site, draw_sign
from layerwatch.job.ranges import Interval


@dataclass(frozen=True)
class Agglomerate(Defect):
    """A blob with a sharp, wavy rim and a short tail along the recoater's travel; it grows or fades."""

    summary: ClassVar[str] = "irregular blob, sharp rim, may lie across the part's edge"
    source: ClassVar[str] = "Zeiser et al. 2023, Figure 4: accumulation of unwanted loose components"

    diameter: Interval = Interval(8.0, 25.0)  # mm
    layers: Interval = Interval(3.0, 8.0)

    def place(self, rng: np.random.Generator, site: Site) -> Placement:
        """See Defect."""
        diameter, (u0, v0) = self.diameter.draw(rng), site.draw_pixel(rng, least=0.3)
        waves, phases = rng.uniform(0.03, 0.15, 3), rng.uniform(0, 2 * np.pi, 3)
        tail, growth = rng.uniform(0.2, 0.8), rng.uniform(-0.08, 0.08)
        u, v = site.uv
        du, dv = u - u0, v - v0
        dv = np.where(dv > 0, dv / (1 + tail), dv)
        angle = np.arctan2(dv, du)
        rim = 1 + sum(w * np.sin(n * angle + p) for n, w, p in zip((2, 3, 5), waves, phases, strict=True))
        shape = site.edge(np.hypot(du, dv) - diameter / 2 * rim)

        def spoil(scene: Scene, amount: float, age: int) -> Scene:
            return replace(scene, extra=scene.extra + np.float32(amount * (1 + growth * age)) * shape)

        return Placement(spoil, diameter, round(self.layers.draw(rng)), draw_sign(rng))
