"""Corners or points of a target in a frame -> the camera's view of the bed, and frames of it as the bed in mm.

Bed and frame are as in records: x along columns, y along rows, the centre of the first pixel at (0.5, 0.5) px.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from jaxtyping import Float32, Float64, Shaped

from layerwatch.images.homography import Matrix, Points, mapped
from layerwatch.images.lens import Lens, calibrate
from layerwatch.images.resampling import Resampling, resampling
from layerwatch.records import DataError

_MOST_PIXELS = 8192 * 8192
_STRETCH = 20.0  # times that a mm may be longer in one place of the frame than in another


@dataclass(frozen=True, eq=False)
class CameraView:
    """How one camera sees the bed."""

    bed: tuple[float, float]  # mm: x, y
    frame: tuple[int, int]  # px: width, height
    homography: Matrix  # bed in mm to px of an ideal camera
    lens: Lens
    residual: float = 0.0  # px, root mean square of the points it was fitted to
    _grids: dict[float, Resampling] = field(default_factory=dict, repr=False)

    def on_frame(self, bed: Float64[np.ndarray, "*n 2"]) -> Float64[np.ndarray, "*n 2"]:
        """Points of the bed in mm to px of the frame."""
        return self.lens.distorted(mapped(self.homography, bed))

    def on_bed(self, frame: Float64[np.ndarray, "*n 2"]) -> Float64[np.ndarray, "*n 2"]:
        """Points of the frame in px to mm on the bed."""
        return mapped(np.linalg.inv(self.homography), self.lens.ideally(frame))

    @property
    def px_per_mm(self) -> tuple[float, float]:
        """Pixels of the frame to a mm of the bed: where it is shortest and where it is longest."""
        sides = np.linalg.svd(self._slopes, compute_uv=False)
        return float(sides.min()), float(sides.max())

    @property
    def is_folded(self) -> bool:
        """The lens shows some of the bed twice, so that it cannot be taken out."""
        turned = np.linalg.det(self._slopes)
        return not ((turned > 0).all() or (turned < 0).all())

    @cached_property
    def _slopes(self) -> Float64[np.ndarray, "k k 2 2"]:
        """Of the frame's px by the bed's mm, at points spread over the bed."""
        x, y = (np.linspace(0, side, 9) for side in self.bed)
        at, step = np.stack(np.meshgrid(x, y), -1), 1e-3 * min(self.bed)
        ends = [self.on_frame(at + d) - self.on_frame(at - d) for d in (np.array([step, 0]), np.array([0, step]))]
        return np.stack(ends, -1) / (2 * step)

    def shape(self, mm_per_px: float) -> tuple[int, int]:
        """Height and width of the bed in pixels of that size; a last started pixel counts."""
        x, y = self.bed
        return max(int(np.ceil(y / mm_per_px - 1e-6)), 1), max(int(np.ceil(x / mm_per_px - 1e-6)), 1)

    def grid(self, mm_per_px: float) -> Resampling:
        """The weights that turn this camera's frames into the bed; worked out once for each size of pixel.

        Raises:
            DataError: a pixel that is not above 0, or so small that the bed has too many.
        """
        if not (np.isfinite(mm_per_px) and mm_per_px > 0):
            raise DataError(f"{mm_per_px:g} mm per pixel; give a size above 0, such as 0.5")
        if mm_per_px not in self._grids:
            height, width = self.shape(mm_per_px)
            if height * width > _MOST_PIXELS or min(height, width) < 8:
                raise DataError(
                    f"the bed of {self.bed[0]:g} x {self.bed[1]:g} mm is {width} x {height} pixels of {mm_per_px:g} "
                    f"mm; give --mm-per-px so that it is 8 x 8 to {_MOST_PIXELS:,} pixels"
                )

            def places(at: Float64[np.ndarray, "*n 2"]) -> Float64[np.ndarray, "*n 2"]:
                return self.on_frame(at * mm_per_px)

            self._grids[mm_per_px] = resampling(places, self.frame[::-1], (height, width))
        return self._grids[mm_per_px]

    def rectified(
        self, pixels: Shaped[np.ndarray, "a b"], mm_per_px: float, *, border: float = float("nan"), name: str = "frame"
    ) -> Float32[np.ndarray, "h w"]:
        """The bed as one frame shows it, in the frame's own unit; means over each pixel's area.

        Args:
            pixels: the frame.
            mm_per_px: size of the new pixels on the bed.
            border: stands for what the frame does not show.
            name: of the frame, for messages.

        Raises:
            DataError: a frame of another size than the corners were taken from, or as in ``grid``.
        """
        if pixels.shape != self.frame[::-1]:
            a, b = ("{1} x {0}".format(*s) for s in (pixels.shape, self.frame[::-1]))
            raise DataError(f"{name}: {a} pixels, the corners were taken in a frame of {b}; click the corners anew")
        return self.grid(mm_per_px).apply(pixels, border)


def view_of_corners(
    corners: Sequence[tuple[float, float]], bed: tuple[float, float], frame: tuple[int, int], lens: Lens | None = None
) -> CameraView:
    """The view of a bed whose corners are known.

    Args:
        corners: px in the frame, of the bed's corners (0, 0), (x, 0), (x, y), (0, y) in this order.
        bed: mm, x and y.
        frame: px, width and height.
        lens: if it distorts and is known.

    Raises:
        DataError: not four corners, not in this order, three on a line, or a bed that is not above 0 mm.
    """
    if len(corners) != 4:
        raise DataError(f"{len(corners)} corners; give the four of the bed, or points of a target with their mm")
    _check_bed(bed)
    at, (x, y) = np.array(corners, np.float64), bed
    _check_convex(at)
    return view_of_points(np.array([[0, 0], [x, 0], [x, y], [0, y]], np.float64), at, bed, frame, lens)


def view_of_points(
    points: Points,
    seen: Points,
    bed: tuple[float, float],
    frame: tuple[int, int],
    lens: Lens | None = None,
    *,
    fit_lens: bool = False,
) -> CameraView:
    """The view of a bed on which points are known, such as those of a calibration target.

    Args:
        points: mm on the bed.
        seen: the same points in px of the frame.
        bed: mm, x and y.
        frame: px, width and height.
        lens: the known lens; None: one that does not distort.
        fit_lens: fit its coefficients to the points too; 12 points or more.

    Raises:
        DataError: as in ``calibrate``; a bed that is not above 0 mm; or a view so slanted that the bed's far side, or
            what is behind the camera, cannot be told.
    """
    _check_bed(bed)
    found = calibrate(points, seen, lens or Lens.ideal(*frame), fit_lens=fit_lens)
    view = CameraView(bed, frame, found.homography, found.lens, found.residual)
    _check_slant(view)
    return view


def _check_bed(bed: tuple[float, float]) -> None:
    if not all(np.isfinite(side) and side > 0 for side in bed):
        raise DataError(f"a bed of {bed[0]:g} x {bed[1]:g} mm; give its x and y in mm, above 0")


def _check_convex(corners: Points) -> None:
    """Refuse corners whose lines cross: they were given in another order."""
    sides = np.roll(corners, -1, 0) - corners
    following = np.roll(sides, -1, 0)
    turns = sides[:, 0] * following[:, 1] - sides[:, 1] * following[:, 0]
    if not ((turns > 0).all() or (turns < 0).all()):
        raise DataError(
            "the lines between the corners cross or three lie on a line; give them around the bed, in the order "
            "(0, 0), (x, 0), (x, y), (0, y)"
        )


def _check_slant(view: CameraView) -> None:
    x, y = view.bed
    depth = np.array([[0, 0, 1], [x, 0, 1], [x, y, 1], [0, y, 1]]) @ view.homography[2]
    if (depth > 0).all() or (depth < 0).all():
        low, high = view.px_per_mm
        if low > 0 and high / low <= _STRETCH and not view.is_folded:
            return
    raise DataError("the points make part of the bed lie far behind another; look for a pair that is wrong")
