"""Folders of frames and of nominal masks -> the layers of each job in natural order, or why one cannot be scored."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import Shaped, UInt8
from scipy import ndimage

from layerwatch.images.folder import image_files, layer_suffixes, read_picture, read_pixels
from layerwatch.images.grey import as_grey, check_span
from layerwatch.images.outside import shared_child
from layerwatch.images.scales import scale_named, scaled
from layerwatch.records import DataError, LayerImage, Picture, UsageError, counted

_MOST_INSTANCES = 64  # largest value of a mask that numbers copies
_MOST_HOLES = 0.5  # share of a frame's pixels that may be nan
_SPARSE = 1.5  # layers for each frame that is there, at most: else the names do not number layers
_SMOOTH = 16  # values from which a mask has soft outlines, if most of the part has the largest one

Mask = UInt8[np.ndarray, "h w"]


@dataclass(frozen=True)
class FrameFile:
    """One frame, before it is read."""

    job: str
    layer: int  # running number in natural order, from 0
    path: Path
    name: str  # below the job's folder
    height: int = 0  # number of the layer in the print, where the names tell it; else as ``layer``


@dataclass(frozen=True)
class Refused:
    """A frame that is not scored."""

    word: str  # for the column "verdict"
    reason: str


@dataclass(frozen=True)
class FrameJob:
    """The frames of one job."""

    name: str
    files: tuple[FrameFile, ...]


@dataclass(frozen=True)
class ScoreSource:
    """Where frames lie and how they are read."""

    folder: Path
    plans: Path | None = None
    mm_per_px: float = 1.0
    invert: bool = False  # of the masks: 0 is part
    span: tuple[float, float] | None = None  # degC at grey 0 and 1
    scale: str | None = None  # what counts mean, for images.scales

    def check(self) -> None:
        """Refuse folders that are none, and impossible settings.

        Raises:
            UsageError: they are.
        """
        for folder in (self.folder, self.plans):
            if folder is not None and not folder.is_dir():
                what = "this is a file" if folder.exists() else "no such folder"
                raise UsageError(f"{folder}: {what}; give a folder of image files, one a layer")
        if not 1e-4 < self.mm_per_px < 1000:
            raise UsageError(f"{self.mm_per_px:g} mm per pixel; give the size of a pixel in mm, such as 3.75")
        check_span(self.span)
        if self.scale is not None:
            scale_named(self.scale)

    def jobs(self) -> tuple[FrameJob, ...]:
        """One a sub-folder; frames that lie directly in the folder are a job as well, of the folder's name.

        Raises:
            UsageError: no such folder.
            DataError: no image in it.
        """
        own = self.plans.resolve() if self.plans is not None else None
        paths = [p for p in image_files(self.folder) if own is None or not self._is_plan(p, own)]
        if not paths:
            raise DataError(f"{self.folder}: no image in this folder apart from the plans; give a folder of frames")
        found: dict[str, list[Path]] = {}
        for path in paths:
            parts = path.relative_to(self.folder).parts
            found.setdefault(parts[0] if len(parts) > 1 else "", []).append(path)
        own_name = self.folder.resolve().name
        return tuple(self._job(job, own_name if own_name not in found else ".", some) for job, some in found.items())

    def _is_plan(self, path: Path, plans: Path) -> bool:
        """The plans may lie in a folder of their own below the frames."""
        return plans != self.folder.resolve() and path.resolve().is_relative_to(plans)

    def _job(self, folder: str, otherwise: str, paths: list[Path]) -> FrameJob:
        job = folder or otherwise
        base = self.folder / folder
        heights = _heights([path.stem for path in paths])
        files = [
            FrameFile(job, k, path, path.relative_to(base).as_posix(), height)
            for k, (path, height) in enumerate(zip(paths, heights, strict=True))
        ]
        return FrameJob(job, tuple(files))

    def load(self, file: FrameFile, shape: tuple[int, ...] | None = None) -> LayerImage | Refused:
        """A frame with its plan, if plans were given.

        Args:
            file: the frame's.
            shape: height and width that it must have; None: any.
        """
        try:
            picture = read_picture(file.path, file.name, read=scaled(shared_child().read, self.scale))
            image = _as_layer(picture, file, self.span, self.mm_per_px)
        except DataError as error:
            return Refused("unreadable", str(error))
        if shape is not None and image.pixels.shape != shape:
            a, b = ("{1} x {0}".format(*one) for one in (image.pixels.shape, shape))
            return Refused("wrong size", f"{a} pixels, most frames of the job have {b}; give one size a job")
        if float(np.nanmax(image.pixels)) - float(np.nanmin(image.pixels)) == 0:
            return Refused("uniform", "all pixels have the same grey, so the frame shows no bed; look at the camera")
        return image if self.plans is None else self._with_plan(image, file, self.plans)

    def _with_plan(self, image: LayerImage, file: FrameFile, plans: Path) -> LayerImage | Refused:
        below = file.path.relative_to(self.folder)
        paths = _masks_of(plans, below)
        if paths is None:
            return Refused("no plan", f"no mask of that name in {plans}; layers without a plan are not scored")
        try:
            mask = read_pixels(paths[0], read=shared_child().read)
            soft = read_pixels(paths[1], read=shared_child().read) if len(paths) > 1 else None
        except DataError as error:
            return Refused("unusable plan", str(error))
        for one in (mask, soft):
            if one is not None and one.shape != image.pixels.shape:
                a, b = ("{1} x {0}".format(*s) for s in (one.shape, image.pixels.shape))
                return Refused("unusable plan", f"a mask of {a} for a frame of {b} pixels; draw it on the frame's grid")
        plan = _numbered(mask, invert=self.invert)
        coverage = soft if soft is not None and soft.dtype == np.uint8 else _share(mask)
        if coverage is not None and self.invert:
            coverage = np.asarray(255 - coverage, np.uint8)
        if not plan.any():
            return Refused("no part in the plan", "the whole layer is bed; nothing is known of how it should look")
        if plan.all():
            return Refused("plan fills the frame", "no bed is left and no outline; try --invert-plans, or a wider view")
        return replace(image, plan=plan, coverage=coverage)


def check_apart(frames: ScoreSource, healthy: ScoreSource) -> None:
    """Refuse to judge jobs by themselves.

    Raises:
        UsageError: a folder is the other one or lies inside it, or a file is in both, by links too.
    """
    one, other = frames.folder.resolve(), healthy.folder.resolve()
    if one.is_relative_to(other) or other.is_relative_to(one):
        what = "is the folder of frames itself" if one == other else "and the folder of frames lie one in the other"
        raise UsageError(
            f"--healthy {healthy.folder} {what} ({frames.folder}), so jobs would be judged by themselves; give "
            f"healthy jobs in a folder of their own beside it"
        )
    own = {path.resolve(): path for path in image_files(frames.folder)}
    both = [path for path in image_files(healthy.folder) if path.resolve() in own]
    if both:
        raise UsageError(
            f"--healthy {healthy.folder}: {counted(len(both), 'file')} of it, first {both[0]}, are files of the frames "
            f"too ({own[both[0].resolve()]}), so jobs would be judged by themselves; give other healthy jobs"
        )


def _as_layer(picture: Picture, file: FrameFile, span: tuple[float, float] | None, mm_per_px: float) -> LayerImage:
    """Grey in [0, 1]; nan stays where the file has no number."""
    pixels = picture.pixels
    known = np.isfinite(pixels) if pixels.dtype.kind == "f" else np.ones(pixels.shape, bool)
    holes = 1 - float(known.mean())
    if holes > _MOST_HOLES:
        raise DataError(f"{file.name}: {holes:.0%} of the pixels are NaN or infinite; mend the export")
    if holes:
        picture = replace(picture, pixels=np.where(known, pixels, np.median(pixels[known])).astype(pixels.dtype))
    _check_floats(picture, file)
    grey = as_grey(picture, span)
    if holes:
        grey = np.where(known, grey, np.float32("nan"))
    bits = 8 * pixels.dtype.itemsize if picture.unit != "degC" and pixels.dtype in (np.uint8, np.uint16) else None
    return LayerImage(file.job, file.height, grey, mm_per_px, name=file.name, span=span, time=picture.time, bits=bits)


def _check_floats(picture: Picture, file: FrameFile) -> None:
    """Floats beyond [0, 1] may be temperatures: say what makes grey of them."""
    low, high = float(picture.pixels.min()), float(picture.pixels.max())
    if picture.unit != "degC" and picture.pixels.dtype.kind == "f" and (low < 0 or high > 1):
        raise DataError(
            f"{file.name}: float pixels from {low:g} to {high:g}; temperatures become grey with "
            f"`--scale float-degC --span LOW HIGH` (or float-K), anything else must be scaled to [0, 1]"
        )


def _heights(stems: Sequence[str]) -> list[int]:
    """Numbers of layers as the names end, if they rise and few are missing; else running numbers from 0.

    A job that is given from layer 75 on has earlier layers' heat, and a missing frame leaves a gap.
    """
    found = [re.search(r"(\d{1,6})\D*$", stem) for stem in stems]
    numbers = [int(one[1]) for one in found if one]
    rising = len(numbers) == len(stems) and bool((np.diff(numbers) > 0).all())
    few_missing = bool(numbers) and numbers[-1] - numbers[0] + 1 <= _SPARSE * len(numbers) + 1
    return numbers if rising and few_missing else list(range(len(stems)))


def holes_of(image: LayerImage) -> int:
    """How many pixels hold no number."""
    return int(np.count_nonzero(~np.isfinite(image.pixels)))


def _masks_of(plans: Path, below: Path) -> tuple[Path, ...] | None:
    """The mask of a frame, and NAME.coverage beside it if there is one; plans without sub-folders serve all jobs."""
    for base in (plans / below, plans / below.name):
        if base.is_file():
            beside = _first(base.parent, f"{base.stem}.coverage")
            return (base,) if beside is None else (base, beside)
        found, beside = _first(base.parent, base.stem), _first(base.parent, f"{base.stem}.coverage")
        if found is not None:
            return (found,) if beside is None else (found, beside)
        if (plans / below.parts[0]).is_dir() and len(below.parts) > 1:
            return None
    return None


def _first(folder: Path, stem: str) -> Path | None:
    endings = [case for suffix in layer_suffixes() for case in (suffix, suffix.upper())]
    return next((path for path in (folder / f"{stem}{ending}" for ending in endings) if path.is_file()), None)


def _numbered(mask: Shaped[np.ndarray, "h w"], *, invert: bool) -> Mask:
    """Part instances: the mask's own numbers if it has several, else its islands in reading order."""
    part = np.nan_to_num(mask) > 0
    values = np.unique(mask[part]) if part.any() else np.empty(0)
    if not invert and len(values) > 1 and values.max() <= _MOST_INSTANCES:
        return np.asarray(mask, np.uint8)
    islands, _ = ndimage.label(~part if invert else part, np.ones((3, 3)))
    return np.asarray(np.minimum(islands, 255), np.uint8)


def _share(mask: Shaped[np.ndarray, "h w"]) -> Mask | None:
    """255 times the share of part, if the mask's outlines are soft: most of the part has the largest value."""
    inside = mask[np.nan_to_num(mask) > 0].astype(np.float64)
    if len(np.unique(inside)) < _SMOOTH or inside.max() <= _MOST_INSTANCES or np.median(inside) < 0.98 * inside.max():
        return None
    return np.asarray(np.rint(np.nan_to_num(mask) * (255.0 / inside.max())), np.uint8)
