"""Any folder of image files -> layer images with the names of their sub-folders, by the readers of the shelf."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from jaxtyping import Shaped

from layerwatch import catalogue
from layerwatch.images.decoding.beginnings import check_ending
from layerwatch.images.decoding.limits import read_limited
from layerwatch.images.grey import as_grey
from layerwatch.images.readers.base import Reader
from layerwatch.records import DataError, LayerImage, Picture, Progress, UsageError, silent

Read = Callable[[Path, str, int | None], tuple[Picture, ...]]  # path, name for messages, number of the picture or all
Span = tuple[float, float] | None  # degC at grey 0 and 1


@dataclass(frozen=True, eq=False)
class FolderSet:
    """Images of a folder, in natural order of their paths, each with the sub-folder that it lay in ("." for none)."""

    images: tuple[LayerImage, ...]
    classes: tuple[str, ...]


@cache
def claimants() -> dict[str, tuple[Reader, ...]]:
    """The readers of each file suffix, the most specific one first."""
    found: dict[str, list[Reader]] = {}
    for name in catalogue.names("images.readers"):
        reader: Reader = catalogue.load("images.readers", name)()
        for suffix in reader.suffixes:
            found.setdefault(suffix, []).append(reader)
    return {suffix: tuple(sorted(some, key=lambda r: -r.rank)) for suffix, some in found.items()}


@cache
def readers() -> dict[str, Reader]:
    """The reader of each file suffix that takes what no other one knows by its content."""
    return {suffix: some[-1] for suffix, some in claimants().items()}


def layer_suffixes() -> tuple[str, ...]:
    """Endings of files that may lie in a folder of layers; a file that holds a whole job is none."""
    return tuple(sorted(suffix for suffix, reader in readers().items() if not reader.is_job))


def image_files(folder: Path) -> tuple[Path, ...]:
    """Every image file below the folder, hidden ones left out, in natural order (layer 9 before layer 10).

    A link that leads nowhere is one, which whoever reads it refuses: a frame that is lost must not go unnoticed.

    Raises:
        UsageError: no such folder.
        DataError: no image in it.
    """
    if not folder.is_dir():
        what = "this is a file" if folder.exists() else "no such folder"
        raise UsageError(f"{folder}: {what}; give a folder of PNG, TIFF or JPEG images")
    known = layer_suffixes()
    named = (p for p in folder.rglob("*") if p.suffix.lower() in known and not p.name.startswith("."))
    found = [p for p in named if p.is_file() or (p.is_symlink() and not p.exists())]
    if not found:
        raise DataError(f"{folder}: no image in this folder; it should hold files ending in {', '.join(known)}")
    return tuple(sorted(found, key=lambda path: _natural(str(path.relative_to(folder)))))


def read_pictures(path: Path, name: str = "", page: int | None = None) -> tuple[Picture, ...]:
    """Everything that one file holds, or its picture of that number; who reads it is decided by its content.

    Raises:
        DataError: the file is missing, broken, too large or of a kind that is not read.
    """
    name = name or str(path)
    if path.is_dir():
        raise DataError(f"{name}: this is a folder; give one file")
    able = claimants().get(path.suffix.lower(), ())
    if not able:
        raise DataError(f"{name}: files ending in {path.suffix!r} are not read; save it as PNG or TIFF")
    try:
        if len(able) == 1:
            return able[0].from_file(path, name, page)
        data = read_limited(path, name)
        return next(reader for reader in able if reader.knows(data)).pictures(data, name, page)
    except DataError:
        check_ending(path, name)
        raise


def read_picture(path: Path, name: str = "", *, read: Read = read_pictures) -> Picture:
    """The only picture of a file.

    Raises:
        DataError: as in ``read_pictures``, or there are several.
    """
    found = read(path, name or str(path), 0)[0]
    if found.pages != 1:
        raise DataError(f"{found.name}: {found.pages} pages; one image a file is needed here, so split it")
    return found


def read_pixels(path: Path, name: str = "", *, read: Read = read_pictures) -> Shaped[np.ndarray, "h w"]:
    """The pixels of one file in their own depth; errors as in ``read_picture``."""
    return read_picture(path, name, read=read).pixels


def read_image(
    path: Path, *, job: str = "", layer: int = 0, name: str = "", span: Span = None, read: Read = read_pictures
) -> LayerImage:
    """One file as a layer image without a plan.

    Args:
        path: of the file.
        job: that it belongs to.
        layer: its number.
        name: for messages; default: the path.
        span: degC at grey 0 and 1; files that hold temperatures need it.
        read: reads the file; ``ReadingChild.read`` does it in a process of its own.

    Raises:
        DataError: as in ``read_picture`` and ``as_grey``.
    """
    picture = read_picture(path, name, read=read)
    grey, kind = as_grey(picture, span), picture.pixels.dtype
    bits = 8 * kind.itemsize if picture.unit != "degC" and kind in (np.uint8, np.uint16) else None
    return LayerImage(job, layer, grey, name=name or str(path), span=span, time=picture.time, bits=bits)


def read_folder(
    folder: Path, *, span: Span = None, read: Read = read_pictures, progress: Progress = silent
) -> FolderSet:
    """All images of a folder, which must be of one size; each counts as a job of its own, and so does each page.

    Args:
        folder: of image files, in sub-folders or not.
        span: degC at grey 0 and 1; files that hold temperatures need it.
        read: reads a file; ``ReadingChild.read`` does it in a process of its own.
        progress: told after each file.

    Raises:
        UsageError: no such folder.
        DataError: no image, a broken one, or images of different sizes; the files are named.
    """
    paths = image_files(folder)
    images: list[LayerImage] = []
    classes: list[str] = []
    for number, path in enumerate(paths):
        for picture in read(path, str(path.relative_to(folder)), None):
            name = picture.name if picture.pages == 1 else f"{picture.name}[{picture.page}]"
            images.append(LayerImage(name, len(images), as_grey(picture, span), name=name, span=span))
            classes.append(str(path.parent.relative_to(folder)))
        progress("read images", number + 1, len(paths))
    check_one_size(images)
    return FolderSet(tuple(images), tuple(classes))


def check_one_size(images: Sequence[LayerImage]) -> None:
    """Refuse a mix of image sizes, naming one file of each of two sizes."""
    first = images[0]
    for image in images:
        if image.pixels.shape != first.pixels.shape:
            a, b = ("{1} x {0}".format(*i.pixels.shape) for i in (first, image))
            raise DataError(f"images of mixed sizes: {first.name} is {a}, {image.name} is {b} pixels; give one size")


def _natural(text: str) -> list[tuple[int, str]]:
    return [(int(piece), "") if piece.isdigit() else (-1, piece) for piece in re.split(r"(\d+)", text)]
