"""Misprint: a piece of the part is printed where it does not belong, mirrored across the part's middle."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from layerwatch.job.defects.base import Defect, Image, Placement, Scene, Site
from layerwatch.job.ranges import Interval
from layerwatch.records import DataError

_ENOUGH = 30.0  # mm2 of a misprint, or a third of what is printed


@dataclass(frozen=True)
class Misprint(Defect):
    """Binder on the bed in the shape of a mirrored and moved piece of the layer; the part itself is whole."""

    summary: ClassVar[str] = "a mirrored piece of the part printed beside it"
    source: ClassVar[str] = "own; wrong or mirrored job data"

    size: Interval = Interval(25.0, 80.0)  # mm, of the piece
    layers: Interval = Interval(1.0, 3.0)

    def place(self, rng: np.random.Generator, site: Site) -> Placement:
        """See Defect."""
        size, mm = self.size.draw(rng), site.machine.mm_per_px
        u, v = site.uv
        enough = min(_ENOUGH / mm**2, float(site.coverage.sum()) / 3)  # px
        for _ in range(40):
            u0, v0 = site.draw_pixel(rng)
            piece = site.coverage * site.edge(np.maximum(np.abs(u - u0), np.abs(v - v0)) - size / 2)
            piece = np.flip(piece, int(rng.integers(2)))
            moves = [int(rng.uniform(-size, size) / mm) for _ in range(2)]
            shape = np.asarray(_moved(piece, moves) * (1 - site.coverage), np.float32)
            if shape.sum() > enough:
                break
        else:
            raise DataError("nothing is printed on the layer, or no bed is free beside it, where a misprint could lie")

        def spoil(scene: Scene, amount: float, age: int) -> Scene:
            toward_part = np.sign(float((scene.part - scene.bed).mean()))
            return replace(scene, extra=scene.extra + np.float32(amount * toward_part) * shape)

        return Placement(spoil, size, round(self.layers.draw(rng)))


def _moved(piece: Image, by: list[int]) -> Image:
    """The piece by whole rows and columns; what leaves the bed is cut off."""
    h, w = piece.shape
    rows, columns = np.clip(by[0], -h, h), np.clip(by[1], -w, w)
    moved = np.zeros_like(piece)
    moved[max(rows, 0) : h + min(rows, 0), max(columns, 0) : w + min(columns, 0)] = piece[
        max(-rows, 0) : h + min(-rows, 0), max(-columns, 0) : w + min(-columns, 0)
    ]
    return moved
