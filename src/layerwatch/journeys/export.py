"""An archive -> the same layers for another program."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from layerwatch import catalogue
from layerwatch.images.archive import Archive
from layerwatch.images.exports.base import Export
from layerwatch.images.walk import check_coverage
from layerwatch.images.writing import check_writable, new_folder
from layerwatch.records import Progress, UsageError, counted, silent


@dataclass(frozen=True)
class Exported:
    """What was written, and what of the archive was not."""

    images: int
    left_out: str  # empty: nothing


def export(archive: Path, to: str, out: Path, *, progress: Progress = silent) -> Exported:
    """Write the archive in another program's form.

    Raises:
        UsageError: no archive there, no such form, a package is missing, or ``out`` is not empty, lies inside the
            archive or cannot be written.
        DataError: the archive is unfinished or broken, or holds nothing that the form can carry.
    """
    form: Export = catalogue.load("images.exports", to)()
    found = Archive.open(archive)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError(f"{out} is not empty; choose another --out or remove it")
    if out.resolve().is_relative_to(archive.resolve()):
        raise UsageError(f"{out} lies inside {archive}, which is read; give an --out elsewhere")
    check_writable(out.parent)
    check_coverage(found)
    spoiled = len(list((archive / "faults").glob("*/shots.json")))
    left_out = [form.leaves_out, f"{counted(spoiled, 'job')} spoiled by faults of the camera" if spoiled else ""]
    with new_folder(out) as fresh:
        return Exported(form.write(found, fresh, progress=progress), "; ".join(filter(None, left_out)))
