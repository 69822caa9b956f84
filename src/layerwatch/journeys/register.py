"""A frame and the plan of its layer -> how the print lies against its plan, in mm with sigmas, or why not told."""

from __future__ import annotations

import json
import math
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32

from layerwatch.images.first_place import Reach
from layerwatch.images.folder import read_pixels
from layerwatch.images.grey import to_grey
from layerwatch.images.outside import shared_child
from layerwatch.images.overlay import overlay
from layerwatch.images.rectify import CameraView
from layerwatch.images.registration import Registration, register
from layerwatch.images.writing import check_result, write_file
from layerwatch.journeys.plan_source import PlanSource
from layerwatch.journeys.rectify import DESCRIPTION, bed_of
from layerwatch.records import UsageError


@dataclass(frozen=True)
class Bounds:
    """How far a print may lie from its plan; None: 5 % of the frame's longer side, at least 16 px."""

    shift_mm: float | None = None
    rotation_deg: float = 2.0
    scale: float = 0.02

    def reach(self, shape: tuple[int, int], mm_per_px: float) -> Reach:
        """In px.

        Raises:
            UsageError: a bound below 0, or so large that nothing is left of the frame.
        """
        far = max(16.0, 0.05 * max(shape)) if self.shift_mm is None else self.shift_mm / mm_per_px
        if not (0 < far <= max(shape) and 0 <= self.rotation_deg <= 45 and 0 <= self.scale <= 0.3):
            raise UsageError(
                "give a --max-shift above 0 mm and up to the frame's longer side, a --max-rotation of 0 to 45 degrees "
                "and a --max-scale of 0 to 0.3"
            )
        return Reach(far, self.rotation_deg, self.scale)


@dataclass(frozen=True, eq=False)
class Answer:
    """The registration of one frame."""

    frame: Path
    plan: Path
    mm_per_px: float
    image: Float32[np.ndarray, "h w"]  # grey, nan where the bed is not seen
    found: Registration
    seconds: float  # of the registration alone

    def told(self) -> dict[str, Any]:
        """As JSON; numbers that are not told are null."""
        head = {"frame": str(self.frame), "plan": str(self.plan), "mm_per_px": self.mm_per_px}
        head |= {"registered": self.found.is_placed, "reason": self.found.reason, "seconds": round(self.seconds, 4)}
        if self.found.placed is None:
            return head
        placed = asdict(self.found.placed)
        placed.pop("covariance")
        placed["covariance"] = self.found.placed.covariance.tolist()
        placed["outline_mm"], placed["outline_placed_mm"] = placed.pop("whole"), placed.pop("shape")
        plain: dict[str, Any] = _plain(head | placed)
        return plain

    def lines(self) -> list[str]:
        """For a person."""
        placed = self.found.placed
        if placed is None:
            return [f"{self.frame.name}: not registered: {self.found.reason}"]
        (x, y), (sx, sy) = placed.shift_mm, placed.shift_sigma_mm
        lines = [f"{self.frame.name}: shift x {x:+.3f} ± {sx:.3f} mm, y {y:+.3f} ± {sy:.3f} mm"]
        if not math.isnan(placed.rotation_deg):
            lines.append(f"  rotation {placed.rotation_deg:+.4f} ± {placed.rotation_sigma_deg:.4f} degrees, clockwise")
        if not math.isnan(placed.scale):
            lines.append(f"  scale {placed.scale:.5f} ± {placed.scale_sigma:.5f}")
        for what, measure in (("its plan", placed.whole), ("its plan, laid where it was found", placed.shape)):
            lines.append(
                f"  outline against {what}: median {measure.median:+.3f} ± {measure.median_sigma:.3f} mm, "
                f"95 % within {measure.p95:.3f} mm, seen along {measure.seen:.0%}"
            )
        return lines


def register_frame(
    frame: Path,
    plan: PlanSource,
    mm_per_px: float | None = None,
    view: CameraView | None = None,
    bounds: Bounds | None = None,
    picture: Path | None = None,
) -> Answer:
    """Register one frame.

    Args:
        frame: rectified, or as the camera gives it together with ``view``.
        plan: of the layer.
        mm_per_px: of the rectified frame; None: what rectified.json or archive.json above it says.
        view: the camera's, for a frame that is not rectified.
        bounds: how far the print may lie from its plan.
        picture: a PNG to write, with the outline over the frame.

    Raises:
        UsageError: no such file, or no size of a pixel.
        DataError: a broken file, or a frame of another size than the corners'.
    """
    if picture is not None:
        if picture.suffix.lower() != ".png":
            raise UsageError(f"{picture}: the picture is a PNG; give a name that ends in .png")
        check_result(picture, [frame, plan.path])
    if not frame.is_file():
        what = "this is a folder" if frame.is_dir() else "no such file"
        raise UsageError(f"{frame}: {what}; give one frame")
    mm = _pixel_size(frame, mm_per_px, is_rectified=view is None)
    pixels = read_pixels(frame, str(frame), read=shared_child().read)
    image = to_grey(pixels, str(frame)) if view is None else bed_of(pixels, view, mm, str(frame))
    coverage = plan.coverage(image.shape, mm)
    reach = (bounds or Bounds()).reach(image.shape, mm)
    start = time.perf_counter()
    found = register(image, coverage, mm, reach)
    answer = Answer(frame, plan.path, mm, image, found, time.perf_counter() - start)
    if picture is not None:
        write_file(picture, overlay(image, found, max(1, 800 // max(image.shape))))
    return answer


def _pixel_size(frame: Path, told: float | None, *, is_rectified: bool) -> float:
    """The size of a pixel that was given, or that a description above the frame holds."""
    if told is not None:
        if not 1e-4 < told < 1000:
            raise UsageError(f"{told:g} mm per pixel; give a size above 0, such as 0.5")
        return told
    for folder in list(frame.absolute().parents)[:3] if is_rectified else []:
        for name in (DESCRIPTION, "archive.json"):
            try:
                return float(json.loads((folder / name).read_bytes())["mm_per_px"])
            except (OSError, ValueError, KeyError, TypeError):
                continue
    raise UsageError(f"{frame}: the size of its pixels on the bed is not known; give it with --mm-per-px")


def _plain(value: Any) -> Any:
    """Numbers that are none become null, tuples lists."""
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    if isinstance(value, float):
        return round(value, 9) if math.isfinite(value) else None
    return value
