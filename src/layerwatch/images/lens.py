"""Where an ideal pinhole camera would see a point <-> where the lens puts it, in px; fitted from a target's points.

Brown (1966), Conrady (1919): with ``r2 = x^2 + y^2`` in units of ``unit`` around the centre,
``x' = x (1 + k1 r2 + k2 r2^2) + 2 p1 x y + p2 (r2 + 2 x^2)``, ``y' = y (1 + ...) + p1 (r2 + 2 y^2) + 2 p2 x y``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float64
from scipy import optimize

from layerwatch.images.homography import Matrix, Points, fit_homography, mapped
from layerwatch.records import DataError

_STEPS = 40
_ENOUGH = 12  # points, for 8 numbers of the homography and 4 of the lens


@dataclass(frozen=True)
class Lens:
    """Radial (k1, k2) and tangential (p1, p2) distortion around a centre."""

    centre: tuple[float, float]  # px, (x, y)
    unit: float  # px, the length in which the coefficients count: a focal length, or half the frame's diagonal
    k1: float = 0.0
    k2: float = 0.0
    p1: float = 0.0
    p2: float = 0.0

    @classmethod
    def ideal(cls, width: int, height: int) -> Lens:
        """No distortion, around the middle of the frame, in units of half its diagonal."""
        return cls((width / 2, height / 2), float(np.hypot(width, height) / 2))

    @property
    def is_ideal(self) -> bool:
        """It leaves every point where it is."""
        return not any((self.k1, self.k2, self.p1, self.p2))

    def distorted(self, points: Float64[np.ndarray, "*n 2"]) -> Float64[np.ndarray, "*n 2"]:
        """Where the lens puts what an ideal camera sees at the points."""
        if self.is_ideal:
            return points
        x, y = self._centred(points)
        r2 = x * x + y * y
        radial = 1 + r2 * (self.k1 + r2 * self.k2)
        dx = 2 * self.p1 * x * y + self.p2 * (r2 + 2 * x * x)
        dy = self.p1 * (r2 + 2 * y * y) + 2 * self.p2 * x * y
        return np.asarray(np.stack([x * radial + dx, y * radial + dy], -1) * self.unit + np.array(self.centre))

    def ideally(self, points: Float64[np.ndarray, "*n 2"]) -> Float64[np.ndarray, "*n 2"]:
        """The inverse of ``distorted``, by Newton steps with a numerical derivative.

        Raises:
            DataError: the distortion folds the picture, so there is no inverse.
        """
        if self.is_ideal:
            return points
        found, h = points.astype(np.float64), 1e-3
        right, down = np.array([h, 0.0]), np.array([0.0, h])
        for _ in range(_STEPS):
            off = points - self.distorted(found)
            a, c = np.moveaxis(self.distorted(found + right) - self.distorted(found - right), -1, 0) / (2 * h)
            b, d = np.moveaxis(self.distorted(found + down) - self.distorted(found - down), -1, 0) / (2 * h)
            determinant = a * d - b * c
            x = (d * off[..., 0] - b * off[..., 1]) / determinant
            y = (a * off[..., 1] - c * off[..., 0]) / determinant
            found = found + np.stack([x, y], -1)
            if not np.isfinite(found).all():
                break
            if np.abs(off).max(initial=0.0) < 1e-9 * self.unit:
                middle = np.array(self.centre)
                same_side = ((found - middle) * (points - middle)).sum(-1) >= 0
                if not (same_side & (determinant > 0)).all():
                    break
                return np.asarray(found)
        raise DataError("this lens distortion folds the picture; give smaller k1, k2, p1, p2, or look at their unit")

    def _centred(self, points: Float64[np.ndarray, "*n 2"]) -> tuple[np.ndarray, np.ndarray]:
        x = (points[..., 0] - self.centre[0]) / self.unit
        y = (points[..., 1] - self.centre[1]) / self.unit
        return x, y


@dataclass(frozen=True, eq=False)
class Calibration:
    """A camera's homography and lens, and how well they meet the points that they were fitted to."""

    homography: Matrix  # bed in mm to ideal px
    lens: Lens
    residual: float  # px, root mean square over the coordinates, allowing for the numbers fitted; 0 for four points


def calibrate(bed: Points, frame: Points, lens: Lens, *, fit_lens: bool = False) -> Calibration:
    """Fit the homography, and the lens as well if wanted, to points of the bed (mm) and of the frame (px).

    Args:
        bed: in mm.
        frame: the same points in px of the frame.
        lens: the known lens, or where the fit begins.
        fit_lens: fit k1, k2, p1, p2 too.

    Raises:
        DataError: too few points, points on one line, or a fit that does not settle.
    """
    if fit_lens and len(bed) < _ENOUGH:
        raise DataError(f"{len(bed)} points are too few for the lens; give {_ENOUGH} or more of a target, or k1 to p2")
    H = fit_homography(bed, lens.ideally(frame))
    if fit_lens:
        H, lens = _joint(H, lens, bed, frame)
    off = lens.distorted(mapped(H, bed)) - frame
    free = max(2 * len(bed) - 8 - 4 * fit_lens, 1)
    return Calibration(H, lens, float(np.sqrt((off**2).sum() / free)) if len(bed) > 4 else 0.0)


def _joint(H: Matrix, lens: Lens, bed: Points, frame: Points) -> tuple[Matrix, Lens]:
    """Levenberg and Marquardt's least squares over eight numbers of the homography and four of the lens."""
    to_mm, to_px = _unit_scale(bed), _unit_scale(frame)
    back, s = np.linalg.inv(to_px), mapped(to_mm, bed)
    H = to_px @ H @ np.linalg.inv(to_mm)

    def misses(values: Float64[np.ndarray, " 12"]) -> Float64[np.ndarray, " m"]:
        ideal = mapped(back, mapped(np.append(values[:8], 1.0).reshape(3, 3), s))
        return np.asarray((_with(lens, values[8:]).distorted(ideal) - frame).ravel())

    start = np.append((H / H[2, 2]).ravel()[:8], (lens.k1, lens.k2, lens.p1, lens.p2))
    found = optimize.least_squares(misses, start, method="lm", x_scale="jac", xtol=1e-14, ftol=1e-14, gtol=1e-14)
    if not np.isfinite(found.x).all():
        raise DataError("the lens does not settle on these points; look for a pair that is wrong, or give more points")
    H = back @ np.append(found.x[:8], 1.0).reshape(3, 3) @ to_mm
    return np.asarray(H / H[2, 2]), _with(lens, found.x[8:])


def _unit_scale(points: Points) -> Matrix:
    middle, size = points.mean(0), float(np.abs(points - points.mean(0)).max())
    return np.array([[1 / size, 0, -middle[0] / size], [0, 1 / size, -middle[1] / size], [0, 0, 1]])


def _with(lens: Lens, numbers: np.ndarray) -> Lens:
    k1, k2, p1, p2 = (float(v) for v in numbers)
    return replace(lens, k1=k1, k2=k2, p1=p1, p2=p2)
