"""Frames of a camera and the corners of the bed -> the bed in mm, one 16-bit TIFF a frame, with rectified.json."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from jaxtyping import Float32, Shaped

from layerwatch.images.archive import encode_tiff
from layerwatch.images.camera_file import read_camera, read_labelme
from layerwatch.images.folder import image_files, read_picture
from layerwatch.images.grey import as_grey, check_span, to_grey, to_uint16
from layerwatch.images.outside import shared_child
from layerwatch.images.preview import preview
from layerwatch.images.rectify import CameraView
from layerwatch.images.scales import scale_named
from layerwatch.images.writing import check_result, check_writable, new_folder, write_file
from layerwatch.journeys.files import read_bytes, read_text
from layerwatch.records import DataError, Progress, UsageError, silent

DESCRIPTION = "rectified.json"
_PAGES = (".html", ".htm")
_NO_FRAME = "const GIVEN = null;"  # in the page


@dataclass(frozen=True)
class Heat:
    """What numbers in frames of a thermal camera mean."""

    scale: str | None = None  # of counts, for images.scales
    span: tuple[float, float] | None = None  # degC at grey 0 and 1, for frames that hold temperatures

    def levels(self, path: Path) -> Shaped[np.ndarray, "h w"]:
        """A frame's own whole numbers, or its temperatures as grey.

        Raises:
            UsageError: no such scale or span.
            DataError: a broken frame, or temperatures without a span.
        """
        check_span(self.span)
        picture = read_picture(path, read=shared_child().read)
        if self.scale is not None:
            picture = scale_named(self.scale).celsius(picture)
        return as_grey(picture, self.span) if picture.unit == "degC" else picture.pixels


@dataclass(frozen=True)
class Rectified:
    """What was written."""

    out: Path
    files: tuple[Path, ...]
    told: dict[str, Any]  # what rectified.json says
    refused: tuple[str, ...] = ()  # why, of each frame that could not be rectified


def open_view(path: Path, bed: tuple[float, float] | None = None) -> CameraView:
    """The camera's view from a camera file in TOML, or from corners marked with labelme (JSON).

    Args:
        path: the file.
        bed: mm, x and y; for labelme only.

    Raises:
        UsageError: no such file, a size of the bed where the file has one, or none where it has not.
        DataError: broken, or corners that fix no view.
    """
    if path.suffix.lower() == ".json":
        return read_labelme(read_bytes(path), path.name, bed)
    if bed is not None:
        raise UsageError(f"{path.name} holds the bed's size; leave --bed away")
    return read_camera(read_text(path), path.name)


def one_view(corners: Path | None, camera: Path | None, bed: str | None) -> CameraView:
    """The view from the one file that is given, corners or camera file, and the words of the bed's size.

    Raises:
        UsageError: none or both; or as in ``open_view`` and ``read_pair``.
        DataError: as in ``open_view``.
    """
    given = [path for path in (corners, camera) if path is not None]
    if len(given) != 1:
        raise UsageError("give the bed's corners, either with --camera camera.toml or with --corners corners.json")
    return open_view(given[0], read_pair(bed, "--bed", "480x480"))


def read_pair(text: str | None, option: str, example: str) -> tuple[float, float] | None:
    """Words such as "480x400" as two numbers; None stays None.

    Raises:
        UsageError: no such two numbers; the option is named.
    """
    if text is None:
        return None
    try:
        x, y = (float(side) for side in text.lower().split("x"))
    except ValueError:
        raise UsageError(f"{option} {text}; give x and y in mm, such as {example}") from None
    if not (math.isfinite(x) and math.isfinite(y)):
        raise UsageError(f"{option} {text}; give x and y in mm, such as {example}")
    return x, y


def bed_of(
    pixels: Shaped[np.ndarray, "a b"], view: CameraView, mm_per_px: float, name: str, border: float = float("nan")
) -> Float32[np.ndarray, "h w"]:
    """The bed as a frame shows it, in grey; whole numbers are averaged before they are scaled, which is quicker.

    Raises:
        DataError: a frame of another size than the corners', or pixels without a scale.
    """
    if pixels.dtype in (np.uint8, np.uint16):
        most = float(np.iinfo(pixels.dtype).max)
        return view.rectified(pixels, mm_per_px, border=border * most, name=name) / np.float32(most)
    return view.rectified(to_grey(pixels, name), mm_per_px, border=border, name=name)


def rectify(
    frames: Path,
    view: CameraView,
    mm_per_px: float,
    out: Path,
    *,
    border: float = 0.0,
    heat: Heat = Heat(),
    progress: Progress = silent,
) -> Rectified:
    """Rectify a frame, or every frame below a folder; the files keep their names and get the ending .tiff.

    Frames of a folder that cannot be read, or are of another size, are left out and told.

    Args:
        frames: a file or a folder.
        view: the camera's.
        mm_per_px: size of the new pixels.
        out: a new or empty folder.
        border: grey where the frame shows nothing of the bed.
        heat: what the numbers of a thermal camera mean; temperatures become grey over its span.
        progress: told after each frame.

    Raises:
        UsageError: no such file or folder, or an ``out`` that holds something or cannot be written.
        DataError: no frame at all could be rectified; says why of the first.
    """
    if not 0 <= border <= 1:
        raise UsageError(f"--border {border:g}; give a grey between 0 and 1")
    names = _names(frames)
    _check_empty(out, frames)
    told = _grid_told(view, mm_per_px)
    written: list[tuple[Path, Path]] = []
    refused: dict[str, str] = {}
    with new_folder(out) as folder:
        for number, (source, name) in enumerate(names):
            try:
                image = bed_of(heat.levels(source), view, mm_per_px, str(source), border)
            except DataError as error:
                refused[str(source)] = str(error)
            else:
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                (folder / name).write_bytes(encode_tiff(to_uint16(image)))
                written.append((source, name))
            progress("rectify", number + 1, len(names))
        if not written:
            _refuse_all(frames, list(refused.values()))
        told |= {"span": None if heat.span is None else list(heat.span)}
        told |= {"files": {str(name): str(source) for source, name in written}, "refused": refused}
        (folder / DESCRIPTION).write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    return Rectified(out, tuple(out / name for _, name in written), told, tuple(refused.values()))


def _grid_told(view: CameraView, mm_per_px: float) -> dict[str, Any]:
    """What there is to say before any frame is read.

    Raises:
        UsageError: a grid that is too large or too small, or one of which the frames show nothing.
    """
    try:
        grid = view.grid(mm_per_px)
    except DataError as error:
        raise UsageError(str(error)) from None
    if not grid.seen.any():
        raise UsageError("the frames show nothing of the bed: its corners lie outside them; look at the corners")
    return {
        "mm_per_px": mm_per_px,
        "width": grid.shape[1],
        "height": grid.shape[0],
        "bed_mm": list(view.bed),
        "frame_px_per_mm": [round(side, 4) for side in view.px_per_mm],
        "residual_px": round(view.residual, 4),
        "bed_seen": round(float(grid.seen.mean()), 6),
    }


def _refuse_all(frames: Path, reasons: Sequence[str]) -> NoReturn:
    if frames.is_file() or len(reasons) == 1:
        raise DataError(reasons[0])
    raise DataError(f"{frames}: none of {len(reasons)} frames could be rectified; the first: {reasons[0]}")


def _names(frames: Path) -> list[tuple[Path, Path]]:
    """Every frame, and the file that it becomes."""
    if frames.is_file():
        return [(frames, Path(frames.stem + ".tiff"))]
    if not frames.is_dir():
        raise UsageError(f"{frames}: no such file or folder; give a frame, or a folder of frames")
    sources = image_files(frames)
    names = [source.relative_to(frames).with_suffix(".tiff") for source in sources]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise DataError(f"{frames}: two frames would become {twice}; give their files different names")
    return list(zip(sources, names, strict=True))


def _check_empty(out: Path, frames: Path) -> None:
    if out.exists() and not out.is_dir():
        raise UsageError(f"{out} is a file; give --out a new folder")
    if out.is_dir() and any(out.iterdir()):
        raise UsageError(f"{out} is not empty; choose another --out")
    if out.resolve().is_relative_to(frames.resolve()):
        raise UsageError(f"{out} lies inside {frames}, which is read; give an --out elsewhere")
    check_writable(out)


def write_page(out: Path, frame: Path | None = None) -> None:
    """Write the page on which corners are clicked: one file that needs no network.

    Args:
        out: the page.
        frame: shown in it at once, of any kind that is read; None: one that the browser can show is chosen there.

    Raises:
        UsageError: it cannot be written.
        DataError: the frame cannot be read, or nothing in it can be shown.
    """
    if out.is_dir():
        raise UsageError(f"{out} is a folder; give --out a file, such as corners.html")
    if out.suffix.lower() not in _PAGES:
        raise UsageError(f"{out}: what is written is a page; give an --out that ends in .html")
    check_result(out, [] if frame is None else [frame])
    page = resources.files("layerwatch.images").joinpath("corners.html").read_text("utf-8")
    if frame is not None:
        data = base64.b64encode(preview(read_picture(frame, read=shared_child().read))).decode()
        told = json.dumps({"name": frame.name, "image": f"data:image/png;base64,{data}"})
        page = page.replace(_NO_FRAME, f"const GIVEN = {told};".replace("<", "\\u003c"))  # nothing ends the script
    write_file(out, page.encode("utf-8"))
