"""Slice stacks of 3MF models -> layers of all that the build places, in mm."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from xml.etree import ElementTree

import numpy as np
from jaxtyping import Float64

from layerwatch.part.nesting import islands_of
from layerwatch.records import Layer

Ring = Float64[np.ndarray, "_ 2"]
Matrix = Float64[np.ndarray, "4 3"]
SLICE = "{http://schemas.microsoft.com/3dmanufacturing/slice/2015/07}"
_FAR = 1e9  # of the parts of a transform, and of corners
_SAME = 1e-6  # of a layer's height: heights so near one another are the same


@dataclass(frozen=True, eq=False)
class Stack:
    """Slices from the lowest to the highest."""

    bottom: float
    tops: Float64[np.ndarray, " k"]  # strictly rising
    rings: tuple[tuple[Ring, ...], ...]  # of each slice
    open_ones: tuple[int, ...]  # polygons of each slice that do not close

    def moved(self, m: Matrix) -> Stack:
        """Placed by a 4 x 3 matrix, which must leave z upright and unscaled.

        Raises:
            ValueError: it tilts or stretches z.
        """
        if not np.allclose(m[2], [0, 0, 1]) or not np.allclose(m[:2, 2], 0):
            raise ValueError("a slice stack is tilted or scaled along z, which 3MF forbids")
        turn, shift, flip = m[:2, :2], m[3, :2], np.linalg.det(m[:2, :2]) < 0
        rings = tuple(tuple((r @ turn + shift)[:: -1 if flip else 1] for r in row) for row in self.rings)
        return Stack(self.bottom + float(m[3, 2]), self.tops + m[3, 2], rings, self.open_ones)

    @property
    def corners(self) -> int:
        """Of all rings."""
        return sum(len(ring) for row in self.rings for ring in row)


def matrix_of(transform: str | None) -> Matrix:
    """The matrix of a 3MF transform, for row vectors; that of no move for None.

    Raises:
        ValueError: not twelve finite numbers of a believable size.
    """
    if transform is None:
        return np.vstack([np.eye(3), np.zeros(3)])
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
    references, own = stack.findall(f"{SLICE}sliceref"), stack.findall(f"{SLICE}slice")
    if references and own:
        raise ValueError("a slice stack has both slices and references, which 3MF forbids")
    pieces = [other(str(r.get("slicepath")), str(r.get("slicestackid"))) for r in references]
    if any(piece.find(f"{SLICE}sliceref") is not None for piece in pieces):
        raise ValueError("a referenced slice stack refers to another one, which 3MF forbids")
    slices = own + [s for piece in pieces for s in piece.findall(f"{SLICE}slice")]
    if not slices:
        raise ValueError("a slice stack without slices")
    tops = np.array([float(s.attrib["ztop"]) for s in slices])
    if not (np.abs([bottom, *tops]) < _FAR).all() or (np.diff(tops, prepend=bottom) <= 0).any():
        raise ValueError("the slices do not rise strictly from zbottom")
    read = [_rings(s) for s in slices]
    return Stack(bottom, tops, tuple(rings for rings, _ in read), tuple(count for _, count in read))


def _rings(one: ElementTree.Element) -> tuple[tuple[Ring, ...], int]:
    """Closed polygons of one slice, and how many are open, so that they enclose nothing."""
    path = f"{SLICE}vertices/{SLICE}vertex"
    corners = np.array([[float(v.attrib["x"]), float(v.attrib["y"])] for v in one.iterfind(path)]).reshape(-1, 2)
    if not (np.abs(corners) < _FAR).all():
        raise ValueError("a corner of a slice is NaN, infinite or absurdly far away")
    rings, open_ones = [], 0
    for polygon in one.iterfind(f"{SLICE}polygon"):
        numbers = [int(polygon.attrib["startv"]), *(int(s.attrib["v2"]) for s in polygon.iterfind(f"{SLICE}segment"))]
        wrong = [number for number in numbers if not 0 <= number < len(corners)]
        if wrong:
            raise ValueError(f"a polygon names corner {wrong[0]} of {len(corners)}")
        if numbers[0] != numbers[-1]:
            open_ones += 1
        elif len(numbers) > 3:
            rings.append(corners[numbers[:-1]])
    return tuple(rings), open_ones


def layers_of(stacks: Sequence[Stack], mm: float) -> tuple[Layer, ...]:
    """The layers of all stacks, from the lowest bottom on, which becomes 0.

    Args:
        stacks: placed; where several are there at one height, their slices must end at the same heights.
        mm: of the model's unit.

    Raises:
        ValueError: slices of one stack end inside slices of another.
    """
    steps = _common_steps(stacks)
    rows = [np.searchsorted(stack.tops, (steps[:-1] + steps[1:]) / 2) for stack in stacks]  # which slice is there
    layers = []
    for index, (low, top) in enumerate(zip(steps[:-1].tolist(), steps[1:].tolist(), strict=True)):
        there = [
            (stack, int(row[index]))
            for stack, row in zip(stacks, rows, strict=True)
            if stack.bottom < (low + top) / 2 < stack.tops[-1]
        ]
        islands, area = islands_of([ring * mm for stack, row in there for ring in stack.rings[row]])
        low_mm, top_mm = (low - float(steps[0])) * mm, (top - float(steps[0])) * mm
        leaks = sum(stack.open_ones[row] for stack, row in there)
        layers.append(
            Layer(index, round(top_mm, 9), (low_mm + top_mm) / 2, round(top_mm - low_mm, 9), islands, area, leaks)
        )
    return tuple(layers)


def _common_steps(stacks: Sequence[Stack]) -> Float64[np.ndarray, " s"]:
    """Every height at which a slice of any stack begins or ends, rising."""
    own = [np.concatenate([[stack.bottom], stack.tops]) for stack in stacks]
    slack = _SAME * min(float(np.diff(steps).min()) for steps in own)
    every = np.sort(np.concatenate(own))
    every = every[np.diff(every, prepend=-np.inf) > slack]
    for steps in own:
        inside = every[(every > steps[0] + slack) & (every < steps[-1] - slack)]
        if len(inside) != len(steps) - 2:
            raise ValueError("slice stacks of other heights lie side by side; slice them to the same heights")
    return every
