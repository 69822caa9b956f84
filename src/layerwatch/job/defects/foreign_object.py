"""Foreign object: a compact, geometric thing with a hard edge on the part, with a shadow along the recoater."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from layerwatch.job.defects.base import Defect, Image, Placement, Scene, Site, draw_sign
from layerwatch.job.ranges import Interval


@dataclass(frozen=True)
class ForeignObject(Defect):
    """A convex polygon; sand piles up less behind it, which leaves a weak shadow of the other sign."""

    summary: ClassVar[str] = "compact polygon with a hard edge on the part, shadow along the recoater"
    source: ClassVar[str] = "Zeiser et al. 2023, Figure 4: unknown objects on the printed part"

    size: Interval = Interval(10.0, 40.0)  # mm
    shadow: float = 0.25  # of the amount
    layers: Interval = Interval(3.0, 12.0)

    def place(self, rng: np.random.Generator, site: Site) -> Placement:
        """See Defect."""
        size, (u0, v0) = self.size.draw(rng), site.draw_pixel(rng)
        corners, turn, flat = int(rng.integers(3, 7)), rng.uniform(0, 2 * np.pi), rng.uniform(0.5, 1.0)
        u, v = site.uv
        body = site.edge(_polygon(u - u0, v - v0, corners, turn, flat, size / 2))
        length = size * rng.uniform(0.5, 1.0)
        behind = site.edge(np.maximum(np.abs(u - u0) - 0.35 * size, np.abs(v - v0 - length / 2) - length / 2))
        shape = body - np.float32(self.shadow) * behind * (1 - body)

        def spoil(scene: Scene, amount: float, age: int) -> Scene:
            return replace(scene, extra=scene.extra + np.float32(amount) * shape)

        return Placement(spoil, size, round(self.layers.draw(rng)), draw_sign(rng))


def _polygon(du: Image, dv: Image, corners: int, turn: float, flat: float, radius: float) -> Image:
    """Signed distance in mm to a regular polygon, flattened along a turned axis; exact at its sides."""
    a = np.cos(turn) * du + np.sin(turn) * dv
    b = (np.cos(turn) * dv - np.sin(turn) * du) / flat
    normals = 2 * np.pi * np.arange(corners) / corners
    reach = np.max([np.cos(n) * a + np.sin(n) * b for n in normals], axis=0)
    return np.asarray(reach - radius * np.cos(np.pi / corners), np.float32)
