"""Copies of parts on the bed -> what is printed on each layer, as coverage masks and plans of part instances."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

import numpy as np
from jaxtyping import Float32, Float64, Int64, UInt8

from layerwatch.job.machine import Machine
from layerwatch.part.raster import coverages
from layerwatch.records import DataError, Island, Layer

_CHUNK = 16  # layers drawn at once
_MOST_COPIES = 255  # a plan has 8 bits
_CLEAR = 0.1  # px, by which copies may overlap unseen
_LOOKED_AT, _WINDOW = 64, 128  # layers of two copies that are compared, and px across what both boxes share


@dataclass(frozen=True, eq=False)
class Instance:
    """One copy of a part in the job layout."""

    layers: tuple[Layer, ...]  # all layers of the part, lowest first
    x: float  # mm, where the part's x = 0 lies on the bed
    y: float  # mm

    @cached_property
    def bounds(self) -> Float64[np.ndarray, "2 2"]:
        """Lowest and highest corner on the bed, in mm."""
        return np.asarray(extent_of(self.layers) + np.array([self.x, self.y]))


@lru_cache(64)
def extent_of(layers: tuple[Layer, ...]) -> Float64[np.ndarray, "2 2"]:
    """Lowest and highest corner of all contours, in mm.

    Raises:
        DataError: no layer has a closed contour.
    """
    rings = [island.outer for layer in layers for island in layer.islands]
    if not rings:
        raise DataError("no layer of the part has a closed contour, so there is nothing to print; repair the mesh")
    return np.stack([np.min([r.min(0) for r in rings], 0), np.max([r.max(0) for r in rings], 0)])


def turned(layers: tuple[Layer, ...], degrees: float) -> tuple[Layer, ...]:
    """The layers turned about z, counter-clockwise, with their lowest corner at x = y = 0 again."""
    if degrees % 360 == 0:
        return layers
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    turn = np.array([[c, s], [-s, c]])  # of row vectors
    rolled = tuple(replace(r, islands=tuple(_moved(i, turn, np.zeros(2)) for i in r.islands)) for r in layers)
    low = -extent_of(rolled)[0]
    return tuple(replace(r, islands=tuple(_moved(i, np.eye(2), low) for i in r.islands)) for r in rolled)


def _moved(island: Island, turn: Float64[np.ndarray, "2 2"], by: Float64[np.ndarray, " 2"]) -> Island:
    return Island(island.outer @ turn + by, tuple(hole @ turn + by for hole in island.holes))


@dataclass(frozen=True, eq=False)
class Row:
    """One layer of a job in pixels of the bed."""

    printed: Float32[np.ndarray, "h w"]  # share of each pixel that is printed
    plan: UInt8[np.ndarray, "h w"]  # part instance, 0 is bed
    coverage: Float32[np.ndarray, "h w"]  # share of each pixel inside the nominal outline


@dataclass(eq=False)
class Layout:
    """A job's layers, drawn some at a time as they are asked for, in order.

    Copies that lie whole pixels apart share one drawing, so ten cores cost little more than one.
    """

    instances: Sequence[Instance]  # as moved for this job
    printed: Sequence[Sequence[Layer]]  # the layers to print of each instance
    machine: Machine
    wander: Float64[np.ndarray, "k 2"]  # mm, by which the print of each layer misses its plan
    _first: int = 0
    _rows: tuple[Row, ...] = ()

    def row(self, k: int) -> Row:
        """The k-th layer."""
        if not self._first <= k < self._first + len(self._rows):
            self._first, self._rows = k, self._draw(k, min(k + _CHUNK, len(self.wander)))
        return self._rows[k - self._first]

    def _draw(self, first: int, last: int) -> tuple[Row, ...]:
        size = (last - first, self.machine.height, self.machine.width)
        masks, nominals, plans = np.zeros(size, np.float32), np.zeros(size, np.float32), np.zeros(size, np.uint8)
        drawings: dict[tuple[int, bytes], _Drawing] = {}
        for number, (instance, layers) in enumerate(zip(self.instances, self.printed, strict=True), 1):
            pixel = self._pixel(instance)
            if not layers[first:last]:
                continue
            key = (id(instance.layers), np.round(pixel - np.floor(pixel), 6).tobytes())
            if key not in drawings:
                wander = self.wander[first : first + len(layers[first:last])]
                drawings[key] = _Drawing.of(layers[first:last], instance, pixel, self.machine, wander)
            drawings[key].add(np.floor(pixel).astype(int), number, masks, nominals, plans)
        rows = zip(np.clip(masks, 0, 1), plans, np.clip(nominals, 0, 1), strict=True)
        return tuple(Row(m, p, n) for m, p, n in rows)

    def _pixel(self, instance: Instance) -> Float64[np.ndarray, " 2"]:
        """Place of the copy's lowest corner in pixels, held to a millionth so that equal fractions are equal."""
        return np.asarray(np.round(instance.bounds[0] / self.machine.mm_per_px, 6))


@dataclass(frozen=True, eq=False)
class _Drawing:
    """Some layers of one part in a window of pixels around it."""

    printed: Float32[np.ndarray, "k a b"]
    nominal: Float32[np.ndarray, "k a b"]
    margin: int  # px, from the window's corner to the pixel of the part's lowest corner

    @classmethod
    def of(
        cls,
        layers: Sequence[Layer],
        instance: Instance,
        pixel: Float64[np.ndarray, " 2"],
        machine: Machine,
        wander: Float64[np.ndarray, "k 2"],
    ) -> _Drawing:
        """Drawn twice, as printed and as planned; the window has room for what the print misses."""
        mm = machine.mm_per_px
        margin = int(np.ceil(np.abs(wander).max(initial=0) / mm)) + 1
        size = np.ceil(np.ptp(instance.bounds, axis=0) / mm).astype(int) + 2 * margin + 1
        low = np.array([instance.x, instance.y]) - instance.bounds[0]
        at = low + (pixel - np.floor(pixel) + margin) * mm
        offsets = np.concatenate([at + wander, np.broadcast_to(at, wander.shape)])
        drawn = coverages([*layers, *layers], int(size[0]), int(size[1]), mm, offsets)
        return cls(drawn[: len(layers)], drawn[len(layers) :], margin)

    def add(
        self,
        corner: Int64[np.ndarray, " 2"],
        number: int,
        masks: Float32[np.ndarray, "n h w"],
        nominals: Float32[np.ndarray, "n h w"],
        plans: UInt8[np.ndarray, "n h w"],
    ) -> None:
        """Lay it down with its lowest corner in a pixel (column, row); what leaves the frame is cut off."""
        k, a, b = self.nominal.shape
        (column, row), (height, width) = corner - self.margin, plans.shape[1:]
        top, left, bottom, right = max(row, 0), max(column, 0), min(row + a, height), min(column + b, width)
        to = np.s_[:k, top:bottom, left:right]
        own = np.s_[:, top - row : bottom - row, left - column : right - column]
        masks[to] += self.printed[own]
        nominals[to] += self.nominal[own]
        plans[to][self.nominal[own] >= 0.5] = number


def layers_to_print(instances: Sequence[Instance], first: int, last: int) -> list[Sequence[Layer]]:
    """The layers ``first`` (or 0) to ``last`` of each instance; short parts end earlier.

    Raises:
        DataError: no part is that tall.
    """
    tallest = max(len(instance.layers) for instance in instances)
    if last >= tallest:
        raise DataError(f"layer {last} asked for, the part has {tallest} layers; ask for fewer --layers")
    return [instance.layers[max(first, 0) : last + 1] for instance in instances]


def moved_on_bed(instances: Sequence[Instance], machine: Machine, place: tuple[float, float]) -> tuple[Instance, ...]:
    """The whole layout moved by ``place`` mm, cut so that it stays on the sand.

    Raises:
        DataError: the layout is larger than the bed.
    """
    boxes = np.stack([instance.bounds for instance in instances])
    least, most = machine.rim - boxes[:, 0].min(0), np.array(machine.bed[:2]) - machine.rim - boxes[:, 1].max(0)
    if (least > most + 1e-9).any():
        raise DataError("the job layout is larger than the bed; place the parts closer together, or print fewer")
    x, y = np.clip(place, least, np.maximum(least, most)).tolist()
    return tuple(replace(instance, x=instance.x + x, y=instance.y + y) for instance in instances)


def check_on_bed(instances: Sequence[Instance], machine: Machine) -> None:
    """Refuse a layout that leaves the sand, or has more copies than a plan can number.

    Raises:
        DataError: it does; the copy is named by its number.
    """
    if len(instances) > _MOST_COPIES:
        raise DataError(f"{len(instances)} copies in one job; at most {_MOST_COPIES} can be told apart")
    rim, bed = machine.rim, np.array(machine.bed[:2])
    for number, instance in enumerate(instances, 1):
        low, high = instance.bounds
        if (low < rim - 1e-6).any() or (high > bed - rim + 1e-6).any():
            raise DataError(
                f"copy {number} reaches from ({low[0]:.1f}, {low[1]:.1f}) to ({high[0]:.1f}, {high[1]:.1f}) mm and "
                f"leaves the sand, which is {rim:g} to ({bed[0] - rim:g}, {bed[1] - rim:g}) mm; move, turn or scale it"
            )


def check_seen(instances: Sequence[Instance], machine: Machine) -> None:
    """Refuse a layout that leaves nothing in the plans, wherever a job moves it: thinner than a pixel on every layer.

    Raises:
        DataError: it does.
    """
    parts = {id(instance.layers): instance for instance in instances}.values()
    if any(all(_is_seen(part, machine, share) for share in (0.0, 0.5)) for part in parts):
        return  # a wall of one pixel fills half of one in the worse of both places
    raise DataError(
        f"nothing printed fills a pixel of the camera ({machine.mm_per_px:g} mm), so no plan would show it; "
        "print larger parts, look at the --unit, or give a --machine with a finer camera"
    )


def _is_seen(instance: Instance, machine: Machine, share: float) -> bool:
    """Whether a copy moved by a share of a pixel shows in the plan of its largest layer."""
    largest = max(instance.layers, key=lambda layer: layer.area)
    by = share * machine.mm_per_px
    moved = replace(instance, x=instance.x + by, y=instance.y + by)
    return bool(Layout([moved], [[largest]], machine, np.zeros((1, 2))).row(0).plan.any())


def check_apart(instances: Sequence[Instance], machine: Machine) -> None:
    """Refuse copies that are printed into one another; boxes may overlap where the outlines do not.

    Raises:
        DataError: two overlap; they are named by their numbers.
    """
    boxes = np.stack([instance.bounds for instance in instances])
    low, high = np.maximum(boxes[:, None, 0], boxes[None, :, 0]), np.minimum(boxes[:, None, 1], boxes[None, :, 1])
    for first, second in np.argwhere(np.triu((high - low > _CLEAR * machine.mm_per_px).all(2), 1)).tolist():
        window = np.stack([low[first, second], high[first, second]])
        z = _meets((instances[first], instances[second]), window, machine.mm_per_px)
        if z is not None:
            raise DataError(
                f"copies {first + 1} and {second + 1} overlap, at z = {z:g} mm and x, y within ({window[0, 0]:.1f}, "
                f"{window[0, 1]:.1f}) to ({window[1, 0]:.1f}, {window[1, 1]:.1f}) mm; move one of them"
            )


def _meets(pair: tuple[Instance, Instance], window: Float64[np.ndarray, "2 2"], mm_per_px: float) -> float | None:
    """Height of a layer where two copies share more of a window than rounding would; None where there is none."""
    count = min(len(instance.layers) for instance in pair)
    shown = np.unique(np.linspace(0, count - 1, min(count, _LOOKED_AT)).round().astype(int)).tolist()
    side = max(mm_per_px / 4, float(np.ptp(window, axis=0).max()) / _WINDOW)
    width, height = (int(n) for n in np.ceil(np.ptp(window, axis=0) / side))
    drawn = [
        coverages([own.layers[k] for k in shown], width, height, side, (own.x - window[0, 0], own.y - window[0, 1]))
        for own in pair
    ]
    shared = np.clip(drawn[0] + drawn[1] - 1, 0, None).sum((1, 2)) * side**2
    found = np.flatnonzero(shared > (_CLEAR * mm_per_px) ** 2)
    return float(pair[0].layers[shown[int(found[0])]].z) if len(found) else None


def fill_bed(
    layers: tuple[Layer, ...], machine: Machine, gap: float = 20.0, spare: float = 25.0
) -> tuple[Instance, ...]:
    """As many copies of a part as the bed takes in rows and columns, in the middle of the bed, whole pixels apart.

    Args:
        layers: all layers of the part.
        machine: the bed.
        gap: mm between copies, at least.
        spare: mm left free on every side where there is room, so that the layout can be moved.

    Raises:
        DataError: the part is larger than the bed.
    """
    low, high = extent_of(layers)
    size, bed, mm = high - low, np.array(machine.bed[:2]) - 2 * machine.rim, machine.mm_per_px
    if (size > bed).any():
        raise DataError(
            f"a part of {size[0]:.4g} x {size[1]:.4g} mm does not fit the bed of {bed[0]:g} x {bed[1]:g} mm; "
            "give --unit, or a larger machine"
        )
    step = np.ceil((size + gap) / mm - 1e-9) * mm
    columns, rows = (max(int(n), 1) for n in (bed - 2 * spare - size) // step + 1)
    while columns * rows > _MOST_COPIES:
        columns, rows = (columns - 1, rows) if columns > rows else (columns, rows - 1)
    start = np.array(machine.bed[:2]) / 2 - (np.array([columns, rows]) * step - step + size) / 2 - low
    steps = [np.array([c, r]) * step for r in range(rows) for c in range(columns)]
    return tuple(Instance(layers, float(x), float(y)) for x, y in (start + step for step in steps))
