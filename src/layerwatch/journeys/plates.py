"""Part and layout files -> parts in layers, and what is printed together on the bed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from jaxtyping import Float64, Int64

from layerwatch.job.jobfile import PlacedFile, read_layout
from layerwatch.job.layout import Instance, check_apart, check_on_bed, check_seen, extent_of, fill_bed, turned
from layerwatch.job.machine import Machine
from layerwatch.journeys.files import naming, open_layers, open_part, read_text
from layerwatch.part.layered import Layered, respaced
from layerwatch.part.mesh import Mesh
from layerwatch.part.reading import Part
from layerwatch.part.slicing import layer_count, slices_of
from layerwatch.records import DataError, Layer, Progress, UsageError, silent

Say = Callable[[str], None]
_MOST_TIMES = 20  # the part's own layers; thinner ones are no longer believable
_ENOUGH = 2  # pixels that a copy fills on a layer, so that a defect may begin there


def unheard(line: str) -> None:
    """The Say that nobody listens to."""


@dataclass(frozen=True, eq=False)
class SlicedPart:
    """A part with all its layers."""

    name: str
    layers: tuple[Layer, ...]
    said: tuple[str, ...]
    sha256: str


@dataclass(frozen=True, eq=False)
class Plate:
    """What is printed together in a job."""

    name: str
    instances: tuple[Instance, ...]

    @property
    def layers(self) -> int:
        """Of the tallest copy."""
        return max(len(instance.layers) for instance in self.instances)

    @cached_property
    def areas(self) -> Float64[np.ndarray, " k"]:
        """What is printed on each layer of a copy, the largest, in mm2; 0 in a gap between stacked bodies."""
        areas = np.zeros(self.layers)
        for layers in {id(instance.layers): instance.layers for instance in self.instances}.values():
            areas[: len(layers)] = np.maximum(areas[: len(layers)], [layer.area for layer in layers])
        return areas


def well_printed(areas: Float64[np.ndarray, " k"], machine: Machine) -> Int64[np.ndarray, " m"]:
    """Numbers of the layers on which a copy fills some pixels, so that a defect may begin there; all if none does."""
    fit = np.flatnonzero(areas >= _ENOUGH * machine.mm_per_px**2)
    return fit if len(fit) else np.arange(len(areas))


def slice_part(
    path: Path,
    machine: Machine,
    *,
    unit: str | None = None,
    scale: float = 1.0,
    at_least: int = 1,
    progress: Progress = silent,
    say: Say = unheard,
) -> SlicedPart:
    """All layers of a part file at the machine's layer height; equally spaced thinner ones where those are too few.

    What a user should know is said as soon as it is known, units and layer heights before the part is sliced.

    Raises:
        UsageError: no such file, an unknown unit, or a unit for layers.
        DataError: the part is broken, does not fit the job box, no layer of it has a closed contour, or more than 20
            times its own layers are wanted.
    """
    layered = open_layers(path, machine)
    if layered is not None:
        if unit is not None:
            raise UsageError(f"{path}: layers are in mm; leave --unit away (a --layout has one for each part)")
        part = _layered(layered, path.name, scale, at_least)
        _say_all(say, part.name, part.said)
        return part
    return _sliced(open_part(path, machine, unit), path.name, machine, scale, at_least, progress, say)


def _sliced(
    part: Part, file: str, machine: Machine, scale: float, at_least: int, progress: Progress, say: Say
) -> SlicedPart:
    """A part that comes as a mesh."""
    mesh = replace(part.mesh, triangles=part.mesh.triangles * scale)

    def told(step: str, done: int, total: int, note: str = "") -> None:
        progress(f"{step} {part.name[:20]}", done, total, note)

    with naming(file):
        height, said = _layer_height(mesh, machine, at_least)
        _say_all(say, part.name, (*part.said, *said))
        slices = slices_of(mesh, height, progress=told)
    if not any(layer.islands for layer in slices.layers):
        leaks = sum(layer.leaks for layer in slices.layers)
        raise DataError(
            f"{file}: no layer has a closed contour ({leaks} open ends in {len(slices.layers)} layers), so "
            "nothing can be printed; the mesh is no solid: repair it, or export the part again"
        )
    _say_all(say, part.name, slices.said)
    return SlicedPart(part.name, slices.layers, (*part.said, *said, *slices.said), part.sha256)


def _say_all(say: Say, name: str, lines: Iterable[str]) -> None:
    for line in lines:
        say(f"{name}: {line}")


def _layered(layered: Layered, name: str, scale: float, at_least: int) -> SlicedPart:
    """A part that comes as layers; these cannot be scaled, but repeated where too few."""
    if scale != 1:
        raise DataError(f"{name}: layers cannot be scaled by {scale:g}; give the mesh of the part")
    if len(layered.layers) >= at_least:
        return SlicedPart(layered.name, layered.layers, layered.said, layered.sha256)
    with naming(name):
        _check_times(len(layered.layers), at_least)
    layers = respaced(layered.layers, at_least)
    said = f"fewer than {at_least} layers, so {at_least} equally spaced ones of {layers[0].height:.4g} mm are taken"
    return SlicedPart(layered.name, layers, (*layered.said, f"{said}, each as the file has it there"), layered.sha256)


def _layer_height(mesh: Mesh, machine: Machine, at_least: int) -> tuple[float, tuple[str, ...]]:
    """The machine's layer height, or what gives so many layers, and what must be said of it."""
    top, height = float(mesh.bounds[1, 2]), machine.layer_height
    count = layer_count(mesh, height)
    if count >= at_least:
        return height, ()
    _check_times(count, at_least)
    thinner = top / at_least
    return thinner, (
        f"the part is {top:.4g} mm high, {count} layers of {height:g} mm; cut into "
        f"{at_least} equally spaced ones of {thinner:.4g} mm instead",
    )


def _check_times(have: int, wanted: int) -> None:
    """Refuse layers so thin that cutting them would take long for nothing."""
    if wanted > _MOST_TIMES * have:
        raise DataError(
            f"{wanted:,} layers wanted of a part that has {have:,}; thinner ones are cut up to {_MOST_TIMES} times as "
            f"many: lower --layers to {_MOST_TIMES * have:,}, or give a --machine of a smaller process.layer_height"
        )


def fill_beds(parts: Sequence[SlicedPart], machine: Machine) -> list[Plate]:
    """A plate for each part, filled with copies of it.

    Raises:
        DataError: a part does not fit, or is too thin for the camera to see.
    """
    plates = [Plate(part.name, fill_bed(part.layers, machine)) for part in parts]
    for plate in plates:
        with naming(plate.name):
            check_seen(plate.instances, machine)
    return plates


def read_plate(
    path: Path,
    machine: Machine,
    *,
    at_least: int = 1,
    unit: str | None = None,
    progress: Progress = silent,
    say: Say = unheard,
) -> tuple[Plate, list[SlicedPart]]:
    """The plate of a job layout in TOML, and its parts, each sliced once a scale.

    Where the tallest has too few layers, all are cut thinner alike.

    Raises:
        UsageError: no such file, or an unknown unit.
        DataError: the layout or a part is broken, a copy lies outside the bed, or two overlap.
    """
    copies = read_layout(read_text(path), path.name)
    keys = [(copy.file, copy.unit or unit, copy.scale) for copy in copies]
    heard: dict[str, None] = {}

    def say_once(line: str) -> None:
        if line not in heard:
            say(line)
        heard[line] = None

    def cut(key: tuple[str, str | None, float], at_least: int) -> SlicedPart:
        file, own, scale = path.parent / key[0], key[1], key[2]
        return slice_part(file, machine, unit=own, scale=scale, at_least=at_least, progress=progress, say=say_once)

    sliced = {key: cut(key, 1) for key in dict.fromkeys(keys)}
    tallest = max(len(part.layers) for part in sliced.values())
    if tallest < at_least:
        sliced = {key: cut(key, -(-len(part.layers) * at_least // tallest)) for key, part in sliced.items()}
    plate = Plate(path.stem, tuple(_placed(copy, sliced[key].layers) for copy, key in zip(copies, keys, strict=True)))
    check_on_bed(plate.instances, machine)
    check_apart(plate.instances, machine)
    check_seen(plate.instances, machine)
    return plate, list(sliced.values())


def _placed(copy: PlacedFile, layers: tuple[Layer, ...]) -> Instance:
    """A copy turned, with its lowest corner at its place."""
    layers = turned(layers, copy.turn)
    x, y = extent_of(layers)[0].tolist()
    return Instance(layers, copy.x - x, copy.y - y)
