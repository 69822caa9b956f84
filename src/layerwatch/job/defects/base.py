"""Where a part lies and how the machine moves -> a way to spoil layers, with its size in mm and amount in K or mm."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from jaxtyping import Float, Float32

from layerwatch.job.machine import Machine
from layerwatch.records import DataError

Image = Float32[np.ndarray, "h w"]


@dataclass(frozen=True, eq=False)
class Scene:
    """One layer before camera and heat memory: temperature = part * coverage + bed * (1 - coverage) + extra."""

    coverage: Image  # share of each pixel that is printed
    part: Image  # degC, if it were printed everywhere
    bed: Image  # degC, if nothing were printed
    extra: Image  # K, on top of both

    def temperature(self) -> Image:
        """Fresh temperature in degC."""
        return np.asarray(self.bed + (self.part - self.bed) * self.coverage + self.extra, np.float32)


@dataclass(frozen=True, eq=False)
class Site:
    """The bed as a defect sees it; u runs along the head's travel, v along the recoater's."""

    machine: Machine
    coverage: Image  # nominal, of the defect's first layer

    @property
    def uv(self) -> tuple[Image, Image]:
        """Place of each pixel's centre along u and v, in mm."""
        places = (np.indices(self.coverage.shape) + 0.5) * self.machine.mm_per_px
        y, x = places.astype(np.float32)
        return (x, y) if self.machine.head == "x" else (y, x)

    def draw_pixel(self, rng: np.random.Generator, least: float = 0.9) -> tuple[float, float]:
        """Place (u, v) in mm of a random pixel of at least that coverage.

        Raises:
            DataError: nothing is printed on this layer.
        """
        found = np.flatnonzero(self.coverage >= least)
        if len(found) == 0:
            raise DataError("nothing is printed on the layer where a defect is to begin; choose another first layer")
        pixel = int(rng.choice(found))
        u, v = self.uv
        return float(u.flat[pixel]), float(v.flat[pixel])

    def range_along(self, axis: Literal["u", "v"]) -> tuple[float, float]:
        """First and last place of printed pixels along an axis, in mm."""
        places = self.uv["uv".index(axis)][self.coverage >= 0.5]
        if len(places) == 0:
            raise DataError("nothing is printed on the layer where a defect is to begin; choose another first layer")
        return float(places.min()), float(places.max())

    def edge(self, distance: Float[np.ndarray, "h w"]) -> Image:
        """1 inside (negative distance in mm), 0 outside, one pixel wide between."""
        return np.asarray(np.clip(0.5 - distance / self.machine.mm_per_px, 0, 1), np.float32)


@dataclass(frozen=True, eq=False)
class Placement:
    """One defect with its own geometry."""

    spoil: Callable[[Scene, float, int], Scene]  # scene, signed amount, layers since onset -> spoiled scene
    extent: float  # mm, the size that names it; for defects of unit mm the amount itself
    span: int  # layers
    sign: int = 1  # of the amount


class Defect(ABC):
    """A kind of Type 2 anomaly. Settings are dataclass fields."""

    summary: ClassVar[str]
    source: ClassVar[str]
    unit: ClassVar[Literal["K", "mm"]] = "K"  # of the amount; K-defects are linear in it
    needs_part: ClassVar[bool] = True  # it lies on or beside a part, so something must be printed on its first layer

    @abstractmethod
    def place(self, rng: np.random.Generator, site: Site) -> Placement:
        """Draw geometry, place, sign and duration."""


def draw_sign(rng: np.random.Generator) -> int:
    """1 or -1."""
    return int(rng.integers(2)) * 2 - 1
