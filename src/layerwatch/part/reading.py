"""The bytes of a part file -> a part in mm that stands on the bed, with all that was guessed or repaired said."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import PurePath

import numpy as np

from layerwatch import catalogue
from layerwatch.part.formats.base import Format
from layerwatch.part.mesh import Mesh, UnitGuess, guess_unit, stand_on_bed, to_mm
from layerwatch.part.repair import repair
from layerwatch.records import DataError, UsageError

_FARTHEST = 1e9  # of a corner from the origin, in the file's unit
MAX_BYTES = 512 * 2**20  # of a file, unless the caller says otherwise


@dataclass(frozen=True, eq=False)
class Part:
    """A part ready to be sliced."""

    name: str  # the file's name without its ending
    mesh: Mesh  # mm, its box beginning at x = y = z = 0
    unit: str
    said: tuple[str, ...]  # what a user should know: the unit taken, every repair
    sha256: str  # of the file


def read_part(
    data: bytes,
    name: str,
    bed: tuple[float, float, float],
    unit: str | None = None,
    *,
    max_bytes: int = MAX_BYTES,
) -> Part:
    """Read, repair, scale to mm and stand on the bed.

    Args:
        data: the file's bytes.
        name: the file's name; its ending tells the format.
        bed: x, y, z of the job box in mm.
        unit: overrides what the file says or what would be guessed.
        max_bytes: larger files are refused before anything is read.

    Raises:
        UsageError: files of that ending hold no mesh, or there is no such unit.
        DataError: the file is too large or broken, or the part does not fit the box.
    """
    if len(data) > max_bytes:
        raise DataError(f"{name}: {len(data):,} bytes, more than the {max_bytes:,} read; export it coarser")
    try:
        return _read(data, name, bed, unit)
    except DataError as error:
        raise error if name in str(error) else DataError(f"{name}: {error}") from None


def _read(data: bytes, name: str, bed: tuple[float, float, float], unit: str | None) -> Part:
    mesh = _format_of(name).read_mesh(data, name)
    if np.abs(mesh.bounds).max() > _FARTHEST:
        raise DataError(
            f"{name}: corners up to {np.abs(mesh.bounds).max():.3g} from the origin, in no unit a part (the limit is "
            f"{_FARTHEST:g}); export the part again"
        )
    mesh, actions = repair(mesh)
    guess = UnitGuess(unit.lower(), f"unit {unit.lower()}, as given") if unit else guess_unit(mesh, bed)
    in_mm = stand_on_bed(to_mm(mesh, guess.unit))
    x, y, z = in_mm.extent
    if x > bed[0] or y > bed[1] or z > bed[2]:
        raise DataError(
            f"{name}: {x:.4g} x {y:.4g} x {z:.4g} mm in unit {guess.unit} does not fit the job box of "
            f"{bed[0]:g} x {bed[1]:g} x {bed[2]:g} mm; give --unit, or a larger machine"
        )
    return Part(PurePath(name).stem, in_mm, guess.unit, (guess.said, *actions), hashlib.sha256(data).hexdigest())


def _format_of(name: str) -> Format:
    suffix = PurePath(name).suffix.lower()
    formats: list[Format] = [catalogue.load("part.formats", thing)() for thing in catalogue.names("part.formats")]
    for form in formats:
        if suffix in form.suffixes:
            return form
    known = ", ".join(sorted(s for form in formats for s in form.suffixes))
    raise UsageError(f"{name}: files ending in {suffix!r} are not read; there are: {known}")
