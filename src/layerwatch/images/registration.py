"""A rectified frame and the nominal layer -> shift, rotation, scale of the print with sigmas, outline; or why not.

The plan is laid on the frame in three stages: correlation over all shifts within reach, Gauss-Newton on the outlines
from soft to sharp, and the outline itself, point by point. Light or dark parts do equally well; a defect counts less.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from jaxtyping import Float32, Float64
from scipy import ndimage

from layerwatch.images.cell_fit import MANY, CellFit, Freedom, Told, fit_place, refined
from layerwatch.images.cell_grid import Scene
from layerwatch.images.first_place import Reach, first_place
from layerwatch.images.nominal import Nominal
from layerwatch.images.outline_deviation import Traced, trace
from layerwatch.images.placement import Similarity
from layerwatch.images.resampling import shrunk
from layerwatch.images.soft_plan import Image, Mask, SoftPlan
from layerwatch.records import DataError

_OPTICS = 1.0  # px, blur assumed at first
_COARSE_BLUR = 1.12  # px, of the plan on larger pixels: that of the frame there, and of a pixel
_COARSE_STEP = 0.1  # px, larger ones, that the outlines move in the last step
_COARSEST = 80  # px, of the longer side, where the descent begins
_SIGNIFICANT = 6.0  # standard errors of the contrast of part and bed
_LOOSE = 0.5  # px at the part's radius, from which rotation or scale is not told
_ACROSS = 0.06  # of the outlines' way, that must lie across them for a number to be told
_SHAKY = 1.0  # px, from which the shift is not told
_FLOOR = 0.03  # px, of what no model here explains: older layers' heat, swaths, interpolation
_TRACED = 4.0  # px, how far from the placed outline it is looked for


@dataclass(frozen=True)
class OutlineMeasure:
    """The seen outline against the planned one, along its normal, positive outside the plan."""

    median: float  # mm, signed
    median_absolute: float  # mm
    p95: float  # mm, of the absolute deviation
    median_sigma: float  # mm, standard error of the median
    point_sigma: float  # mm, standard error of one point, in the middle of all points
    seen: float  # share of the planned outline along which one is seen
    points: int


@dataclass(frozen=True, eq=False)
class Placed:
    """Where a print lies against its plan: ``pivot + shift + scale R (p - pivot)``, R turning x towards y."""

    pivot_mm: tuple[float, float]  # the plan's middle
    shift_mm: tuple[float, float]  # of the pivot
    shift_sigma_mm: tuple[float, float]
    rotation_deg: float  # nan where the outline does not tell it
    rotation_sigma_deg: float
    scale: float  # nan where the outline does not tell it
    scale_sigma: float
    covariance: Float64[np.ndarray, "4 4"]  # shift x, y in mm, rotation in rad, scale; 0 for what is not told
    contrast: float  # part less bed, in the frame's unit
    significance: float  # the contrast over its standard error
    blur_px: float  # of the frame, as far as the outlines show it
    whole: OutlineMeasure  # against the plan as it was given
    shape: OutlineMeasure  # against the plan where it was found: what shift, rotation and scale leave


@dataclass(frozen=True, eq=False)
class Registration:
    """The answer for one layer: a place, or the reason why there is none."""

    placed: Placed | None
    reason: str = ""
    outline: Traced | None = field(default=None, repr=False)  # points in px of the plan, deviations from ``place``
    place: Similarity | None = field(default=None, repr=False)  # in px

    @property
    def is_placed(self) -> bool:
        """The frame tells where the print lies."""
        return self.placed is not None


def register(
    frame: Float32[np.ndarray, "h w"],
    plan: Float32[np.ndarray, "a b"] | Nominal,
    mm_per_px: float,
    reach: Reach | None = None,
    *,
    scale_known: bool = False,
) -> Registration:
    """Lay the nominal layer over the frame.

    Args:
        frame: the bed as the camera sees it, in any unit; nan where it is not seen.
        plan: share of each pixel inside the nominal outline, on the same grid; as ``Nominal`` if it comes again.
        mm_per_px: size of a pixel.
        reach: how far the print may lie from its plan; None: 16 px, 2 degrees, 2 %.
        scale_known: the print is as large as its plan, so no scale is fitted.

    Raises:
        DataError: arrays of different sizes, or a coverage outside [0, 1].
    """
    reach = reach or Reach()
    nominal = plan if isinstance(plan, Nominal) else Nominal(plan)
    if frame.shape != nominal.coverage.shape:
        a, b = ("{1} x {0}".format(*one.shape) for one in (nominal.coverage, frame))
        raise DataError(f"the plan is {a} pixels, the frame {b}; draw the plan on the frame's grid")
    usable = np.isfinite(frame)
    reason = _hopeless(frame, nominal.coverage, usable)
    if reason:
        return Registration(None, reason)
    filled = np.where(usable, frame, np.float32(frame[usable].mean())).astype(np.float32)
    usable = _inner(usable)
    free = np.array([True, True, reach.rotation > 0, reach.scale > 0 and not scale_known])
    return _Search(filled, nominal, usable, mm_per_px, reach, free).answer()


def _hopeless(frame: Image, coverage: Image, usable: Mask) -> str:
    """What can be said without looking closer; empty where there is hope."""
    if coverage.max() <= 0.5:
        return "the plan of this layer is empty"
    if coverage.min() > 0.5:
        return "the plan covers the whole frame, so no outline is in it"
    if not usable.any():
        return "the frame shows nothing of the bed"
    if float(np.ptp(frame[usable])) < 1e-9:
        return "the frame is uniform"
    return ""


def _inner(usable: Mask) -> Mask:
    """Pixels whose surroundings are known as well."""
    inner = np.pad(usable, 2)[2:-2, 2:-2] if usable.all() else ndimage.binary_erosion(usable, iterations=3)
    inner = inner.copy()
    inner[:2], inner[-2:], inner[:, :2], inner[:, -2:] = False, False, False, False
    return np.asarray(inner)


@dataclass(frozen=True, eq=False)
class _Found:
    told: Told
    free: np.ndarray
    plan: SoftPlan  # as blurred as the outlines
    clear: float  # standard errors of the contrast, at the softness where it is clearest


@dataclass(frozen=True, eq=False)
class _Search:
    frame: Image
    nominal: Nominal
    usable: Mask
    mm: float
    reach: Reach
    free: np.ndarray

    def answer(self) -> Registration:
        """From the first place to the outline, or to the reason why not."""
        nominal = self.nominal
        start = first_place(self.frame, nominal.coverage, self.usable, nominal.middle, self.reach)
        found = self._descend(start)
        if found is None:
            return Registration(None, "no outline of the plan lies in what the frame shows")
        reason = self._doubt(found)
        return Registration(None, reason) if reason else self._summed(found)

    def _descend(self, start: Similarity) -> _Found | None:
        """From coarse to fine, there with the blur that the outlines really have."""
        place, clear = start, 0.0
        for factor in _factors(max(self.frame.shape)):
            cells = self._fit_coarsely(place, factor)
            if cells is not None:
                place, clear = _grown(cells.place, factor, place.pivot), max(clear, abs(cells.agreement))
        scene = Scene(self.frame, self.nominal.soft(_OPTICS), self.usable)
        cells = fit_place(scene, place, self._freedom(self.free), softened=self.nominal.soft)
        return None if cells is None else self._freed(cells, clear)

    def _fit_coarsely(self, place: Similarity, factor: int) -> CellFit | None:
        """On pixels so many times as large."""
        small = Similarity(_over(place.pivot, factor), _over(place.shift, factor), place.angle, place.scale)
        frame = ndimage.gaussian_filter(shrunk(self.frame, factor), 1.0, mode="nearest", truncate=3.0)
        usable = shrunk(self.usable.astype(np.float32), factor) > 0.99
        scene = Scene(frame, self.nominal.soft(_COARSE_BLUR, factor), usable)
        return fit_place(scene, small, self._freedom(self.free), steps=6, tolerance=_COARSE_STEP)

    def _freedom(self, free: np.ndarray) -> Freedom:
        rotation, scale = np.radians(max(self.reach.rotation, 1e-6)), max(self.reach.scale, 1e-6)
        return Freedom(free, np.array([np.inf, np.inf, rotation, scale]))

    def _freed(self, cells: CellFit, clear: float) -> _Found:
        """Rotation and scale are left away where the outline does not tell them."""
        free, radius, told = self.free.copy(), self.nominal.radius, cells.told(self._freedom(self.free))
        for k in (2, 3):
            loose = told.across[k] < _ACROSS or not np.sqrt(told.covariance[k, k]) * radius < _LOOSE
            if loose or (told.cells < MANY and self._is_far(told.place, k)):
                free[k] = False
        clear = max(clear, abs(told.significance))
        if (free == self.free).all():
            return _Found(told, free, cells.scene.plan, clear)
        start = replace(told.place, angle=told.place.angle * free[2], scale=told.place.scale if free[3] else 1.0)
        again = refined(cells.at(start, cells.scene.plan), self._freedom(free))
        return _Found(again.told(self._freedom(free)), free, again.scene.plan, clear)

    def _is_far(self, place: Similarity, number: int) -> bool:
        """Rotation (2) or scale (3) lies far beyond what is looked for."""
        if number == 2:
            return abs(float(np.degrees(place.angle))) > 2 * self.reach.rotation + 0.5
        return abs(place.scale - 1) > 2 * self.reach.scale + 0.005

    def _doubt(self, found: _Found) -> str:
        """Why the place is not to be trusted; empty where it is."""
        told, free, place = found.told, found.free, found.told.place
        sigma = np.sqrt(np.maximum(np.linalg.eigvalsh(told.covariance[:2, :2]), 0))
        if not found.clear > _SIGNIFICANT:
            return f"no contrast between part and bed ({found.clear:.1f} standard errors)"
        if told.across[0] < _ACROSS or not np.isfinite(sigma).all() or sigma[1] > _SHAKY:
            return "the outlines in the frame do not tell the shift along one direction"
        if max(abs(place.shift[0]), abs(place.shift[1])) > self.reach.shift + 1:
            return f"no outline like the plan's within {self.reach.shift * self.mm:.3g} mm of its place"
        if any(free[k] and self._is_far(place, k) for k in (2, 3)):
            return "no outline like the plan's within the rotation and scale that are looked for"
        return ""

    def _summed(self, found: _Found) -> Registration:
        told, free, radius = found.told, found.free, self.nominal.radius
        place, mm = told.place, self.mm
        floor = np.diag(np.array([1, 1, 1 / radius, 1 / radius]) * _FLOOR) ** 2
        covariance = (told.covariance + floor) * np.outer(free, free)
        unit = np.array([mm, mm, 1, 1])
        covariance = covariance * np.outer(unit, unit)
        sigmas = np.sqrt(np.diag(covariance))
        traced = trace(self.frame, self.nominal, found.plan, self.usable, place, np.sign(told.contrast), _TRACED)
        off = ((place.seen(traced.points) - traced.points) * place.turned(traced.normals)).sum(1)
        placed = Placed(
            pivot_mm=(place.pivot[0] * mm, place.pivot[1] * mm),
            shift_mm=(place.shift[0] * mm, place.shift[1] * mm),
            shift_sigma_mm=(float(sigmas[0]), float(sigmas[1])),
            rotation_deg=float(np.degrees(place.angle)) if free[2] else float("nan"),
            rotation_sigma_deg=float(np.degrees(sigmas[2])) if free[2] else float("nan"),
            scale=place.scale if free[3] else float("nan"),
            scale_sigma=float(sigmas[3]) if free[3] else float("nan"),
            covariance=covariance,
            contrast=told.contrast,
            significance=found.clear,
            blur_px=found.plan.sigma,
            whole=measured(traced, traced.deviation + off, mm),
            shape=measured(traced, traced.deviation, mm),
        )
        return Registration(placed, outline=traced, place=place)


def measured(traced: Traced, deviation: Float64[np.ndarray, " n"], mm: float) -> OutlineMeasure:
    """Figures of the points at which an outline is seen."""
    seen, points = traced.seen, len(traced.points)
    if not seen.any():
        nan = float("nan")
        return OutlineMeasure(nan, nan, nan, nan, nan, 0.0, points)
    values, middle = deviation[seen], float(np.median(deviation[seen]))
    spread = 1.4826 * float(np.median(np.abs(values - middle)))
    independent = max(float(seen.sum()) / 3, 1.0)  # neighbours see much of the same pixels
    return OutlineMeasure(
        median=middle * mm,
        median_absolute=float(np.median(np.abs(values))) * mm,
        p95=float(np.quantile(np.abs(values), 0.95)) * mm,
        median_sigma=1.2533 * max(spread, float(np.median(traced.sigma[seen]))) / float(np.sqrt(independent)) * mm,
        point_sigma=float(np.median(traced.sigma[seen])) * mm,
        seen=float(seen.mean()),
        points=points,
    )


def _over(pair: tuple[float, float], factor: int) -> tuple[float, float]:
    return pair[0] / factor, pair[1] / factor


def _grown(place: Similarity, factor: int, pivot: tuple[float, float]) -> Similarity:
    return Similarity(pivot, (place.shift[0] * factor, place.shift[1] * factor), place.angle, place.scale)


def _factors(side: int) -> list[int]:
    """How many times as large the pixels are, from coarse to fine, before the frame's own."""
    count = max(1, int(np.ceil(np.log2(side / _COARSEST))))
    return [2**k for k in sorted({*range(count, 0, -2), 1}, reverse=True)]
