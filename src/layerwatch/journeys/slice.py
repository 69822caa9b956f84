"""A part file -> its layers as files, and slice.json with height, area, contours and leaks of every layer."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

import layerwatch
from layerwatch import catalogue
from layerwatch.images.archive import encode_png
from layerwatch.images.writing import check_writable, new_folder, write_file
from layerwatch.job.machine import Machine
from layerwatch.journeys.files import naming, open_layers, open_part
from layerwatch.part.formats.base import Format
from layerwatch.part.formats.svg import Svg
from layerwatch.part.raster import coverages
from layerwatch.part.slicing import slices_of
from layerwatch.records import DataError, Layer, Progress, UsageError, counted, silent

MASKS = "masks"  # a form of its own: pictures, not contours
_CHUNK_PIXELS = 2**24  # drawn at once
_MOST_PIXELS = 8192  # a side


@dataclass(frozen=True, eq=False)
class Sliced:
    """What was written."""

    name: str
    unit: str
    said: tuple[str, ...]
    sha256: str
    layers: tuple[Layer, ...]
    size: tuple[float, float, float]  # mm
    files: tuple[Path, ...] = ()

    @property
    def leaks(self) -> int:
        """Open ends over all layers."""
        return sum(layer.leaks for layer in self.layers)


@dataclass(frozen=True)
class Writing:
    """How layers are written."""

    form: str = "svg"  # a format that can hold layers, or masks
    per_layer: bool = False  # one SVG a layer
    mm_per_px: float | None = None  # of masks; None: the machine's


def slice_to_files(
    path: Path,
    out: Path,
    machine: Machine,
    writing: Writing = Writing(),
    *,
    layer_height: float | None = None,
    unit: str | None = None,
    progress: Progress = silent,
) -> Sliced:
    """Slice a part and write its layers with ``slice.json``; a layer file is written anew in another form.

    Args:
        path: the part file, or a folder with one SVG a layer.
        out: a folder; files of earlier calls in it are replaced.
        machine: for the job box, the layer height and the pixel.
        writing: form of the layers.
        layer_height: mm, instead of the machine's.
        unit: of the file, instead of what it says or what is guessed.
        progress: told while slicing.

    Raises:
        UsageError: no such file, unit or format, or ``out`` cannot be written.
        DataError: the part is broken, does not fit the box, or is thinner than one layer.
    """
    _check(writing, layer_height)
    check_writable(out)
    target = _target(path, out, writing)
    if path.resolve().is_relative_to(target.resolve()):
        raise UsageError(f"{target} is what is read; give another --out")
    found = read_layers(path, machine, layer_height=layer_height, unit=unit, progress=progress)
    if writing.form == MASKS:
        files, told = _write_masks(found, target, writing.mm_per_px or machine.mm_per_px, progress)
    else:
        files, told = _write_contours(found, target, writing), {}
    write_file(out / "slice.json", (json.dumps({**_description(found), **told}, indent=1) + "\n").encode())
    return replace(found, files=(*files, out / "slice.json"))


def read_layers(
    path: Path,
    machine: Machine,
    *,
    layer_height: float | None = None,
    unit: str | None = None,
    progress: Progress = silent,
) -> Sliced:
    """The layers of a file, cut from its mesh or as it gives them; errors as in ``slice_to_files``."""
    layered = open_layers(path, machine)
    if layered is not None:
        if layer_height is not None or unit is not None:
            raise UsageError(f"{path}: layers have their own heights and are in mm; leave --layer-height, --unit away")
        return Sliced(layered.name, "mm", layered.said, layered.sha256, layered.layers, layered.size)
    part = open_part(path, machine, unit)
    with naming(path.name):
        slices = slices_of(part.mesh, layer_height or machine.layer_height, progress=progress)
    x, y, z = (float(side) for side in part.mesh.extent)
    return Sliced(part.name, part.unit, (*part.said, *slices.said), part.sha256, slices.layers, (x, y, z))


def _check(writing: Writing, layer_height: float | None) -> None:
    if layer_height is not None and not 0 < layer_height < 1000:
        raise UsageError(f"layer height {layer_height:g} mm; it must be above 0 and below 1000, such as 0.3")
    if writing.mm_per_px is not None and not 1e-3 <= writing.mm_per_px <= 1000:
        raise UsageError(f"{writing.mm_per_px:g} mm per pixel; give a size between 0.001 and 1000, such as 0.5")
    if writing.per_layer and writing.form != "svg":
        raise UsageError(f"--per-layer goes with --format svg, not with {writing.form}")
    if writing.form != MASKS:
        _writer(writing.form)
        if writing.mm_per_px is not None:
            raise UsageError(f"--mm-per-px goes with --format masks, not with {writing.form}")


def _writer(name: str) -> Format:
    """The format of that name, if it can write layers."""
    kinds = {kind: catalogue.load("part.formats", kind) for kind in catalogue.names("part.formats")}
    forms = [kind for kind, form in kinds.items() if form.write_layers is not Format.write_layers]
    if name not in forms:
        raise UsageError(f"layers cannot be written as {name}; choose --format {', '.join(forms)} or {MASKS}")
    form: Format = kinds[name]()
    return form


def _target(path: Path, out: Path, writing: Writing) -> Path:
    """The file or folder that will hold the layers."""
    if writing.form == MASKS:
        return out / MASKS
    name = Path(path.name.removesuffix("-layers") if path.is_dir() else path.name).stem
    return out / (f"{name}-layers" if writing.per_layer else name + _writer(writing.form).suffixes[0])


def _write_contours(found: Sliced, target: Path, writing: Writing) -> tuple[Path, ...]:
    provenance = {"version": layerwatch.__version__, "sha256": found.sha256, "unit": found.unit}
    if writing.per_layer:
        with new_folder(target) as folder:
            for layer, data in zip(
                found.layers, Svg().write_each(found.layers, name=found.name, provenance=provenance), strict=True
            ):
                (folder / f"{layer.index:05d}.svg").write_bytes(data)
    else:
        data = _writer(writing.form).write_layers(found.layers, name=found.name, provenance=provenance)
        write_file(target, data)
    return (target,)


def _write_masks(
    found: Sliced, target: Path, mm_per_px: float, progress: Progress
) -> tuple[tuple[Path, ...], dict[str, Any]]:
    """One grey PNG a layer: 255 times the share of each pixel inside."""
    rings = [island.outer for layer in found.layers for island in layer.islands]
    if not rings:
        raise DataError(f"{found.name}: no layer has a closed contour, so there is nothing to draw; repair the mesh")
    low, high = np.min([r.min(0) for r in rings], 0), np.max([r.max(0) for r in rings], 0)
    width, height = (int(n) for n in np.maximum(np.ceil((high - low) / mm_per_px - 1e-9), 1))
    if max(width, height) > _MOST_PIXELS:
        raise UsageError(f"masks of {width} x {height} px; at most {_MOST_PIXELS} a side, so give a larger --mm-per-px")
    with new_folder(target) as folder:
        chunk = max(1, _CHUNK_PIXELS // (width * height))
        for start in range(0, len(found.layers), chunk):
            some = found.layers[start : start + chunk]
            drawn = coverages(some, width, height, mm_per_px, (-float(low[0]), -float(low[1])))
            for layer, mask in zip(some, drawn, strict=True):
                (folder / f"{layer.index:05d}.png").write_bytes(encode_png(np.rint(255 * mask).astype(np.uint8)))
            progress("draw masks", start + len(some), len(found.layers))
    told = {"mm_per_px": mm_per_px, "width": width, "height": height, "origin_mm": [round(float(v), 6) for v in low]}
    return (target,), {"masks": told}


def _description(found: Sliced) -> dict[str, Any]:
    return {
        "part": found.name,
        "sha256": found.sha256,
        "unit": found.unit,
        "size_mm": [round(side, 6) for side in found.size],
        "repair": list(found.said),
        "layer_height_mm": found.layers[0].height,
        "layers": [_row(layer) for layer in found.layers],
    }


def _row(layer: Layer) -> dict[str, float]:
    contours = sum(1 + len(island.holes) for island in layer.islands)
    area = round(layer.area, 6)
    slice_z = round(layer.slice_z, 9)
    return {"z": layer.z, "slice_z": slice_z, "area_mm2": area, "contours": contours, "leaks": layer.leaks}


def layers_said(layers: Sequence[Layer]) -> str:
    """How many layers of which height, for a person."""
    heights = {round(layer.height, 9) for layer in layers}
    return (
        f"{counted(len(layers), 'layer')} of {min(heights):g}"
        + (f" to {max(heights):g}" if len(heights) > 1 else "")
        + " mm"
    )
