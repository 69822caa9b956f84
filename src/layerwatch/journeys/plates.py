"""Part and layout files -> parts in layers, and what is printed together on the bed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from layerwatch.job.jobfile import read_layout
from layerwatch.job.layout import Instance, check_on_bed, extent_of, fill_bed, turned
from layerwatch.job.machine import Machine
from layerwatch.journeys.files import naming, open_layers, open_part, read_text
from layerwatch.part.layered import Layered, respaced
from layerwatch.part.mesh import Mesh
from layerwatch.part.slicing import layer_count, slices_of
from layerwatch.records import DataError, Layer, Progress, silent


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


def slice_part(
    path: Path,
    machine: Machine,
    *,
    unit: str | None = None,
    scale: float = 1.0,
    at_least: int = 1,
    progress: Progress = silent,
) -> SlicedPart:
    """All layers of a part file at the machine's layer height; equally spaced thinner ones where those are too few.

    Raises:
        UsageError: no such file, or an unknown unit.
        DataError: the part is broken, does not fit the job box, or no layer of it has a closed contour.
    """
    layered = open_layers(path, machine)
    if layered is not None:
        return _layered(layered, path.name, scale, at_least)
    part = open_part(path, machine, unit)
    mesh = replace(part.mesh, triangles=part.mesh.triangles * scale)

    def told(step: str, done: int, total: int, note: str = "") -> None:
        progress(f"{step} {part.name[:20]}", done, total, note)

    with naming(path.name):
        height, said = _layer_height(mesh, machine, at_least)
        slices = slices_of(mesh, height, progress=told)
    if not any(layer.islands for layer in slices.layers):
        leaks = sum(layer.leaks for layer in slices.layers)
        raise DataError(
            f"{path.name}: no layer has a closed contour ({leaks} open ends in {len(slices.layers)} layers), so "
            "nothing can be printed; the mesh is no solid: repair it, or export the part again"
        )
    return SlicedPart(part.name, slices.layers, (*part.said, *said, *slices.said), part.sha256)


def _layered(layered: Layered, name: str, scale: float, at_least: int) -> SlicedPart:
    """A part that comes as layers; these cannot be scaled, but repeated where too few."""
    if scale != 1:
        raise DataError(f"{name}: layers cannot be scaled by {scale:g}; give the mesh of the part")
    if len(layered.layers) >= at_least:
        return SlicedPart(layered.name, layered.layers, layered.said, layered.sha256)
    layers = respaced(layered.layers, at_least)
    said = f"fewer than {at_least} layers, so {at_least} equally spaced ones of {layers[0].height:.4g} mm are taken"
    return SlicedPart(layered.name, layers, (*layered.said, f"{said}, each as the file has it there"), layered.sha256)


def _layer_height(mesh: Mesh, machine: Machine, at_least: int) -> tuple[float, tuple[str, ...]]:
    """The machine's layer height, or what gives so many layers, and what must be said of it."""
    top, height = float(mesh.bounds[1, 2]), machine.layer_height
    count = layer_count(mesh, height)
    if count >= at_least:
        return height, ()
    thinner = top / at_least
    return thinner, (
        f"the part is {top:.4g} mm high, {count} layers of {height:g} mm; cut into "
        f"{at_least} equally spaced ones of {thinner:.4g} mm instead",
    )


def fill_beds(parts: Sequence[SlicedPart], machine: Machine) -> list[Plate]:
    """A plate for each part, filled with copies of it."""
    return [Plate(part.name, fill_bed(part.layers, machine)) for part in parts]


def read_plate(
    path: Path, machine: Machine, *, at_least: int = 1, unit: str | None = None, progress: Progress = silent
) -> tuple[Plate, list[SlicedPart]]:
    """The plate of a job layout in TOML, and its parts, each sliced once a scale.

    Raises:
        UsageError: no such file, or an unknown unit.
        DataError: the layout or a part is broken, or a copy lies outside the bed.
    """
    copies = read_layout(read_text(path), path.name)
    sliced: dict[tuple[str, str | None, float], SlicedPart] = {}
    instances = []
    for copy in copies:
        key = (copy.file, copy.unit or unit, copy.scale)
        if key not in sliced:
            file = path.parent / copy.file
            sliced[key] = slice_part(file, machine, unit=key[1], scale=copy.scale, at_least=at_least, progress=progress)
        layers = turned(sliced[key].layers, copy.turn)
        x, y = extent_of(layers)[0].tolist()
        instances.append(Instance(layers, copy.x - x, copy.y - y))
    plate = Plate(path.stem, tuple(instances))
    check_on_bed(plate.instances, machine)
    return plate, list(sliced.values())
