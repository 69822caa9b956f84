"""Heat maps -> regions in mm: connected places that stand out of what healthy maps show there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float32, UInt8
from scipy import ndimage

from layerwatch.records import Finding, LayerImage, Region

Heat = Float32[np.ndarray, "h w"]
Plan = UInt8[np.ndarray, "h w"]

_SMOOTH = 1.0  # px, blur before the comparison
_BANDS = 3  # bed, part, and within a pixel or two of the nominal outline
_MOST = 8  # regions a layer
_LEAST_PX = 3
_LONG = {"line", "stripe", "step"}  # whose extent is the width, and not the longest side


@dataclass(frozen=True, eq=False)
class HeatSpread:
    """How large healthy heat is on bed, part and outline (all the same without a plan), in the detector's unit."""

    level: Float32[np.ndarray, " b"]  # what 99.9 % of a layer stay below, on 95 % of healthy layers


def fit_spread(heats: Sequence[Heat], plans: Sequence[Plan | None]) -> HeatSpread:
    """Learn from healthy layers that the detector was not trained on."""
    rows = []
    for heat, plan in zip(heats, plans, strict=True):
        size, bands = np.abs(_smoothed(heat)), _bands(plan, heat.shape)
        rows.append([_top(size[bands == band], size) for band in range(_BANDS)])
    return HeatSpread(np.maximum(np.quantile(rows, 0.95, axis=0), 1e-9).astype(np.float32))


def localise(heat: Heat, plan: Plan | None, mm_per_px: float, spread: HeatSpread) -> tuple[Region, ...]:
    """Connected places above the healthy level, the strongest first, at most 8.

    If none is, the one strongest place of the map.
    """
    smooth = _smoothed(heat)
    ratio = np.abs(smooth) / spread.level[_bands(plan, heat.shape)]
    found, count = ndimage.label(ratio > 1, np.ones((3, 3)))
    sizes = np.bincount(found.ravel(), minlength=count + 1)[1:]
    peaks = np.asarray(ndimage.maximum(ratio, found, np.arange(1, count + 1))) if count else np.empty(0)
    order = [int(i) for i in np.argsort(-peaks) if sizes[i] >= _LEAST_PX][:_MOST]
    if not order:
        near_peak = ndimage.label(ratio > 0.7 * ratio.max(), np.ones((3, 3)))[0]
        return (_region(near_peak == near_peak.flat[int(ratio.argmax())], heat, plan, mm_per_px),)
    # The blur carries a place beyond its rim; half its peak is where the rim was.
    return tuple(_region((found == i + 1) & (ratio > peaks[i] / 2), heat, plan, mm_per_px) for i in order)


def finding_first(
    finding: Finding, regions: Sequence[Region], image: LayerImage, heat: Heat | None = None
) -> tuple[Region, ...]:
    """The regions, before them the place of what the detector names; a region that lies there gives it its area.

    Args:
        finding: with its place; one that has none, such as a shift, leaves the regions as they are.
        regions: where the heat map stands out.
        image: the layer.
        heat: of it.
    """
    if np.isnan(finding.x) and np.isnan(finding.y):
        return tuple(regions)
    first = _named(finding, image, heat)
    there = next((one for one in regions if _holds(one, first, image.mm_per_px)), None)
    if there is not None:
        extent = max(there.extent, first.extent) if finding.kind in _LONG else first.extent
        own = replace(there, part=first.part, x=first.x, y=first.y, extent=extent)
        return (own, *(one for one in regions if one is not there))
    return (first, *regions)[:_MOST]


def _named(finding: Finding, image: LayerImage, heat: Heat | None) -> Region:
    """A square of the finding's extent; along an axis on which it has no place, the whole frame."""
    mm, shape = image.mm_per_px, image.pixels.shape
    extent = finding.extent if np.isfinite(finding.extent) and finding.extent > 0 else mm
    middle, ends = list[float](), list[tuple[int, int]]()
    for place, size in zip((finding.y, finding.x), shape, strict=True):
        if np.isnan(place):
            middle.append(size * mm / 2)
            ends.append((0, size))
            continue
        start = int(np.clip(np.floor((place - extent / 2) / mm), 0, size - 1))
        middle.append(place)
        ends.append((start, int(np.clip(np.ceil((place + extent / 2) / mm), start + 1, size))))
    (top, bottom), (left, right) = ends
    area = (bottom - top) * (right - left) * mm**2
    amplitude = finding.z if heat is None else float(heat[top:bottom, left:right].mean())
    return Region(finding.part, float(middle[1]), float(middle[0]), area, extent, amplitude, (top, left, bottom, right))


def _holds(region: Region, place: Region, mm: float) -> bool:
    top, left, bottom, right = region.box
    return top <= place.y / mm <= bottom and left <= place.x / mm <= right


def _smoothed(heat: Heat) -> Heat:
    return np.asarray(ndimage.gaussian_filter(heat, _SMOOTH), np.float32)


def _bands(plan: Plan | None, shape: tuple[int, ...]) -> np.ndarray:
    """0 bed, 1 part, 2 near the nominal outline."""
    if plan is None:
        return np.zeros(shape, np.int64)
    part = plan > 0
    edge = ndimage.binary_dilation(part, iterations=2) & ~ndimage.binary_erosion(part, iterations=1)
    return np.where(edge, 2, part.astype(np.int64))


def _top(chosen: Float32[np.ndarray, " k"], everything: Heat) -> float:
    return float(np.quantile(chosen if len(chosen) >= 50 else everything, 0.999))


def _region(where: Bool[np.ndarray, "h w"], heat: Heat, plan: Plan | None, mm_per_px: float) -> Region:
    rows, columns = np.nonzero(where)
    weights = np.abs(heat[rows, columns]) + 1e-12
    box = (int(rows.min()), int(columns.min()), int(rows.max()) + 1, int(columns.max()) + 1)
    return Region(
        part=0 if plan is None else int(np.bincount(plan[rows, columns]).argmax()),
        x=float(np.average(columns + 0.5, weights=weights) * mm_per_px),
        y=float(np.average(rows + 0.5, weights=weights) * mm_per_px),
        area=float(len(rows) * mm_per_px**2),
        extent=float(max(box[2] - box[0], box[3] - box[1]) * mm_per_px),
        amplitude=float(heat[rows, columns].mean()),
        box=box,
    )
