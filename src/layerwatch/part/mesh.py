"""Triangles of a part -> extent, unit and place on the bed, in mm."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from layerwatch.records import DataError, UsageError

MM = {"mm": 1.0, "inch": 25.4, "m": 1000.0, "cm": 10.0, "micron": 0.001, "foot": 304.8}
_GUESSED = ("mm", "inch", "m")  # the units that real STL files come in, likeliest first
_SMALL = 0.05  # a part below this share of the bed's longest side is doubted


@dataclass(frozen=True, eq=False)
class Mesh:
    """A triangle soup; shared corners are equal to the bit."""

    triangles: Float64[np.ndarray, "n 3 3"]  # in ``unit``
    unit: str | None = None  # "mm", "inch", ...; None: the file does not say

    @property
    def bounds(self) -> Float64[np.ndarray, "2 3"]:
        """Lowest and highest corner of the bounding box, in ``unit``."""
        corners = self.triangles.reshape(-1, 3)
        return np.stack([corners.min(0), corners.max(0)])

    @property
    def extent(self) -> Float64[np.ndarray, " 3"]:
        """Sides of the bounding box, in ``unit``."""
        low, high = self.bounds
        return np.asarray(high - low)


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
    return Mesh(mesh.triangles * MM[unit], "mm")


def stand_on_bed(mesh: Mesh) -> Mesh:
    """Moved so that the bounding box starts at x = y = z = 0."""
    return Mesh(mesh.triangles - mesh.bounds[0], mesh.unit)
