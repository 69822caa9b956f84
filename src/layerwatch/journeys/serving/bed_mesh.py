"""The part of a virtual job and its places on the bed -> one binary STL of all copies, in bed coordinates and mm."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from jaxtyping import Float64

from layerwatch.dashboard.desk import Part
from layerwatch.images.writing import write_file
from layerwatch.inspection.names import safe
from layerwatch.job.machine import Machine
from layerwatch.journeys.files import open_layers, open_part
from layerwatch.journeys.plates import Plate

STL = "part.stl"
_MOST = 300_000  # triangles that a page draws
_TRIANGLE = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("count", "<u2")])


def part_in(folder: Path) -> Part:
    """The ``Part`` of a folder of plans: FOLDER/JOB/part.stl, or FOLDER/part.stl for every job."""

    def part(printer: str, job: str) -> bytes | None:
        for path in (folder / safe(job) / STL, folder / STL):
            try:
                return path.read_bytes()
            except OSError:
                continue
        return None

    return part


def keep_mesh(part: Path, machine: Machine, plate: Plate, target: Path) -> None:
    """Write the plate as STL, where the part is a mesh and small enough to draw; its layers as high as the machine's.

    Raises:
        DataError: the part is broken, or the file cannot be written.
    """
    if target.is_file() or open_layers(part, machine) is not None:
        return
    mesh = open_part(part, machine, None).mesh.triangles
    if len(mesh) * len(plate.instances) <= _MOST:
        write_file(target, as_stl(placed(mesh, plate, machine.layer_height)))


def placed(triangles: Float64[np.ndarray, "n 3 3"], plate: Plate, layer_height: float) -> Float64[np.ndarray, "m 3 3"]:
    """Every copy where it lies; where the part was cut into thinner layers, it is as much higher, as it is printed."""
    copies = []
    for one in plate.instances:
        stretch = layer_height / one.layers[0].height
        copies.append(triangles * [1, 1, stretch] + [one.x, one.y, 0])
    return np.concatenate(copies)


def as_stl(triangles: Float64[np.ndarray, "n 3 3"]) -> bytes:
    """Binary STL; who draws it makes the normals himself."""
    rows = np.zeros(len(triangles), _TRIANGLE)
    rows["corners"] = triangles
    return b"layerwatch: bed coordinates in mm".ljust(80) + np.array([len(rows)], "<u4").tobytes() + rows.tobytes()
