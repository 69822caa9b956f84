"""Slice stacks of 3MF models -> rings at each height, in the model's unit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from xml.etree import ElementTree

import numpy as np
from jaxtyping import Float64

Ring = Float64[np.ndarray, "_ 2"]
_FAR = 1e9  # of the parts of a transform, and of corners
SLICE = "{http://schemas.microsoft.com/3dmanufacturing/slice/2015/07}"


@dataclass(frozen=True, eq=False)
class Stack:
    """Slices from the lowest to the highest."""

    bottom: float
    tops: tuple[float, ...]  # strictly rising
    rings: tuple[tuple[Ring, ...], ...]  # of each slice

    def moved(self, transform: str | None) -> Stack:
        """Placed by a 4 x 3 matrix, which must leave z upright and unscaled.

        Raises:
            ValueError: it tilts or stretches z.
        """
        if transform is None:
            return self
        m = matrix_of(transform)
        if not np.allclose(m[2], [0, 0, 1]) or not np.allclose(m[:2, 2], 0):
            raise ValueError("a slice stack is tilted or scaled along z, which 3MF forbids")
        turn, shift, flip = m[:2, :2], m[3, :2], np.linalg.det(m[:2, :2]) < 0
        rings = tuple(tuple((r @ turn + shift)[:: -1 if flip else 1] for r in row) for row in self.rings)
        return Stack(self.bottom + m[3, 2], tuple(top + m[3, 2] for top in self.tops), rings)


def matrix_of(transform: str) -> Float64[np.ndarray, "4 3"]:
    """The matrix of a 3MF transform, for row vectors.

    Raises:
        ValueError: not twelve finite numbers of a believable size.
    """
    m = np.array(transform.split(), np.float64).reshape(4, 3)
    if not (np.abs(m) < _FAR).all():
        raise ValueError(f"a transform of {np.abs(m).max():g}")
    return m


def read_stack(stack: ElementTree.Element, other: Callable[[str, str], ElementTree.Element]) -> Stack:
    """The slices of a stack; references are followed one level deep, as the specification says.

    Args:
        stack: a ``slicestack``.
        other: the ``slicestack`` of a path in the package and an id.

    Raises:
        ValueError: slices do not rise, a polygon is broken, or references go deeper.
    """
    bottom = float(stack.get("zbottom", "0"))
    references = stack.findall(f"{SLICE}sliceref")
    pieces = [other(str(r.get("slicepath")), str(r.get("slicestackid"))) for r in references] or [stack]
    slices = [s for piece in pieces for s in piece.findall(f"{SLICE}slice")]
    if any(piece.find(f"{SLICE}sliceref") is not None for piece in pieces if piece is not stack):
        raise ValueError("a referenced slice stack refers to another one, which 3MF forbids")
    if not slices:
        raise ValueError("a slice stack without slices")
    tops = [float(s.attrib["ztop"]) for s in slices]
    if not np.isfinite([bottom, *tops]).all() or (np.diff([bottom, *tops]) <= 0).any():
        raise ValueError("the slices do not rise strictly from zbottom")
    return Stack(bottom, tuple(tops), tuple(_rings(s) for s in slices))


def _rings(one: ElementTree.Element) -> tuple[Ring, ...]:
    """Closed polygons of one slice."""
    path = f"{SLICE}vertices/{SLICE}vertex"
    corners = np.array([[float(v.attrib["x"]), float(v.attrib["y"])] for v in one.iterfind(path)]).reshape(-1, 2)
    if not (np.abs(corners) < _FAR).all():
        raise ValueError("a corner of a slice is NaN, infinite or absurdly far away")
    rings = []
    for polygon in one.iterfind(f"{SLICE}polygon"):
        numbers = [int(polygon.attrib["startv"]), *(int(s.attrib["v2"]) for s in polygon.iterfind(f"{SLICE}segment"))]
        wrong = [number for number in numbers if not 0 <= number < len(corners)]
        if wrong:
            raise ValueError(f"a polygon names corner {wrong[0]} of {len(corners)}")
        if numbers[0] == numbers[-1] and len(numbers) > 3:  # open ones enclose nothing
            rings.append(corners[numbers[:-1]])
    return tuple(rings)
