"""An archive or any folder of images -> the images to learn from, or images with the class that each lies in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from layerwatch.images.archive import Archive
from layerwatch.images.folder import FolderSet, read_folder
from layerwatch.images.splits import split_jobs
from layerwatch.records import DataError, LayerImage, Progress, UsageError, silent

GOOD = ("good", "healthy", "ok", "normal", "no-anomaly")  # names of folders that hold healthy images, in any case
_ALL_GOOD = "."  # images that lie in the folder itself


@dataclass(frozen=True, eq=False)
class Labelled:
    """Images with what is known of each; "healthy" is healthy, "" is neither (a trace of an earlier defect)."""

    images: tuple[LayerImage, ...]
    kinds: tuple[str, ...]

    def of_kind(self, healthy: bool) -> tuple[LayerImage, ...]:
        """The healthy or the defective ones."""
        chosen = zip(self.images, self.kinds, strict=True)
        return tuple(image for image, kind in chosen if kind and (kind == "healthy") == healthy)


@dataclass(frozen=True, eq=False)
class Healthy:
    """Healthy images, in two groups without a job in common."""

    fit: tuple[LayerImage, ...]
    calibration: tuple[LayerImage, ...]
    mm_per_px: float | None = None  # None: not known


def is_archive(folder: Path) -> bool:
    """Whether the folder is one of our own archives, finished or not."""
    return any((folder / name).exists() for name in ("archive.json", "archive.unfinished.json"))


def healthy_images(
    folder: Path, *, good: Sequence[str] = (), calibration: float = 0.2, seed: int = 0, progress: Progress = silent
) -> Healthy:
    """Everything to learn from: jobs of an archive in which nothing was spoiled, or the good images of a folder.

    Raises:
        UsageError: no such folder, no sub-folder of a good name, or a share outside (0, 1).
        DataError: no or broken images, mixed sizes, too few to split.
    """
    if not 0 < calibration < 1:
        raise UsageError(f"calibration share {calibration:g}; give a share between 0 and 1, such as 0.2")
    size: float | None = None
    if is_archive(folder):
        if good:
            raise UsageError(f"{folder} is an archive and knows its healthy jobs; leave --good away")
        archive = Archive.open(folder)
        size = archive.header.mm_per_px
        jobs = [job for job in archive.jobs if all(truth.is_healthy for truth in archive.truths([job]))]
        images = archive.images(jobs) if jobs else ()
    else:
        images = _good_ones(read_folder(folder, progress=progress), good, folder)
        jobs = [image.job for image in images]
    if len(jobs) < 2:
        raise DataError(f"{folder}: {len(jobs)} healthy jobs or images; at least 2 are needed, and 100s are better")
    fit, rest = (set(group) for group in split_jobs(sorted(set(jobs)), (1 - calibration, calibration), seed=seed))
    return Healthy(tuple(i for i in images if i.job in fit), tuple(i for i in images if i.job in rest), size)


def labelled_images(folder: Path, *, good: Sequence[str] = (), progress: Progress = silent) -> Labelled:
    """Everything to evaluate on: all jobs of an archive, or a folder with one sub-folder a class.

    Raises:
        UsageError: no such folder, or no sub-folder of a good name.
        DataError: no or broken images, mixed sizes.
    """
    if is_archive(folder):
        archive = Archive.open(folder)
        wholly = {job: all(t.is_healthy for t in archive.truths([job])) for job in archive.jobs}
        kinds = tuple(
            t.label if t.is_defective else "healthy" if wholly[t.job] else "" for t in archive.truths(archive.jobs)
        )
        return Labelled(archive.images(), kinds)
    found = read_folder(folder, progress=progress)
    healthy = _good_classes(found.classes, good, folder)
    return Labelled(found.images, tuple("healthy" if c in healthy else Path(c).name for c in found.classes))


def _good_ones(found: FolderSet, good: Sequence[str], folder: Path) -> tuple[LayerImage, ...]:
    if set(found.classes) == {_ALL_GOOD} and not good:
        return found.images
    healthy = _good_classes(found.classes, good, folder)
    return tuple(image for image, kind in zip(found.images, found.classes, strict=True) if kind in healthy)


def _good_classes(classes: Sequence[str], good: Sequence[str], folder: Path) -> set[str]:
    wanted = {name.lower() for name in (good or GOOD)}
    found = {kind for kind in set(classes) if Path(kind).name.lower() in wanted}
    if not found:
        there = ", ".join(sorted(set(classes))[:8])
        raise UsageError(
            f"{folder}: no sub-folder of healthy images among {there}; name it with --good, "
            f"or call it one of {', '.join(GOOD)}"
        )
    return found
