"""Shift, rotation and scale of a print against its plan -> where each point of either lies on the other. In px."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

Numbers = Float64[np.ndarray, " 4"]  # shift x, shift y (px), rotation (rad), scale less 1


@dataclass(frozen=True)
class Similarity:
    """A plan's point p is seen at ``pivot + shift + scale R (p - pivot)``; R turns x towards y (clockwise as seen)."""

    pivot: tuple[float, float]  # px, x and y of the plan's middle
    shift: tuple[float, float] = (0.0, 0.0)  # px, of the pivot
    angle: float = 0.0  # rad
    scale: float = 1.0

    def seen(self, plan: Float64[np.ndarray, "*n 2"]) -> Float64[np.ndarray, "*n 2"]:
        """Points of the plan in the frame."""
        x, y = plan[..., 0] - self.pivot[0], plan[..., 1] - self.pivot[1]
        c, s = self.scale * np.cos(self.angle), self.scale * np.sin(self.angle)
        return np.stack(
            [c * x - s * y + self.pivot[0] + self.shift[0], s * x + c * y + self.pivot[1] + self.shift[1]], -1
        )

    def planned(self, seen: Float64[np.ndarray, "*n 2"]) -> Float64[np.ndarray, "*n 2"]:
        """Points of the frame on the plan; the inverse of ``seen``."""
        x = seen[..., 0] - self.pivot[0] - self.shift[0]
        y = seen[..., 1] - self.pivot[1] - self.shift[1]
        c, s = np.cos(self.angle) / self.scale, np.sin(self.angle) / self.scale
        return np.stack([c * x + s * y + self.pivot[0], -s * x + c * y + self.pivot[1]], -1)

    def turned(self, vectors: Float64[np.ndarray, "n 2"]) -> Float64[np.ndarray, "n 2"]:
        """Directions of the plan in the frame."""
        c, s = np.cos(self.angle), np.sin(self.angle)
        return np.stack([c * vectors[:, 0] - s * vectors[:, 1], s * vectors[:, 0] + c * vectors[:, 1]], 1)

    def fields(self, seen: Float64[np.ndarray, "n 2"]) -> Float64[np.ndarray, "4 n 2"]:
        """How far points of the frame move by one unit of each of the four numbers."""
        x = seen[:, 0] - self.pivot[0] - self.shift[0]
        y = seen[:, 1] - self.pivot[1] - self.shift[1]
        one, zero = np.ones_like(x), np.zeros_like(x)
        return np.stack([np.stack(pair, 1) for pair in ((one, zero), (zero, one), (-y, x), (x, y))])

    def moved(self, by: Numbers) -> Similarity:
        """A small step further."""
        return Similarity(
            self.pivot,
            (self.shift[0] + float(by[0]), self.shift[1] + float(by[1])),
            self.angle + float(by[2]),
            self.scale * (1 + float(by[3])),
        )
