"""A large archive -> its layers with their truth, one after another, few of them in memory; heights in mm."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace

from layerwatch.images.archive import MEND, Archive
from layerwatch.records import DataError, LayerImage, Truth, plainly

_AT_ONCE = 32  # layers in memory


def walk(archive: Archive, jobs: Iterable[str] | None = None) -> Iterator[tuple[LayerImage, Truth]]:
    """Every layer of the given jobs, or of all, with what is really wrong with it.

    Raises:
        DataError: a file is missing or broken.
    """
    for piece in _pieces(archive, jobs):
        yield from zip(piece.images(), piece.truths(), strict=True)


def walk_truths(archive: Archive, jobs: Iterable[str] | None = None) -> Iterator[Truth]:
    """The truth alone, in the same order.

    Raises:
        DataError: a file is missing or broken.
    """
    for piece in _pieces(archive, jobs):
        yield from piece.truths()


def count_layers(archive: Archive) -> int:
    """Layers of all jobs."""
    return sum(map(len, archive.layers.values()))


def check_coverage(archive: Archive) -> None:
    """Refuse an archive that has lost the coverage of some of its layers.

    Raises:
        DataError: it has; the first file is named.
    """
    files = [archive.coverage_file(job, layer) for job, layers in archive.layers.items() for layer in layers]
    missing = [file for file in files if not file.exists()]
    if missing and len(missing) < len(files):
        raise DataError(f"{missing[0]}: the file is missing, and other layers have their coverage; {MEND}")


def heights(archive: Archive) -> dict[str, dict[int, float]]:
    """Top of each layer of each job, mm.

    Raises:
        DataError: ``archive.json`` does not say them.
    """
    try:
        told = json.loads((archive.folder / "archive.json").read_bytes())["jobs"]
        return {job: {int(row["layer"]): float(row["z"]) for row in told[job]} for job in archive.jobs}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"{archive.folder}/archive.json names no heights ({plainly(error)}); synthesise a new archive"
        ) from None


def _pieces(archive: Archive, jobs: Iterable[str] | None) -> Iterator[Archive]:
    """The archive seen through a window of a few layers of one job."""
    for job in archive.jobs if jobs is None else jobs:
        layers = archive.layers[job]
        for first in range(0, len(layers), _AT_ONCE):
            yield replace(archive, layers={job: layers[first : first + _AT_ONCE]})
