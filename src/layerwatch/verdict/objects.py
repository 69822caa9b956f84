"""Regions of single layers, in the order of the layers -> defects through layers, in mm and with their growth."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8
from scipy import ndimage

from layerwatch.records import Region

Box = tuple[int, int, int, int]  # px: first row, first column, last row + 1, last column + 1


@dataclass(frozen=True)
class Sighting:
    """One region on one layer, with what only its surroundings know."""

    region: Region
    edge_mm: float = float("nan")  # from the region's centre to the nearest outline of the plan; nan: not known
    z: float = float("nan")  # mm, height of the layer


@dataclass(frozen=True)
class DefectObject:
    """One defect through all the layers that it was seen on so far."""

    number: int  # in the job, from 1
    part: int  # part instance that holds most of it, 0: on the bed
    first_layer: int
    last_layer: int
    layers: int  # that it was seen on
    x: float  # mm, mean weighted by area
    y: float  # mm, the same
    height: float  # mm, from the first layer to the last, both with their thickness
    area: float  # mm2, on the layer where it is largest
    extent: float  # mm, longest side of the box round it, on the layer where it is longest
    volume: float  # mm3
    growth: float  # mm2 per layer: least squares over the layers that it was seen on, 0 for one layer
    amplitude: float  # the strongest, signed; the detector's unit: K where the camera's span is known
    edge: float  # mm, the smallest distance of a region's centre to the plan's outline; nan: not known
    box: Box  # px, round all of it


class Tracker:
    """Takes the layers of one job in order and says which regions are one defect.

    A region belongs to an object that was seen within the last ``gap`` layers if their boxes come within ``reach_px``
    of each other there; on different part instances the boxes must overlap. What overlaps two objects makes them one,
    under the lower number.
    """

    def __init__(self, mm_per_px: float, layer_height: float, reach_px: int = 2, gap: int = 3) -> None:
        self.mm_per_px, self.layer_height = mm_per_px, layer_height
        self.reach_px, self.gap = reach_px, gap
        self._bodies: dict[int, _Body] = {}
        self._into: dict[int, int] = {}  # numbers that went into another object
        self._recent: list[tuple[int, int, Region]] = []  # layer, object, region
        self._count = 0

    def take(self, layer: int, sightings: Iterable[Sighting]) -> tuple[DefectObject, ...]:
        """The objects that are seen on this layer, by number. Each layer comes once."""
        self._recent = [one for one in self._recent if layer - one[0] <= self.gap]
        seen = [(layer, self._place(layer, one), one.region) for one in sightings]
        self._recent += seen
        return tuple(self._object(number) for number in sorted({self.now(number) for _, number, _ in seen}))

    def now(self, number: int) -> int:
        """The number under which an object goes today; another one if it has become part of a larger object."""
        while number in self._into:
            number = self._into[number]
        return number

    def of(self, numbers: Iterable[int]) -> tuple[DefectObject, ...]:
        """The objects that these numbers belong to today, each once, by number."""
        return tuple(self._object(number) for number in sorted({self.now(number) for number in numbers}))

    @property
    def objects(self) -> tuple[DefectObject, ...]:
        """All of the job, by number."""
        return self.of(self._bodies)

    def _place(self, layer: int, sighting: Sighting) -> int:
        """The number of the object that the sighting is part of from now on."""
        body = _body(layer, sighting, self.mm_per_px)
        near = sorted({self.now(n) for _, n, region in self._recent if self._meet(region, sighting.region)})
        if not near:
            self._count += 1
            near = [self._count]
        for number in near:
            if number in self._bodies:
                body = _joined(self._bodies.pop(number), body, self.mm_per_px)
        self._bodies[near[0]] = body
        self._into.update(dict.fromkeys(near[1:], near[0]))
        return near[0]

    def _meet(self, a: Region, b: Region) -> bool:
        return _overlap(a.box, b.box, self.reach_px if a.part == b.part else 0)

    def _object(self, number: int) -> DefectObject:
        body = self._bodies[number]
        layers = sorted(body.areas)
        mass = sum(body.parts.values())
        return DefectObject(
            number=number,
            part=min(body.parts, key=lambda part: (-body.parts[part], part)),
            first_layer=layers[0],
            last_layer=layers[-1],
            layers=len(layers),
            x=body.moment[0] / mass,
            y=body.moment[1] / mass,
            height=body.top - body.bottom + self.layer_height,
            area=max(body.areas.values()),
            extent=body.extent,
            volume=sum(body.areas.values()) * self.layer_height,
            growth=_slope(layers, [body.areas[layer] for layer in layers]),
            amplitude=body.amplitude,
            edge=body.edge,
            box=body.box,
        )


def edge_distance(
    plan: UInt8[np.ndarray, "h w"] | None, regions: Sequence[Region], mm_per_px: float
) -> tuple[float, ...]:
    """Distance of each region's centre to the nearest outline of the plan, in mm; nan where there is no outline."""
    if plan is None or not regions or (plan > 0).all() or not plan.any():
        return (math.nan,) * len(regions)
    inside, outside = (np.asarray(ndimage.distance_transform_edt(side)) for side in (plan > 0, plan == 0))
    px = (
        inside + outside - 0.5
    )  # to the nearest pixel of the other side; the outline lies half a pixel before its centre
    last_row, last_column = (size - 1 for size in plan.shape)
    cells = [(int(one.y / mm_per_px), int(one.x / mm_per_px)) for one in regions]
    return tuple(float(px[np.clip(r, 0, last_row), np.clip(c, 0, last_column)] * mm_per_px) for r, c in cells)


def sighted(
    regions: Sequence[Region], z: float, mm_per_px: float, plan: UInt8[np.ndarray, "h w"] | None = None
) -> tuple[Sighting, ...]:
    """The regions of one layer, ready for ``Tracker.take``."""
    return tuple(Sighting(*pair, z) for pair in zip(regions, edge_distance(plan, regions, mm_per_px), strict=True))


@dataclass(frozen=True)
class _Body:
    """What is kept of an object; two of them make one again."""

    areas: Mapping[int, float]  # mm2, by layer
    boxes: Mapping[int, Box]  # px, by layer
    parts: Mapping[int, float]  # mm2, by part instance
    moment: tuple[float, float]  # mm3: area times x, area times y
    bottom: float  # mm, z of the lowest layer
    top: float  # mm, z of the highest
    extent: float  # mm
    amplitude: float
    edge: float  # mm
    box: Box


def _body(layer: int, sighting: Sighting, mm_per_px: float) -> _Body:
    one = sighting.region
    area = max(one.area, 1e-12)
    return _Body(
        areas={layer: area},
        boxes={layer: one.box},
        parts={one.part: area},
        moment=(area * one.x, area * one.y),
        bottom=sighting.z,
        top=sighting.z,
        extent=max(one.extent, _side(one.box) * mm_per_px),
        amplitude=one.amplitude,
        edge=sighting.edge_mm,
        box=one.box,
    )


def _joined(a: _Body, b: _Body, mm_per_px: float) -> _Body:
    shared = {layer: _around(a.boxes[layer], b.boxes[layer]) for layer in a.boxes.keys() & b.boxes.keys()}
    return _Body(
        areas=_summed(a.areas, b.areas),
        boxes={**a.boxes, **b.boxes, **shared},
        parts=_summed(a.parts, b.parts),
        moment=(a.moment[0] + b.moment[0], a.moment[1] + b.moment[1]),
        bottom=float(np.fmin(a.bottom, b.bottom)),
        top=float(np.fmax(a.top, b.top)),
        extent=max(a.extent, b.extent, *(_side(box) * mm_per_px for box in shared.values())),
        amplitude=max(a.amplitude, b.amplitude, key=_strength),
        edge=float(np.fmin(a.edge, b.edge)),
        box=_around(a.box, b.box),
    )


def _summed(a: Mapping[int, float], b: Mapping[int, float]) -> dict[int, float]:
    return {**a, **b, **{key: a[key] + b[key] for key in a.keys() & b.keys()}}


def _strength(amplitude: float) -> float:
    return -1.0 if math.isnan(amplitude) else abs(amplitude)


def _around(a: Box, b: Box) -> Box:
    return min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3])


def _side(box: Box) -> int:
    return max(box[2] - box[0], box[3] - box[1])


def _overlap(a: Box, b: Box, reach: int) -> bool:
    rows = a[0] < b[2] + reach and b[0] < a[2] + reach
    return rows and a[1] < b[3] + reach and b[1] < a[3] + reach


def _slope(layers: Sequence[int], areas: Sequence[float]) -> float:
    if len(layers) < 2:
        return 0.0
    off = np.asarray(layers, float) - np.mean(layers)
    return float(off @ np.asarray(areas) / (off @ off))
