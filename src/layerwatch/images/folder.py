"""Any folder of image files -> layer images with the names of their sub-folders; 8 and 16 bit, PNG, TIFF, JPEG."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from jaxtyping import Shaped

from layerwatch import catalogue
from layerwatch.images.grey import to_grey
from layerwatch.images.readers.base import Reader
from layerwatch.records import DataError, LayerImage, Progress, UsageError, silent


@dataclass(frozen=True, eq=False)
class FolderSet:
    """Images of a folder, in natural order of their paths, each with the sub-folder that it lay in ("." for none)."""

    images: tuple[LayerImage, ...]
    classes: tuple[str, ...]


@cache
def readers() -> dict[str, Reader]:
    """The reader of each file suffix."""
    things = [catalogue.load("images.readers", name)() for name in catalogue.names("images.readers")]
    return {suffix: reader for reader in things for suffix in reader.suffixes}


def image_files(folder: Path) -> tuple[Path, ...]:
    """Every image file below the folder, hidden ones left out, in natural order (layer 9 before layer 10).

    Raises:
        UsageError: no such folder.
        DataError: no image in it.
    """
    if not folder.is_dir():
        what = "this is a file" if folder.exists() else "no such folder"
        raise UsageError(f"{folder}: {what}; give a folder of PNG, TIFF or JPEG images")
    known = readers()
    found = [p for p in folder.rglob("*") if p.suffix.lower() in known and p.is_file() and not p.name.startswith(".")]
    if not found:
        raise DataError(f"{folder}: no image in this folder; it should hold files ending in {', '.join(sorted(known))}")
    return tuple(sorted(found, key=lambda path: _natural(str(path.relative_to(folder)))))


def read_pixels(path: Path, name: str = "") -> Shaped[np.ndarray, "h w"]:
    """The pixels of one file in their own depth.

    Raises:
        DataError: the file is missing, broken or of a kind that is not read.
    """
    name = name or str(path)
    reader = readers().get(path.suffix.lower())
    if reader is None:
        raise DataError(f"{name}: files ending in {path.suffix!r} are not read; save it as PNG or TIFF")
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataError(
            f"{name}: cannot be read ({error.strerror}); look whether it is there, and at its permissions"
        ) from None
    return reader.read(data, name)


def read_image(path: Path, *, job: str = "", layer: int = 0, name: str = "") -> LayerImage:
    """One file as a layer image without a plan; errors as in ``read_pixels`` and ``to_grey``."""
    name = name or str(path)
    return LayerImage(job=job, layer=layer, pixels=to_grey(read_pixels(path, name), name), name=name)


def read_folder(folder: Path, *, progress: Progress = silent) -> FolderSet:
    """All images of a folder, which must be of one size; each counts as a job of its own.

    Raises:
        UsageError: no such folder.
        DataError: no image, a broken one, or images of different sizes; the files are named.
    """
    paths = image_files(folder)
    images = []
    for number, path in enumerate(paths):
        name = str(path.relative_to(folder))
        images.append(read_image(path, job=name, layer=number, name=name))
        progress("read images", number + 1, len(paths))
    check_one_size(images)
    return FolderSet(tuple(images), tuple(str(path.parent.relative_to(folder)) for path in paths))


def check_one_size(images: Sequence[LayerImage]) -> None:
    """Refuse a mix of image sizes, naming one file of each of two sizes."""
    first = images[0]
    for image in images:
        if image.pixels.shape != first.pixels.shape:
            a, b = ("{1} x {0}".format(*i.pixels.shape) for i in (first, image))
            raise DataError(f"images of mixed sizes: {first.name} is {a}, {image.name} is {b} pixels; give one size")


def _natural(text: str) -> list[tuple[int, str]]:
    return [(int(piece), "") if piece.isdigit() else (-1, piece) for piece in re.split(r"(\d+)", text)]
