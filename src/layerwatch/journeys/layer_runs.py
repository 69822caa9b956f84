"""An archive, or any folder of layer images -> random runs of consecutive layers, with plans, few of them in memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32, UInt8

from layerwatch.images.archive import Archive
from layerwatch.images.folder import image_files, read_image, read_pixels
from layerwatch.images.walk import walk_truths
from layerwatch.job.machine import Machine
from layerwatch.journeys.sources import is_archive
from layerwatch.records import DataError, LayerImage, UsageError

RUN = 8  # layers
_LARGEST = 1024  # px of the longer side that is measured
_LEAST = 12  # px of the shorter side
_HISTORY = 24  # layers below a run whose plans are looked at
_PLANS = (".png", ".tif", ".tiff")


@runtime_checkable
class Shelf(Protocol):
    """Layers of jobs, to be read one by one."""

    @property
    def jobs(self) -> dict[str, int]:
        """How many layers each job has."""
        ...

    def image(self, job: str, number: int) -> LayerImage:
        """The number-th layer of a job."""
        ...

    def coverage(self, job: str, number: int) -> Float32[np.ndarray, "h w"] | None:
        """Share of each of its pixels that is part, if that is known."""
        ...


@dataclass(frozen=True)
class Given:
    """Where images lie, and what a user says of them."""

    folder: Path
    plans: Path | None = None
    mm_per_px: float | None = None
    span: tuple[float, float] | None = None  # degC at grey 0 and 1
    machine: Machine | None = None  # None: no file was given


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
    shelf: Shelf = _of_archive(given.folder) if is_archive(given.folder) else _FolderShelf.of(given)
    total = sum(shelf.jobs.values())
    if total < 2:
        raise DataError(f"{given.folder} holds {total} usable layer; ranges are learnt from 2 at least, better from 50")
    first = shelf.image(next(iter(shelf.jobs)), 0)
    factor = _factor(first.pixels.shape)
    small = shrunk(first, factor)
    height, width = small.pixels.shape
    if min(height, width) < _LEAST:
        raise DataError(f"{first.name} is {width} x {height} pixels; textures need {_LEAST} x {_LEAST} at least")
    said = []
    if factor > 1:
        w, h = first.pixels.shape[1], first.pixels.shape[0]
        said.append(
            f"images of {w} x {h} px are shrunk {factor} times by area; px below are those of {width} x {height}"
        )
    if isinstance(shelf, _ArchiveShelf):
        header = shelf.archive.header
        return Source(shelf, header.mm_per_px * factor, header.span, (height, width), tuple(said), True)
    size = given.mm_per_px
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
    return Source(shelf, None if size is None else size * factor, span, (height, width), tuple(said), False)


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
                a, b = ("{1} x {0}".format(*size) for size in (full.pixels.shape, source.size))
                raise DataError(f"images of mixed sizes: {full.name} is {a} px, the first one {b}; give one size")
            images.append(replace(image, span=source.span, mm_per_px=source.mm_per_px or 1.0))
        below = (shelf.coverage(job, number) for number in range(start - 1, max(start - _HISTORY, 0) - 1, -1))
        earlier = tuple(_shrunk(c, max(len(c) // source.size[0], 1)) for c in below if c is not None)
        yield LayerRun(tuple(images), earlier)


def shrunk(image: LayerImage, factor: int) -> LayerImage:
    """Every ``factor`` x ``factor`` pixels averaged into one; a plan becomes the coverage of these."""
    if factor == 1:
        return image
    coverage = _coverage_of(image)
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


def _coverage_of(image: LayerImage) -> Float32[np.ndarray, "h w"] | None:
    if image.coverage is not None:
        return np.asarray(image.coverage / np.float32(255), np.float32)
    return None if image.plan is None else np.asarray(image.plan > 0, np.float32)


def _of_archive(folder: Path) -> _ArchiveShelf:
    """The jobs of an archive in which nothing was spoiled."""
    archive = Archive.open(folder)
    healthy = [job for job in archive.jobs if all(truth.is_healthy for truth in walk_truths(archive, [job]))]
    if not healthy:
        raise DataError(f"{folder}: no job of this archive is healthy throughout; ranges are learnt from healthy ones")
    return _ArchiveShelf(archive, {job: len(archive.layers[job]) for job in healthy})


@dataclass(frozen=True, eq=False)
class _ArchiveShelf:
    """Jobs of our own archive; numbers count the layers that it holds."""

    archive: Archive
    jobs: dict[str, int]

    def image(self, job: str, number: int) -> LayerImage:
        return self.archive.image(job, self.archive.layers[job][number])

    def coverage(self, job: str, number: int) -> Float32[np.ndarray, "h w"] | None:
        return _coverage_of(self.image(job, number))


@dataclass(frozen=True, eq=False)
class _FolderShelf:
    """Image files; each sub-folder is a job, its files are the layers in the order of their names."""

    folder: Path
    plans: Path | None
    files: dict[str, tuple[Path, ...]]

    @classmethod
    def of(cls, given: Given) -> _FolderShelf:
        files: dict[str, list[Path]] = {}
        inside = None if given.plans is None else given.plans.resolve()
        for path in image_files(given.folder):
            if inside is None or not path.resolve().is_relative_to(inside):
                files.setdefault(str(path.parent.relative_to(given.folder)), []).append(path)
        return cls(given.folder, given.plans, {job: tuple(paths) for job, paths in files.items()})

    @property
    def jobs(self) -> dict[str, int]:
        return {job: len(paths) for job, paths in self.files.items()}

    def image(self, job: str, number: int) -> LayerImage:
        path = self.files[job][number]
        image = read_image(path, job=job, layer=number, name=str(path.relative_to(self.folder)))
        plan, coverage = (self._mask(path, suffix, image.pixels.shape) for suffix in ("", ".coverage"))
        return replace(image, plan=plan, coverage=coverage)

    def coverage(self, job: str, number: int) -> Float32[np.ndarray, "h w"] | None:
        return None if self.plans is None else _coverage_of(self.image(job, number))

    def _mask(self, frame: Path, suffix: str, shape: tuple[int, ...]) -> UInt8[np.ndarray, "h w"] | None:
        """The plan's or the coverage's file of the same name, in the same sub-folder or in the plans' folder itself."""
        if self.plans is None:
            return None
        folders = (self.plans / frame.parent.relative_to(self.folder), self.plans)
        paths = [folder / f"{frame.stem}{suffix}{kind}" for folder in folders for kind in _PLANS]
        found = [path for path in paths if path.is_file()]
        if not found:
            return None
        mask = read_pixels(found[0])
        if mask.shape != shape:
            a, b = ("{1} x {0}".format(*size) for size in (mask.shape, shape))
            raise DataError(f"{found[0]}: plan of {a} px for a frame of {b}; draw it in the frame's grid")
        return np.asarray(mask if mask.dtype == np.uint8 else mask > 0, np.uint8)
