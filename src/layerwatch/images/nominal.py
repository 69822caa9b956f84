"""The nominal layer on the frame's grid -> what registration needs of it alone, made once for all its frames. In px."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from jaxtyping import Float64

from layerwatch.images.resampling import shrunk
from layerwatch.images.soft_plan import Image, SoftPlan
from layerwatch.records import DataError

_BLURS = 1.05  # between two blurs that a plan is softened by


@dataclass(frozen=True, eq=False)
class Nominal:
    """Share of each pixel inside the nominal outline; give the same one for further frames of the same layer.

    Raises:
        DataError: shares outside [0, 1].
    """

    coverage: Image
    _softened: dict[tuple[int, int], SoftPlan] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        low, high = float(self.coverage.min(initial=0)), float(self.coverage.max(initial=0))
        if not (low >= 0 and high <= 1):  # as well where a pixel is nan
            raise DataError("the coverage of a plan lies in [0, 1]; divide masks by their largest value")

    @cached_property
    def middle(self) -> tuple[float, float]:
        """Of the part, (x, y)."""
        columns, rows = (self.coverage.sum(axis, dtype=np.float64) for axis in (0, 1))
        total = max(float(rows.sum()), 1e-300)
        x, y = (float(line @ (np.arange(len(line)) + 0.5)) / total for line in (columns, rows))
        return x, y

    @cached_property
    def radius(self) -> float:
        """Root mean square distance of the part from its middle, at least 1."""
        inside = self.coverage > 0.5
        squares = [
            float(inside.sum(axis) @ (np.arange(inside.shape[1 - axis]) + 0.5 - at) ** 2)
            for axis, at in enumerate(self.middle)
        ]
        return max(1.0, float(np.sqrt(sum(squares) / max(int(inside.sum()), 1))))

    def soft(self, sigma: float, factor: int = 1) -> SoftPlan:
        """Softened by about so much, on pixels so many times as large."""
        step = round(np.log(sigma) / np.log(_BLURS))
        key = (factor, step)
        if key not in self._softened:
            self._softened[key] = SoftPlan(shrunk(self.coverage, factor), float(_BLURS**step))
        return self._softened[key]

    @cached_property
    def crossings(self) -> Float64[np.ndarray, "n 2"]:
        """Points (x, y) on the nominal outline, to a part of a pixel, where it crosses rows and columns."""
        return np.concatenate([_crossings(self.coverage), _crossings(self.coverage.T)[:, ::-1]])


def _crossings(coverage: Image) -> Float64[np.ndarray, "n 2"]:
    """Where the coverage passes one half between neighbours in a row."""
    inside = coverage >= 0.5
    rows, columns = np.nonzero(inside[:, 1:] != inside[:, :-1])
    a, b = coverage[rows, columns] - 0.5, coverage[rows, columns + 1] - 0.5
    return np.stack([columns + 0.5 + a / (a - b), rows + 0.5], 1).astype(np.float64)
