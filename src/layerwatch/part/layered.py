"""The bytes of a layer file -> its layers in mm, moved to x = y = 0, with what was done said."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath

import numpy as np

from layerwatch import catalogue
from layerwatch.part.formats.base import Format
from layerwatch.records import DataError, Island, Layer


@dataclass(frozen=True, eq=False)
class Layered:
    """A part that comes as layers, not as a mesh."""

    name: str  # the file's name without its ending
    layers: tuple[Layer, ...]
    size: tuple[float, float, float]  # mm
    said: tuple[str, ...]
    sha256: str  # of the file


def holds_layers(data: bytes, name: str) -> bool:
    """Whether a file is to be read as layers: SVG, CLI, SL1, or 3MF with slice stacks.

    Raises:
        DataError: the bytes are no such file.
    """
    form = _format_of(name)
    return form is not None and form.has_layers(data, name)


def read_layered(data: bytes, name: str, bed: tuple[float, float, float]) -> Layered:
    """Layers with their lowest corner at x = y = 0.

    Args:
        data: the file's bytes.
        name: the file's name; its ending tells the format.
        bed: x, y, z of the job box in mm.

    Raises:
        DataError: the file is broken, holds no closed contour, or the part does not fit the box.
    """
    form = _format_of(name)
    layers = form.read_layers(data, name) if form else ()
    return _placed(layers, name, bed, hashlib.sha256(data).hexdigest())


def read_layer_files(files: Sequence[tuple[str, bytes]], name: str, bed: tuple[float, float, float]) -> Layered:
    """Files of one layer each, from the lowest to the highest; they must lie in one frame.

    Args:
        files: name and bytes of each.
        name: of the whole.
        bed: x, y, z of the job box in mm.

    Raises:
        DataError: as in ``read_layered``; or a file does not hold one layer, or they do not rise.
    """
    layers: list[Layer] = []
    digest = hashlib.sha256()
    for file, data in files:
        form = _format_of(file)
        found = form.read_layers(data, file) if form else ()
        if len(found) != 1:
            raise DataError(f"{name}: {file} holds {len(found)} layers; a folder of layers has one a file")
        if layers and found[0].z <= layers[-1].z:
            raise DataError(f"{name}: {file} lies at {found[0].z:g} mm, not above the file before it; number them")
        layers.append(replace(found[0], index=len(layers)))
        digest.update(data)
    return _placed(tuple(layers), name, bed, digest.hexdigest())


def _placed(layers: tuple[Layer, ...], name: str, bed: tuple[float, float, float], sha256: str) -> Layered:
    rings = [island.outer for layer in layers for island in layer.islands]
    if not rings:
        raise DataError(f"{name}: {len(layers)} layers without a closed contour; slice the part again")
    low, high = np.min([r.min(0) for r in rings], 0), np.max([r.max(0) for r in rings], 0)
    x, y = (high - low).tolist()
    size = (x, y, layers[-1].z)
    if any(side > room + 1e-9 for side, room in zip(size, bed, strict=True)):
        raise DataError(
            f"{name}: {size[0]:.4g} x {size[1]:.4g} x {size[2]:.4g} mm does not fit the job box of "
            f"{bed[0]:g} x {bed[1]:g} x {bed[2]:g} mm; give a larger machine"
        )
    said = f"{len(layers)} layers as the file gives them, {size[0]:.1f} x {size[1]:.1f} x {size[2]:.1f} mm"
    moved = tuple(replace(layer, islands=tuple(_moved(i, -low) for i in layer.islands)) for layer in layers)
    return Layered(PurePath(name).stem, moved, size, (said,), sha256)


def respaced(layers: tuple[Layer, ...], count: int) -> tuple[Layer, ...]:
    """Equally spaced layers over the same height, each with the contours that are there at its middle."""
    tops = np.array([layer.z for layer in layers])
    bottom = layers[0].z - layers[0].height
    height = float((tops[-1] - bottom) / count)
    middles = bottom + (np.arange(count) + 0.5) * height
    places = np.minimum(np.searchsorted(tops, middles), len(layers) - 1)
    return tuple(
        replace(
            layers[place], index=k, z=round(float(bottom + (k + 1) * height), 9), slice_z=float(middle), height=height
        )
        for k, (place, middle) in enumerate(zip(places, middles, strict=True))
    )


def _moved(island: Island, by: np.ndarray) -> Island:
    return Island(island.outer + by, tuple(hole + by for hole in island.holes))


def _format_of(name: str) -> Format | None:
    """The format of that ending, if there is one."""
    suffix = PurePath(name).suffix.lower()
    forms: list[Format] = [catalogue.load("part.formats", thing)() for thing in catalogue.names("part.formats")]
    return next((form for form in forms if suffix in form.suffixes), None)
