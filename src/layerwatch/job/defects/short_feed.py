"""Short feed: the recoater runs out of sand; beyond a ragged front the layer below is seen, still warm."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from layerwatch.job.defects.base import Defect, Placement, Scene, Site
from layerwatch.job.ranges import Interval


@dataclass(frozen=True)
class ShortFeed(Defect):
    """Everything beyond the front is warmer, bed and part alike; the front wanders across the bed."""

    summary: ClassVar[str] = "ragged front across the recoater's travel, warm beyond it"
    source: ClassVar[str] = "Scime et al. 2020, Additive Manufacturing 36: incomplete spreading"
    needs_part: ClassVar[bool] = False

    share: Interval = Interval(0.05, 0.40)  # of the bed that stays bare
    ragged: Interval = Interval(3.0, 12.0)  # mm, how far the front wanders
    layers: Interval = Interval(1.0, 5.0)

    def place(self, rng: np.random.Generator, site: Site) -> Placement:
        """See Defect."""
        share, ragged = self.share.draw(rng), self.ragged.draw(rng)
        u, v = site.uv
        last_u, last_v = float(u.max()), float(v.max())
        waves, phases = rng.uniform(0.3, 1.0, 4), rng.uniform(0, 2 * np.pi, 4)
        turns = np.stack([np.sin(2 * np.pi * (n + 1) * u / last_u + p) for n, p in enumerate(phases)])
        front = (1 - share) * last_v + ragged * np.tensordot(waves, turns, 1) / 2
        shape = site.edge(np.asarray(front - v, np.float32))

        def spoil(scene: Scene, amount: float, age: int) -> Scene:
            return replace(scene, extra=scene.extra + np.float32(amount) * shape)

        return Placement(spoil, share * last_v, round(self.layers.draw(rng)))
