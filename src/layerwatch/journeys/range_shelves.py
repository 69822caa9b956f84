"""An archive, or any folder of image files -> its jobs of layers, without masks and what is known to be defective."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32, UInt8

from layerwatch.images.archive import Archive
from layerwatch.images.folder import image_files, read_image, read_pixels, readers
from layerwatch.images.walk import walk_truths
from layerwatch.journeys.sources import GOOD
from layerwatch.records import DataError, LayerImage, UsageError

_PLANS = (".png", ".tif", ".tiff")
_MASK = "_mask"  # ends the name of a mask that lies beside its frame
_HERE = "."  # the job of files that lie in the folder itself
_PICTURES = {".bmp", ".gif", ".webp", ".jp2", ".pgm", ".ppm", ".pnm", ".exr", ".npy", ".raw", ".seq", ".csq"}
_NAMED = 6  # names in a line
_ELSE = "; call the healthy ones good, or give their folder alone, if some are not"


@runtime_checkable
class Shelf(Protocol):
    """Layers of jobs, to be read one by one."""

    @property
    def jobs(self) -> dict[str, int]:
        """How many layers each job has."""
        ...

    @property
    def said(self) -> tuple[str, ...]:
        """What was left out or taken for granted."""
        ...

    def image(self, job: str, number: int) -> LayerImage:
        """The number-th layer of a job."""
        ...

    def coverage(self, job: str, number: int) -> Float32[np.ndarray, "h w"] | None:
        """Share of each of its pixels that is part, if that is known."""
        ...


def coverage_of(image: LayerImage) -> Float32[np.ndarray, "h w"] | None:
    """Share of each pixel that is part, if that is known."""
    if image.coverage is not None:
        return np.asarray(image.coverage / np.float32(255), np.float32)
    return None if image.plan is None else np.asarray(image.plan > 0, np.float32)


@dataclass(frozen=True, eq=False)
class ArchiveShelf:
    """Jobs of our own archive in which nothing was spoiled; numbers count the layers that it holds."""

    archive: Archive
    jobs: dict[str, int]
    said: tuple[str, ...] = ()
    is_blind: bool = False

    @classmethod
    def of(cls, folder: Path) -> ArchiveShelf:
        """The healthy jobs.

        Raises:
            DataError: there is none, or a file of the truth is missing or broken.
        """
        archive = Archive.open(folder)
        healthy = _healthy_jobs(archive)
        if not healthy:
            raise DataError(
                f"{folder}: no job of this archive is healthy throughout; ranges are learnt from healthy ones"
            )
        return cls(archive, {job: len(archive.layers[job]) for job in healthy}, _of_defective(archive, healthy))

    def without_plans(self) -> ArchiveShelf:
        """The same frames, as if nobody knew what was printed."""
        return replace(self, is_blind=True)

    def image(self, job: str, number: int) -> LayerImage:
        """The number-th layer of a job."""
        image = self.archive.image(job, self.archive.layers[job][number])
        return replace(image, plan=None, coverage=None) if self.is_blind else image

    def coverage(self, job: str, number: int) -> Float32[np.ndarray, "h w"] | None:
        """Share of each of its pixels that is part."""
        return coverage_of(self.image(job, number))


@dataclass(frozen=True, eq=False)
class FolderShelf:
    """Image files; each sub-folder is a job, its files are the layers in the order of their names."""

    folder: Path
    plans: Path | None
    files: dict[str, tuple[Path, ...]]
    said: tuple[str, ...] = ()

    @classmethod
    def of(cls, folder: Path, plans: Path | None = None, good: Sequence[str] = ()) -> FolderShelf:
        """All frames below a folder but plans, masks beside frames, and jobs that are known not to be healthy.

        Raises:
            UsageError: no such folder, or no sub-folder of a good name.
            DataError: no image in it.
        """
        inside = None if plans is None else plans.resolve()
        paths = [p for p in image_files(folder) if inside is None or not p.resolve().is_relative_to(inside)]
        masks = _masks_among(paths)
        files: dict[str, list[Path]] = {}
        for path in paths:
            if path not in masks:
                files.setdefault(str(path.parent.relative_to(folder)), []).append(path)
        said = [*_of_unread(folder, inside), *_of_masks(masks)]
        chosen, more = _healthy_folders(folder, tuple(files), good)
        return cls(folder, plans, {job: tuple(files[job]) for job in chosen}, (*said, *more))

    @property
    def jobs(self) -> dict[str, int]:
        """How many layers each job has."""
        return {job: len(paths) for job, paths in self.files.items()}

    def image(self, job: str, number: int) -> LayerImage:
        """The number-th layer of a job."""
        path = self.files[job][number]
        image = read_image(path, job=job, layer=number, name=str(path.relative_to(self.folder)))
        plan, coverage = (self._mask(path, suffix, image.pixels.shape) for suffix in ("", ".coverage"))
        return replace(image, plan=plan, coverage=coverage)

    def coverage(self, job: str, number: int) -> Float32[np.ndarray, "h w"] | None:
        """Share of each of its pixels that is part, where there are plans."""
        return None if self.plans is None else coverage_of(self.image(job, number))

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


def _healthy_jobs(archive: Archive) -> tuple[str, ...]:
    return tuple(job for job in archive.jobs if all(truth.is_healthy for truth in walk_truths(archive, [job])))


def _of_defective(archive: Archive, healthy: Sequence[str]) -> tuple[str, ...]:
    spoiled = len(archive.jobs) - len(healthy)
    if not spoiled:
        return ()
    return (f"{spoiled} of {len(archive.jobs)} jobs are defective by the truth of {archive.folder}, and left out",)


def _masks_among(paths: Sequence[Path]) -> set[Path]:
    """Files called NAME_mask beside a file called NAME, of two grey levels at most."""
    frames = {(path.parent, path.stem) for path in paths}
    named = [path for path in paths if path.stem.lower().endswith(_MASK)]
    beside = [path for path in named if (path.parent, path.stem[: -len(_MASK)]) in frames]
    return {path for path in beside if len(np.unique(read_pixels(path))) <= 2}


def _of_masks(masks: Iterable[Path]) -> tuple[str, ...]:
    names = sorted(path.name for path in masks)
    return (f"masks beside frames are left out: {_listed(names)}",) if names else ()


def _of_unread(folder: Path, plans: Path | None) -> tuple[str, ...]:
    """Pictures of a kind that no reader reads."""
    kinds = _PICTURES - readers().keys()
    found = [path for path in folder.rglob("*") if path.suffix.lower() in kinds and path.is_file()]
    count = sum(plans is None or not path.resolve().is_relative_to(plans) for path in found)
    if not count:
        return ()
    there = ", ".join(sorted({path.suffix.lower() for path in found}))
    return (f"files that are not read: {count} ({there}); save them as PNG or TIFF",)


def _healthy_folders(folder: Path, jobs: tuple[str, ...], good: Sequence[str]) -> tuple[tuple[str, ...], list[str]]:
    """Sub-folders to learn from, and what is said of them."""
    if folder.name == "frames" and (folder.parent / "archive.json").is_file():
        return _known_healthy(Archive.open(folder.parent), jobs)
    wanted = {name.lower() for name in (good or GOOD)}
    chosen = tuple(job for job in jobs if Path(job).name.lower() in wanted)
    if good and not chosen and jobs != (_HERE,):
        raise UsageError(f"{folder}: no sub-folder called {', '.join(good)}; there are: {_listed(jobs)}")
    if chosen:
        others = [job for job in jobs if job not in chosen]
        out = f"; left out: {_listed(others)}" if others else ""
        return chosen, [f"sub-folders that are healthy by their names: {_listed(chosen)}{out}"]
    if jobs == (_HERE,):
        return jobs, []
    return jobs, [f"{len(jobs)} sub-folders are taken as jobs, all as healthy: {_listed(jobs)}{_ELSE}"]


def _known_healthy(archive: Archive, jobs: tuple[str, ...]) -> tuple[tuple[str, ...], list[str]]:
    """Frames of our own archive: its truth lies beside them."""
    healthy = _healthy_jobs(archive)
    spoiled = [job for job in jobs if job in archive.jobs and job not in healthy]
    kept = tuple(job for job in jobs if job not in spoiled)
    if not kept:
        raise DataError(f"{archive.folder}: no job is healthy throughout; ranges are learnt from healthy ones")
    return kept, list(_of_defective(archive, healthy))


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
