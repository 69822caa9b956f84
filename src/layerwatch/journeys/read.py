"""One image file -> what it holds, what frame it says it is, and that frame as a 16-bit TIFF if wanted."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from layerwatch.images.archive import encode_tiff
from layerwatch.images.grey import as_grey, check_span, to_uint16
from layerwatch.images.naming import Identified, Naming, Pattern
from layerwatch.images.outside import ReadingChild, shared_child
from layerwatch.images.scales import scale_named
from layerwatch.images.writing import check_result, write_file
from layerwatch.records import DataError, Picture, UsageError

_TIFF = (".tif", ".tiff")
_HELD = ("shape", "dtype", "unit", "min", "max", "mean", "page", "pages", "tags", "exposed")  # null where refused


@dataclass(frozen=True)
class Question:
    """How a file is to be read."""

    pattern: str | None = None  # of its path, for images.naming
    scale: str | None = None  # name of a linear temperature scale, for images.scales
    page: int = 0  # which picture of it
    span: tuple[float, float] | None = None  # degC at levels 0 and 65535 of what is written
    out: Path | None = None  # 16-bit TIFF to be written


@dataclass(frozen=True)
class Figures:
    """Of the pixels that have a value, in the picture's unit."""

    min: float
    max: float
    mean: float
    holes: int  # pixels without one


@dataclass(frozen=True, eq=False)
class Answer:
    """What one file holds, or why it was refused."""

    file: str
    picture: Picture | None
    found: Identified
    refused: str = ""
    figures: Figures | None = None

    def as_json(self) -> str:
        """One object; what is not known is null."""
        picture, identity, fault = self.picture, self.found.identity, self.found.fault
        told: dict[str, Any] = {"file": self.file, "refused": self.refused or None, **dict.fromkeys(_HELD)}
        if picture is not None and self.figures is not None:
            told |= {"shape": list(picture.pixels.shape), "dtype": picture.pixels.dtype.name, "unit": picture.unit}
            told |= {"min": self.figures.min, "max": self.figures.max, "mean": self.figures.mean}
            told |= {"page": picture.page, "pages": picture.pages, "tags": dict(picture.tags)}
            told["exposed"] = None if picture.time is None else picture.time.isoformat()
        told |= {"printer": identity.printer, "job": identity.job, "layer": identity.layer, "phase": identity.phase}
        told["time"] = None if identity.time is None else identity.time.isoformat()
        told["unidentified"] = None if fault is None else fault.evidence
        told |= {"contradictions": list(self.found.contradictions), "unusable": list(self.found.unusable)}
        return json.dumps(told, indent=1, ensure_ascii=False)

    @property
    def lines(self) -> list[str]:
        """The same for the terminal."""
        identity, fault = self.found.identity, self.found.fault
        said = [f"{name} {getattr(identity, name)}" for name in identity.known]
        lines = [self.refused or self._held(), f"frame: {', '.join(said) or 'unknown'}"]
        lines += [f"unidentified: {fault.evidence}"] if fault else []
        lines += [f"contradiction: {text}" for text in self.found.contradictions]
        return lines

    def _held(self) -> str:
        picture, figures = self.picture, self.figures
        if picture is None or figures is None:
            return f"{self.file}: nothing"
        height, width = picture.pixels.shape
        levels = f"{figures.min:.6g} to {figures.max:.6g}, mean {figures.mean:.6g} {picture.unit}"
        levels += f", {figures.holes} pixels without a value" if figures.holes else ""
        page = f", picture {picture.page} of {picture.pages}" if picture.pages > 1 else ""
        return f"{self.file}: {width} x {height} px, {picture.pixels.dtype}, {levels}{page}"


def read(path: Path, question: Question, child: ReadingChild | None = None) -> Answer:
    """Read one file in a child process, say what it holds, and write it as a frame if wanted.

    Args:
        path: of the file.
        question: how it is to be read.
        child: that reads; default: the one that all share.

    Raises:
        UsageError: the pattern, the scale, the span or where to write cannot work; a package is missing.
    """
    naming, scale = _naming(question), scale_named(question.scale) if question.scale else None
    _check_out(path, question)
    try:
        picture = (child or shared_child()).read(path, str(path), question.page)[0]
        picture = picture if scale is None else scale.celsius(picture)
        figures = _figures(picture)
        if question.out is not None:
            write_file(question.out, _frame(picture, question.span))
    except DataError as error:
        return Answer(str(path), None, naming.identify(path), str(error))
    return Answer(str(path), picture, naming.identify(path, picture), figures=figures)


def _naming(question: Question) -> Naming:
    if question.pattern is None:
        return Naming()
    pattern = Pattern(question.pattern)
    pattern.check()
    return Naming(pattern)


def _check_out(path: Path, question: Question) -> None:
    check_span(question.span)
    if question.out is None:
        if question.span is not None:
            raise UsageError("--span is for a frame that is written; give --out FRAME.tiff with it")
        return
    if question.out.suffix.lower() not in _TIFF:
        raise UsageError(f"{question.out}: frames are written as 16-bit TIFF; give an --out that ends in .tiff")
    if question.out.resolve() == path.resolve():
        raise UsageError(f"{question.out} is the file that is read; give another --out")
    check_result(question.out, ())


def _frame(picture: Picture, span: tuple[float, float] | None) -> bytes:
    """16-bit TIFF: levels of 16 bits as they are, temperatures through the span."""
    pixels = picture.pixels if picture.pixels.dtype == np.uint16 else to_uint16(as_grey(picture, span))
    return encode_tiff(pixels.astype(np.uint16))


def _figures(picture: Picture) -> Figures:
    values = picture.pixels[np.isfinite(picture.pixels)].astype(np.float64)
    if not values.size:
        raise DataError(f"{picture.name}: every pixel is NaN or infinite; look at what wrote it")
    return Figures(float(values.min()), float(values.max()), float(values.mean()), picture.pixels.size - values.size)
