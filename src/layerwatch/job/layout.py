"""Copies of parts on the bed -> what is printed on each layer, as coverage masks and plans of part instances."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float32, Float64, UInt8

from layerwatch.job.machine import Machine
from layerwatch.part.raster import coverages
from layerwatch.records import DataError, Layer


@dataclass(frozen=True, eq=False)
class Instance:
    """One copy of a part in the job layout."""

    layers: Sequence[Layer]  # all layers of the part, lowest first
    x: float  # mm, where the part's x = 0 lies on the bed
    y: float  # mm

    @cached_property
    def bounds(self) -> Float64[np.ndarray, "2 2"]:
        """Lowest and highest corner on the bed, in mm."""
        rings = [island.outer for layer in self.layers for island in layer.islands]
        box = np.stack([np.min([r.min(0) for r in rings], 0), np.max([r.max(0) for r in rings], 0)])
        return np.asarray(box + (self.x, self.y))  # noqa: RUF005 # an array plus a pair, not two tuples


@dataclass(frozen=True, eq=False)
class Layout:
    """A job's layers in pixels."""

    printed: Float32[np.ndarray, "k h w"]  # share of each pixel that is printed
    plans: UInt8[np.ndarray, "k h w"]  # part instance, 0 is bed
    coverage: UInt8[np.ndarray, "k h w"]  # 255 times the share of each pixel inside the nominal outline


def layers_to_print(instances: Sequence[Instance], first: int, last: int) -> list[list[Layer]]:
    """The layers ``first`` (or 0) to ``last`` of each instance; short parts end earlier, the tallest comes first.

    Raises:
        DataError: no part is that tall.
    """
    tallest = max(len(instance.layers) for instance in instances)
    if last >= tallest:
        raise DataError(f"layer {last} asked for, the part has {tallest} layers; ask for fewer --layers")
    return [list(instance.layers[max(first, 0) : last + 1]) for instance in instances]


def lay_out(
    instances: Sequence[Instance],
    printed: Sequence[Sequence[Layer]],
    machine: Machine,
    place: tuple[float, float],
    wander: Float64[np.ndarray, "k 2"],
) -> Layout:
    """What is printed on every layer, and what was planned.

    Args:
        instances: the job layout.
        printed: the layers to print of each instance.
        machine: bed and pixels.
        place: mm, by which the whole layout is moved, cut so that it stays on the bed.
        wander: mm, by which the print of each layer misses its plan.

    Raises:
        DataError: the layout is larger than the bed.
    """
    size = (len(printed[0]), machine.height, machine.width)
    masks, nominals, plans = np.zeros(size, np.float32), np.zeros(size, np.float32), np.zeros(size, np.uint8)
    moved = _kept_on_bed(instances, machine, place)
    for number, (instance, layers) in enumerate(zip(instances, printed, strict=True), 1):
        k, at = len(layers), np.array([instance.x, instance.y]) + moved
        masks[:k] += coverages(layers, machine.width, machine.height, machine.mm_per_px, at + wander[:k])
        nominal = coverages(layers, machine.width, machine.height, machine.mm_per_px, np.broadcast_to(at, (k, 2)))
        nominals[:k] += nominal
        plans[:k][nominal >= 0.5] = number
    planned = np.asarray(np.rint(255 * np.clip(nominals, 0, 1)), np.uint8)
    return Layout(np.clip(masks, 0, 1), plans, planned)


def _kept_on_bed(
    instances: Sequence[Instance], machine: Machine, place: tuple[float, float]
) -> Float64[np.ndarray, " 2"]:
    boxes = np.stack([instance.bounds for instance in instances])
    least, most = -boxes[:, 0].min(0), np.array(machine.bed[:2]) - boxes[:, 1].max(0)
    if (least > most).any():
        raise DataError("the job layout is larger than the bed; place the parts closer together, or print fewer")
    return np.clip(place, least, most)


def fill_bed(layers: Sequence[Layer], machine: Machine, gap: float = 20.0, spare: float = 25.0) -> tuple[Instance, ...]:
    """As many copies of a part as the bed takes in rows and columns, in the middle of the bed.

    Args:
        layers: all layers of the part.
        machine: the bed.
        gap: mm between copies.
        spare: mm left free on every side where there is room, so that the layout can be moved.

    Raises:
        DataError: the part is larger than the bed.
    """
    low, high = Instance(layers, 0.0, 0.0).bounds
    size, bed = high - low, np.array(machine.bed[:2])
    if (size > bed).any():
        raise DataError(
            f"a part of {size[0]:.4g} x {size[1]:.4g} mm does not fit the bed of {bed[0]:g} x {bed[1]:g} mm; "
            "give --unit, or a larger machine"
        )
    columns, rows = (max(int(n), 1) for n in (bed - 2 * spare + gap) // (size + gap))
    taken = np.array([columns, rows]) * (size + gap) - gap
    start = (bed - taken) / 2 - low
    steps = [np.array([c, r]) * (size + gap) for r in range(rows) for c in range(columns)]
    return tuple(Instance(layers, float(x), float(y)) for x, y in (start + step for step in steps))
