"""A part file -> its layers as files, and slice.json with height, area and leaks of every layer."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import layerwatch
from layerwatch import catalogue
from layerwatch.images.writing import check_writable, write_file
from layerwatch.job.machine import Machine
from layerwatch.journeys.files import open_part
from layerwatch.part.formats.base import Format
from layerwatch.part.reading import Part
from layerwatch.part.slicing import slice_mesh
from layerwatch.records import Layer, Progress, UsageError, silent


@dataclass(frozen=True, eq=False)
class Sliced:
    """What was written."""

    part: Part
    layers: tuple[Layer, ...]
    files: tuple[Path, ...]

    @property
    def leaks(self) -> int:
        """Open ends over all layers."""
        return sum(layer.leaks for layer in self.layers)


def slice_to_files(
    path: Path,
    out: Path,
    machine: Machine,
    *,
    layer_height: float | None = None,
    unit: str | None = None,
    form: str = "svg",
    progress: Progress = silent,
) -> Sliced:
    """Slice a part and write its layers with ``slice.json``.

    Args:
        path: the part file.
        out: a folder; files of earlier calls in it are replaced.
        machine: for the job box and the layer height.
        layer_height: mm, instead of the machine's.
        unit: of the file, instead of what it says or what is guessed.
        form: name of a format that can write layers.
        progress: told while slicing.

    Raises:
        UsageError: no such file, unit or format, or ``out`` cannot be written.
        DataError: the part is broken, does not fit the box, or is thinner than one layer.
    """
    writer = _writer(form)
    if layer_height is not None and not 0 < layer_height < 1000:
        raise UsageError(f"layer height {layer_height:g} mm; it must lie between 0 and 1000, such as 0.3")
    check_writable(out)
    part = open_part(path, machine, unit)
    layers = slice_mesh(
        part.mesh, layer_height if layer_height is not None else machine.layer_height, progress=progress
    )
    provenance = {"version": layerwatch.__version__, "sha256": part.sha256, "unit": part.unit}
    data = writer.write_layers(layers, name=part.name, provenance=provenance)
    files = (out / f"{part.name}{writer.suffixes[0]}", out / "slice.json")
    write_file(files[0], data)
    write_file(files[1], (json.dumps(_description(part, layers), indent=1) + "\n").encode())
    return Sliced(part, layers, files)


def _writer(name: str) -> Format:
    """The format of that name, if it can write layers."""
    form: Format = catalogue.load("part.formats", name)()
    if type(form).write_layers is Format.write_layers:
        raise UsageError(f"{name} files cannot hold layers; choose --format svg")
    return form


def _description(part: Part, layers: Sequence[Layer]) -> dict[str, Any]:
    x, y, z = (round(float(side), 6) for side in part.mesh.extent)
    return {
        "part": part.name,
        "sha256": part.sha256,
        "unit": part.unit,
        "size_mm": [x, y, z],
        "repair": list(part.said),
        "layer_height_mm": layers[0].height,
        "layers": [
            {"z": layer.z, "slice_z": layer.slice_z, "area_mm2": round(layer.area, 6), "leaks": layer.leaks}
            for layer in layers
        ],
    }
