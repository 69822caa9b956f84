"""Recoater hopping: parallel lines across the recoater's travel behind a part's edge, fading as the blade calms."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from layerwatch.job.defects.base import Defect, Placement, Scene, Site, draw_sign
from layerwatch.job.ranges import Interval


@dataclass(frozen=True)
class RecoaterHopping(Defect):
    """The blade strikes an edge and chatters: a wave along its travel over the part's width."""

    summary: ClassVar[str] = "parallel lines across the recoater's travel, from a part's edge on, fading"
    source: ClassVar[str] = "Scime et al. 2020, Additive Manufacturing 36: recoater hopping"

    pitch: Interval = Interval(9.0, 20.0)  # mm, from line to line
    calms: Interval = Interval(40.0, 120.0)  # mm, over which the wave fades to 1 / e
    layers: Interval = Interval(1.0, 10.0)

    def place(self, rng: np.random.Generator, site: Site) -> Placement:
        """See Defect."""
        pitch, calms = self.pitch.draw(rng), self.calms.draw(rng)
        (u0, v0), reach = site.draw_pixel(rng, least=0.5), rng.uniform(20.0, 80.0)
        u, v = site.uv
        behind = np.maximum(v - v0, 0.0)
        wave = np.sin(2 * np.pi * behind / pitch) * np.exp(-behind / calms)
        shape = np.asarray(wave * site.edge(np.abs(u - u0) - reach), np.float32)

        def spoil(scene: Scene, amount: float, age: int) -> Scene:
            return replace(scene, extra=scene.extra + np.float32(amount) * shape)

        return Placement(spoil, pitch, round(self.layers.draw(rng)), draw_sign(rng))
