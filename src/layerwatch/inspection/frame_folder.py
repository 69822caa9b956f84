"""A folder of image files, with nominal plans of the same names beside it -> frames in natural order."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import Shaped, UInt8
from scipy import ndimage

from layerwatch.images.folder import image_files, read_image, read_picture, read_pixels
from layerwatch.images.grey import as_grey
from layerwatch.images.naming import UNKNOWN_LAYER, Naming, Pattern
from layerwatch.images.outside import shared_child
from layerwatch.images.scales import scaled
from layerwatch.records import DataError, Fault, LayerImage

_PLANS = (".png", ".tif", ".tiff")
_DIGITS = re.compile(r"(?<![0-9])(?<![0-9]T)[0-9]+")  # not the time of a date such as 20260102T030400
_LONGEST = 7  # digits of a layer's number; dates have eight
_UNIDENTIFIED = "give --pattern, such as {layer}_v2, or a sidecar NAME.json with its layer"
_NONE = np.zeros((1, 1), np.float32)
_MOST_INSTANCES = 64  # copies of parts on one bed, and more than any mask has values


@dataclass(frozen=True)
class Folder:
    """One job as a folder of files, one a layer; a pattern, a sidecar or the number in a file's name says which."""

    path: Path
    plans: Path | None = (
        None  # masks of the same names: 0 bed, 1.. part instance; NAME.coverage.png: 255 times the share
    )
    mm_per_px: float = 1.0
    job: str = ""  # default: the folder's name
    span: tuple[float, float] | None = None  # degC at grey 0 and 1, for files that hold temperatures
    scale: str | None = None  # what a thermal camera's counts mean, by the scale's name
    pattern: str | None = None  # of the paths, for images.naming; None: sidecars, else the number in the name
    holes: float = 0.0  # share of a frame's pixels that may hold no number; they come as nan
    is_flat: bool = False  # what lies in sub-folders is not of this job

    def count(self) -> int:
        """How many frames there are now."""
        return len(self._files())

    def _files(self) -> list[Path]:
        paths = image_files(self.path)
        return [path for path in paths if path.parent == self.path] if self.is_flat else list(paths)

    def frames(self) -> Iterator[LayerImage | Fault]:
        """Every frame once, in natural order; a frame whose layer is not known is a fault, never a guess."""
        paths = self._files()
        numbered = _numbers([path.stem for path in paths]) if self.pattern is None else [None] * len(paths)
        naming = Naming(None if self.pattern is None else Pattern(self.pattern), ("layer",))
        for path, number in zip(paths, numbered, strict=True):
            found = naming.identify(path)
            known = found.identity.layer if found.fault is None else None if found.unusable else number
            job, kind, name = self.job or self.path.name, "unreadable frame", str(path.relative_to(self.path))
            if known is None:
                yield Fault(job, UNKNOWN_LAYER, "unidentified", "; ".join([name, *found.unusable]), _UNIDENTIFIED, name)
                continue
            try:
                image = self._read(path, LayerImage(job, known, _NONE, name=name, span=self.span))
                kind = "unusable plan"
                yield self._with_plan(image, path)
            except DataError as error:
                yield Fault(job, known, kind, str(error), "the layer is not judged", name)

    def _read(self, path: Path, empty: LayerImage) -> LayerImage:
        """The frame, with nan where it holds no number if there may be some of these."""
        read = scaled(shared_child().read, self.scale)  # from outside
        if not self.holes:
            return read_image(path, job=empty.job, layer=empty.layer, name=empty.name, span=self.span, read=read)
        picture = read_picture(path, empty.name, read=read)
        pixels = picture.pixels
        known = np.isfinite(pixels) if pixels.dtype.kind == "f" else np.ones(pixels.shape, bool)
        share = 1 - float(known.mean())
        if share > self.holes:
            raise DataError(f"{empty.name}: {share:.0%} of the pixels are NaN or infinite; mend the export")
        if share:
            filled = np.where(known, pixels, np.median(pixels[known])).astype(pixels.dtype)
            picture = replace(picture, pixels=filled)
        grey = np.asarray(np.where(known, as_grey(picture, self.span), np.float32("nan")), np.float32)
        bits = 8 * pixels.dtype.itemsize if picture.unit != "degC" and pixels.dtype in (np.uint8, np.uint16) else None
        return replace(empty, pixels=grey, time=picture.time, bits=bits)

    def _with_plan(self, image: LayerImage, path: Path) -> LayerImage:
        return replace(
            image,
            mm_per_px=self.mm_per_px,
            plan=self._plan(path, image.pixels.shape),
            coverage=self._coverage(path, image.pixels.shape),
        )

    def _plan(self, frame: Path, shape: tuple[int, ...]) -> UInt8[np.ndarray, "h w"] | None:
        mask = self._beside(frame.stem, shape)
        if mask is not None and len(np.unique(mask)) > _MOST_INSTANCES:
            raise DataError(
                f"the plan of {frame.name} has more than {_MOST_INSTANCES} values, it is no mask; see --plans"
            )
        if mask is None:
            return None
        if not np.any(mask > 0):
            raise DataError(f"the plan of {frame.name} has no part; nothing is known of how this layer should look")
        if np.all(mask > 0):
            raise DataError(
                f"the plan of {frame.name} fills the frame, no bed is left and no outline; give masks in which 0 is "
                "bed, or a wider view"
            )
        return _instances(mask)

    def _coverage(self, frame: Path, shape: tuple[int, ...]) -> UInt8[np.ndarray, "h w"] | None:
        mask = self._beside(f"{frame.stem}.coverage", shape)
        return None if mask is None or mask.dtype != np.uint8 else mask

    def _beside(self, stem: str, shape: tuple[int, ...]) -> Shaped[np.ndarray, "h w"] | None:
        """The pixels of the plan file of that name, if there is one."""
        if self.plans is None:
            return None
        found = [path for path in (self.plans / f"{stem}{suffix}" for suffix in _PLANS) if path.is_file()]
        if not found:
            return None
        mask = read_pixels(found[0])
        if mask.shape != shape:
            sizes = ["{1} x {0}".format(*s) for s in (mask.shape, shape)]
            raise DataError(
                f"{found[0]}: plan of {sizes[0]} pixels for a frame of {sizes[1]}; draw it in the frame's grid"
            )
        return mask


def _instances(mask: Shaped[np.ndarray, "h w"]) -> UInt8[np.ndarray, "h w"]:
    """Part instances: the mask's own numbers if it has several, else its islands in reading order."""
    values = np.unique(mask[mask > 0])
    if len(values) > 1 and values.max() <= _MOST_INSTANCES:
        return np.asarray(mask, np.uint8)
    islands, _ = ndimage.label(mask > 0, np.ones((3, 3)))
    return np.asarray(np.minimum(islands, 255), np.uint8)


def _numbers(stems: Sequence[str]) -> list[int | None]:
    """The layer of each file: its only number, or the only one that differs from file to file, dates and times apart.

    None where there is no number, or several that differ.
    """
    found = [[int(digits) for digits in _DIGITS.findall(stem) if len(digits) <= _LONGEST] for stem in stems]
    most = max(map(len, found), default=0)
    places = [place for place in range(most) if len({some[place] for some in found if len(some) == most}) > 1]
    if len(stems) == 1:
        return [some[-1] if some else None for some in found]
    chosen = places[0] if len(places) == 1 else None
    return [some[chosen] if chosen is not None and len(some) == most else None for some in found]
