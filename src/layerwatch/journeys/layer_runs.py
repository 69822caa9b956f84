"""An archive, or any folder of layer images -> random runs of consecutive layers, with plans, few of them in memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import Float32

from layerwatch.job.machine import Machine
from layerwatch.journeys.range_shelves import ArchiveShelf, FolderShelf, Shelf, coverage_of
from layerwatch.journeys.sources import is_archive
from layerwatch.records import DataError, LayerImage, UsageError

RUN = 8  # layers
_LARGEST = 1024  # px of the longer side that is measured
_LEAST = 12  # px of the shorter side
_HISTORY = 24  # layers below a run whose plans are looked at


@dataclass(frozen=True)
class Given:
    """Where images lie, and what a user says of them."""

    folder: Path
    plans: Path | None = None
    mm_per_px: float | None = None
    span: tuple[float, float] | None = None  # degC at grey 0 and 1
    machine: Machine | None = None  # None: no file was given
    good: tuple[str, ...] = ()  # names of sub-folders of healthy images; none: those of a usual name, if there are any
    blind: bool = False  # an archive's plans are not looked at, as if it were a folder without plans


@dataclass(frozen=True, eq=False)
class Source:
    """A shelf with all that is known of its images."""

    shelf: Shelf
    mm_per_px: float | None  # of the pixels that are measured; None: unknown
    span: tuple[float, float]  # degC
    size: tuple[int, int]  # px, rows and columns that are measured
    said: tuple[str, ...]  # what was taken for granted
    layers_known: bool  # numbers of layers are those of the part


@dataclass(frozen=True, eq=False)
class LayerRun:
    """Consecutive layers of one job."""

    images: tuple[LayerImage, ...]
    earlier: tuple[Float32[np.ndarray, "h w"], ...]  # coverages below, the newest first


def open_source(given: Given, usual: Machine) -> Source:
    """Look at what there is, before anything is measured.

    Args:
        given: by the user.
        usual: the machine whose span is taken where none is known.

    Raises:
        UsageError: no such folder, or a size or span that makes no sense or is known already.
        DataError: no image, or a single one.
    """
    _check(given)
    shelf = _shelf_of(given)
    total = sum(shelf.jobs.values())
    if total < 2:
        raise DataError(f"{given.folder} holds {total} usable layer; ranges are learnt from 2 at least, better from 50")
    first = shelf.image(next(iter(shelf.jobs)), 0)
    factor = _factor(first.pixels.shape)
    height, width = shrunk(first, factor).pixels.shape
    if min(height, width) < _LEAST:
        raise DataError(f"{first.name} is {width} x {height} pixels; textures need {_LEAST} x {_LEAST} at least")
    said = list(shelf.said)
    if factor > 1:
        w, h = first.pixels.shape[1], first.pixels.shape[0]
        said.append(
            f"images of {w} x {h} px are shrunk {factor} times by area; px below are those of {width} x {height}"
        )
    size, span, more = _taken_for_granted(given, usual, first)
    if isinstance(shelf, ArchiveShelf):
        size, span, more = shelf.archive.header.mm_per_px, shelf.archive.header.span, []
    said += more
    mm_per_px = None if size is None else size * factor
    return Source(shelf, mm_per_px, span, (height, width), tuple(said), isinstance(shelf, ArchiveShelf))


def _shelf_of(given: Given) -> Shelf:
    if not is_archive(given.folder):
        return FolderShelf.of(given.folder, given.plans, given.good)
    found = ArchiveShelf.of(given.folder)
    return found.without_plans() if given.blind else found


def _taken_for_granted(
    given: Given, usual: Machine, first: LayerImage
) -> tuple[float | None, tuple[float, float], list[str]]:
    """Size of a pixel in mm, span in degC, and what is said of both and of plans."""
    said, size = [], given.mm_per_px
    if size is None and given.machine is not None and (given.machine.height, given.machine.width) == first.pixels.shape:
        size = given.machine.mm_per_px
        said.append(f"a pixel is {size:g} mm wide, as the machine's camera has it")
    if size is None:
        said.append("the size of a pixel is not known, so lengths stay in px; give --mm-per-px")
    span = given.span or usual.span
    if given.span is None:
        said.append(
            f"the span in degC is not known; {span[0]:g} to {span[1]:g} degC of {usual.name} is taken, so greys agree"
        )
    if given.plans is None:
        said.append(
            "no plans: bed and part are told apart by two levels in each picture, the bed being what borders it"
        )
    return size, span, said


def _check(given: Given) -> None:
    if given.mm_per_px is not None and not 1e-4 < given.mm_per_px < 1000:
        raise UsageError(f"{given.mm_per_px:g} mm per pixel; give the size of a pixel on the bed in mm, such as 3.75")
    if given.span is not None and not given.span[0] < given.span[1]:
        raise UsageError(
            f"--span {given.span[0]:g} {given.span[1]:g}: give the degC of the darkest grey, then of the brightest"
        )
    if is_archive(given.folder) and (given.plans or given.mm_per_px or given.span):
        raise UsageError(f"{given.folder} is an archive and knows its plans, pixels and span; leave those options away")
    if given.plans is not None and not given.plans.is_dir():
        raise UsageError(f"{given.plans}: no such folder; give a folder of nominal masks with the names of the frames")


def random_runs(source: Source, sample: int, seed: int) -> list[tuple[str, int, int]]:
    """Job, first number and length of runs of up to 8 layers, from as many jobs as possible, ``sample`` layers in all.

    Raises:
        UsageError: a sample of fewer than 2 layers.
    """
    if sample < 2:
        raise UsageError(f"--sample {sample}; give 2 layers at least, better 200")
    rng, is_all = np.random.default_rng(seed), sum(source.shelf.jobs.values()) <= sample
    blocks: list[tuple[int, float, str, int, int]] = []  # how many of the job come before it, and a lot
    for job, count in sorted(source.shelf.jobs.items()):
        length = min(RUN, count)
        offset = 0 if is_all else int(rng.integers(0, count % length + 1))
        starts = rng.permutation(np.arange(offset, count if is_all else count - length + 1, length))
        for turn, start in enumerate(starts.tolist()):
            blocks.append((turn, float(rng.random()), job, start, min(length, count - start)))
    chosen, layers = [], 0
    for _, _, job, start, length in sorted(blocks):
        if layers < sample:
            chosen.append((job, start, min(length, sample - layers)))
            layers += length
    return chosen


def read_runs(source: Source, runs: Sequence[tuple[str, int, int]]) -> Iterator[LayerRun]:
    """Read the runs one after another.

    Raises:
        DataError: a broken image, or one of another size.
    """
    shelf = source.shelf
    for job, start, length in runs:
        images = []
        for number in range(start, start + length):
            full = shelf.image(job, number)
            image = shrunk(full, _factor(full.pixels.shape))
            if image.pixels.shape != source.size:
                raise DataError(_mixed(source, full))
            if _has_two_levels(full):
                raise DataError(
                    f"{full.name}: two grey levels only, so this looks like a mask; give the camera's frames "
                    "(masks belong to --plans)"
                )
            images.append(replace(image, span=source.span, mm_per_px=source.mm_per_px or 1.0))
        below = (shelf.coverage(job, number) for number in range(start - 1, max(start - _HISTORY, 0) - 1, -1))
        earlier = tuple(_shrunk(c, max(len(c) // source.size[0], 1)) for c in below if c is not None)
        yield LayerRun(tuple(images), earlier)


def _mixed(source: Source, other: LayerImage) -> str:
    a, b = ("{1} x {0}".format(*size) for size in (other.pixels.shape, source.size))
    jobs = [job for job in source.shelf.jobs if job != "."]
    one = f"one sub-folder, such as {jobs[0]}" if len(source.shelf.jobs) > 1 and jobs else "one size"
    return f"images of mixed sizes: {other.name} is {a} px, the first one {b}; give {one}"


def _has_two_levels(image: LayerImage) -> bool:
    low, high = image.pixels.min(), image.pixels.max()
    return bool(low < high and ((image.pixels == low) | (image.pixels == high)).all())


def shrunk(image: LayerImage, factor: int) -> LayerImage:
    """Every ``factor`` x ``factor`` pixels averaged into one; a plan becomes the coverage of these."""
    if factor == 1:
        return image
    coverage = coverage_of(image)
    small = None if coverage is None else np.asarray(np.rint(255 * _shrunk(coverage, factor)), np.uint8)
    return replace(image, pixels=_shrunk(image.pixels, factor), plan=None, coverage=small)


def _shrunk(picture: Float32[np.ndarray, "h w"], factor: int) -> Float32[np.ndarray, "_ _"]:
    if factor == 1:
        return picture
    h, w = (n // factor for n in picture.shape)
    cut = picture[: h * factor, : w * factor].reshape(h, factor, w, factor)
    return np.asarray(cut.mean((1, 3)), np.float32)


def _factor(shape: tuple[int, ...]) -> int:
    return -(-max(shape) // _LARGEST)
