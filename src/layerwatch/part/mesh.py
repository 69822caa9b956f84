"""Triangles of a part -> extent, unit and place on the bed, in mm."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float64, Int32

from layerwatch.part.topology import Topology, number_corners
from layerwatch.records import DataError, UsageError

MM = {"mm": 1.0, "inch": 25.4, "m": 1000.0, "cm": 10.0, "micron": 0.001, "foot": 304.8}
_GUESSED = ("mm", "inch", "m")  # the units that real STL files come in, likeliest first
_SMALL = 0.05  # a part below this share of the bed's longest side is doubted


@dataclass(frozen=True, eq=False)
class Mesh:
    """Triangles with outward normals by the right-hand rule."""

    triangles: Float64[np.ndarray, "n 3 3"]  # in ``unit``
    unit: str | None = None  # "mm", "inch", ...; None: the file does not say
    rule: Literal["nonzero", "even-odd"] = "nonzero"  # what counts as inside; even-odd where windings cannot be trusted
    numbers: Int32[np.ndarray, "n 3"] | None = None  # of the corners, the same for the same; None: equal to the bit

    @cached_property
    def corners(self) -> Int32[np.ndarray, "n 3"]:
        """A number for each distinct corner."""
        return number_corners(self.triangles) if self.numbers is None else self.numbers

    @cached_property
    def topology(self) -> Topology:
        """Which triangles share which edges."""
        return Topology.of(self.corners, directed=self.rule == "nonzero")

    @cached_property
    def bounds(self) -> Float64[np.ndarray, "2 3"]:
        """Lowest and highest corner of the bounding box, in ``unit``."""
        columns = self.triangles.reshape(-1, 3).T
        return np.array([[column.min() for column in columns], [column.max() for column in columns]])

    @property
    def extent(self) -> Float64[np.ndarray, " 3"]:
        """Sides of the bounding box, in ``unit``."""
        low, high = self.bounds
        return np.asarray(high - low)

    def moved(self, triangles: Float64[np.ndarray, "n 3 3"], unit: str | None) -> Mesh:
        """The same corners at other places; what is known of how they hang together goes along."""
        mesh = replace(self, triangles=triangles, unit=unit, numbers=self.corners)
        if "topology" in self.__dict__:
            mesh.__dict__["topology"] = self.topology
        return mesh

    def kept(self, keep: Bool[np.ndarray, " n"]) -> Mesh:
        """Only these triangles."""
        return replace(self, triangles=self.triangles[keep], numbers=self.corners[keep])

    def turned(self, turn: Bool[np.ndarray, " n"]) -> Mesh:
        """These triangles the other way round."""
        triangles, numbers = self.triangles.copy(), self.corners.copy()
        triangles[turn], numbers[turn] = triangles[turn, ::-1], numbers[turn, ::-1]
        return replace(self, triangles=triangles, numbers=numbers)


@dataclass(frozen=True)
class UnitGuess:
    """The unit a mesh is taken to be in, and the sentence that tells the user."""

    unit: str
    said: str


def guess_unit(mesh: Mesh, bed: tuple[float, float, float]) -> UnitGuess:
    """What unit is this mesh in? The file's own; else the first of mm, inch, m that fits the job box and is not tiny.

    Args:
        mesh: the part in its file's unit.
        bed: x, y, z of the job box in mm.

    Raises:
        DataError: no unit makes the part fit the box.
    """
    if mesh.unit is not None:
        return UnitGuess(mesh.unit, f"unit {mesh.unit}, as the file says")
    sizes = {unit: mesh.extent * MM[unit] for unit in _GUESSED}
    fitting = [unit for unit in _GUESSED if _fits(sizes[unit], bed)]
    if not fitting:
        x, y, z = mesh.extent
        raise DataError(
            f"the part is {x:.4g} x {y:.4g} x {z:.4g} in its file's unit and fits the job box of "
            f"{bed[0]:g} x {bed[1]:g} x {bed[2]:g} mm in none of mm, inch, m; give --unit, or a larger machine"
        )
    sound = [unit for unit in fitting if sizes[unit].max() >= _SMALL * max(bed)]
    unit = (sound or fitting)[0]
    x, y, z = sizes[unit]
    return UnitGuess(unit, f"unit guessed: {unit}, so the part is {x:.1f} x {y:.1f} x {z:.1f} mm (--unit overrides)")


def _fits(size: Float64[np.ndarray, " 3"], bed: tuple[float, float, float]) -> bool:
    """Inside the box, turned by a quarter about z if need be."""
    return bool(size[2] <= bed[2] and max(size[:2]) <= max(bed[:2]) and min(size[:2]) <= min(bed[:2]))


def to_mm(mesh: Mesh, unit: str) -> Mesh:
    """The same mesh in mm.

    Raises:
        UsageError: the unit is none of ``MM``.
    """
    if unit not in MM:
        raise UsageError(f"no unit {unit!r}; there are: {', '.join(MM)}")
    return mesh.moved(mesh.triangles if MM[unit] == 1 else mesh.triangles * MM[unit], "mm")


def stand_on_bed(mesh: Mesh) -> Mesh:
    """Moved so that the bounding box starts at x = y = z = 0."""
    triangles = np.empty_like(mesh.triangles)
    for axis, low in enumerate(mesh.bounds[0]):
        np.subtract(mesh.triangles[:, :, axis], low, out=triangles[:, :, axis])
    return mesh.moved(triangles, mesh.unit)
