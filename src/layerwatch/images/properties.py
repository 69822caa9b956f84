"""Consecutive layers of one job -> what they look like: levels, textures, outlines, noise, in degC, K and px."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np
from jaxtyping import Bool, Float32, Float64

from layerwatch.images.layer_memory import LAGS, lag_correlations, moving_outlines
from layerwatch.images.outlines import Outline, fit_outline
from layerwatch.images.regions import Regions, Source, regions_of
from layerwatch.images.smoothing import seen_through, smoothed
from layerwatch.images.texture_shape import (
    Covariance,
    TextureShape,
    autocovariance,
    detrended,
    noise_of,
    radial_frequencies,
    radial_spectrum,
    texture_shape,
    texture_std,
)
from layerwatch.records import DataError, LayerImage

Image = Float32[np.ndarray, "h w"]
Mask = Bool[np.ndarray, "h w"]

_SCALE = 12  # the shorter side over this, in px, is where textures end and the lamp's field begins
_STEADY = 0.02  # change of coverage that leaves an outline as it was
_ALIKE = 0.9  # correlation of textures from layer to layer
_REGION = 100  # px of a region for a texture


@dataclass(frozen=True)
class Look:
    """How pictures are looked at."""

    scale: float  # px, over which they are detrended
    ages: tuple[float, ...] = ()  # what is left of a layer 0, 1, 2 ... layer times old, where heat is conducted
    spread: float = 0.0  # px that heat spreads in each of them


@dataclass(frozen=True)
class LayerProperties:
    """One image; NaN where it does not show a thing."""

    job: str
    layer: int
    source: Source  # how bed and part were told apart
    bed: float  # degC
    part: float  # degC
    contrast: float = np.nan  # K, bed minus part at the outline; a fresh layer's where heat is conducted
    bed_texture: float = np.nan  # K, standard deviation as it is seen
    part_texture: float = np.nan  # K
    length_x: float = np.nan  # px, correlation length along columns
    length_y: float = np.nan  # px, along rows
    texture_error: float = np.nan  # relative standard error of the bed's texture, and about that of the lengths
    part_error: float = np.nan  # relative standard error of the part's texture
    blur: float = np.nan  # px, sigma
    blur_error: float = np.nan  # px
    surface: float = np.nan  # K, what of the outline's contrast is the surface's own, where heat is conducted
    edge_width: float = np.nan  # px, from 10 to 90 %
    shift_x: float = np.nan  # px, of the outline against the plan
    shift_y: float = np.nan  # px
    noise: float = np.nan  # K, from pixel to pixel
    uneven: float = np.nan  # K, standard deviation of the lamp's field on the bed

    @property
    def uneven_share(self) -> float:
        """The same as a share of the level of the bed; NaN for a bed that is not above 0 degC."""
        return self.uneven / self.bed if self.bed > 0 else np.nan


@dataclass(frozen=True, eq=False)
class RunProperties:
    """A run of consecutive layers of one job."""

    job: str
    layers: tuple[LayerProperties, ...]
    together: LayerProperties  # of all layers at once; textures from what changes between layers
    spectra: Float64[np.ndarray, "n f"]  # radial power density of the bed's texture, K2 px2
    lags: Float64[np.ndarray, " lags"] = field(default_factory=lambda: np.full(LAGS, np.nan))
    lag_errors: Float64[np.ndarray, " lags"] = field(default_factory=lambda: np.full(LAGS, np.nan))
    decay: tuple[float, float] | None = None  # of heat, at moving outlines, with its standard error
    noise: float = np.nan  # K, of the camera, from differences between layers
    fixed_pattern: float = np.nan  # K, what of the pixel noise stays from layer to layer


@dataclass(frozen=True, eq=False)
class _Seen:
    """A layer on its way."""

    picture: Image  # degC
    regions: Regions
    outline: Outline | None
    texture: Image  # K, detrended, without the part's contrast
    uneven: float  # K2, variance on the bed without the part's contrast


def look_of(height: int, width: int, ages: tuple[float, ...] = (), spread: float = 0.0) -> Look:
    """How to look at pictures of a size; see ``Look``."""
    return Look(max(min(height, width) / _SCALE, 4.0), ages, spread)


def measure_run(images: Sequence[LayerImage], look: Look, earlier: Sequence[Image] = ()) -> RunProperties:
    """Measure consecutive layers of one job.

    Args:
        images: in the order of printing; a span turns their grey into degC.
        look: how to look at them.
        earlier: coverages of the layers below the first one, the newest first, as far as they are known.

    Raises:
        DataError: a picture shows one and the same value everywhere.
    """
    seen: list[_Seen] = []
    for image in images:
        older = [*(one.regions.coverage for one in reversed(seen)), *earlier]
        seen.append(_see(image, older, look))
    noise, fixed = _noises(seen)
    covariances = [_covariances(one) for one in seen]
    pairs = zip(images, seen, covariances, strict=True)
    layers = tuple(_layer(image, one, own, look, noise) for image, one, own in pairs)
    uneven, told = _mean([one.uneven for one in seen]), _together(layers)
    bed, part = _pooled(covariances, 0), _pooled(covariances, 1)
    shape = None if bed is None else texture_shape(bed, look.scale)
    run = RunProperties(images[0].job, layers, told, _spectra(seen), noise=noise, fixed_pattern=fixed)
    if len(seen) < 2 or shape is None:
        return replace(run, together=_with_texture(told, shape, part, look, uneven, noise))

    lags, errors = _lags(seen, shape, look, noise, fixed)
    if lags[0] < _ALIKE:  # else the layers differ too little to look at their differences
        changes = _of_changes(seen, float(lags[0]))
        bed, part = _pooled(changes, 0), _pooled(changes, 1)
        shape = (texture_shape(bed, look.scale, lamp=False) if bed is not None else None) or shape
    together = _with_texture(told, shape, part, look, uneven, noise)
    return replace(
        run, together=together, lags=lags, lag_errors=errors, decay=_decay(seen, together, shape, look, earlier)
    )


def _see(image: LayerImage, older: Sequence[Image], look: Look) -> _Seen:
    if float(np.ptp(image.pixels)) == 0:
        raise DataError(f"{image.name or image.job}: every pixel is {image.pixels[0, 0]:g}; leave such frames out")
    low, high = image.span or (0.0, 1.0)
    picture = np.asarray(low + (high - low) * image.pixels, np.float32)
    regions = regions_of(picture, image.plan, image.coverage)
    if not regions.has_part:
        uneven = float(picture[regions.bed].var()) if regions.bed.any() else np.nan
        return _Seen(picture, regions, None, detrended(picture, look.scale), uneven)
    coverage, heat, steady = regions.coverage, None, np.ones(picture.shape, bool)
    if look.ages:
        heat = seen_through([coverage, *older], look.ages, look.spread)
    elif older and regions.source != "split":
        steady = np.abs(coverage - older[0]) < _STEADY
    outline = fit_outline(picture, coverage, steady, look.scale, heat=heat, whole=regions.source == "plan")
    flat = picture
    if outline is not None:
        shown = outline.contrast * (coverage if heat is None else heat) + outline.surface * coverage
        flat = np.asarray(picture + smoothed(np.asarray(shown, np.float32), outline.blur), np.float32)
    uneven = float(flat[regions.bed].var()) if regions.bed.any() else np.nan
    return _Seen(picture, regions, outline, detrended(flat, look.scale), uneven)


def _noises(seen: Sequence[_Seen]) -> tuple[float, float]:
    """Standard deviations of the camera's noise and of its fixed pattern; without a second layer both are one."""
    single = _rms([noise_of(one.picture, one.regions.bed) for one in seen])
    if len(seen) < 2:
        return single, np.nan
    changes = [
        noise_of(np.asarray(b.picture - a.picture), a.regions.bed & b.regions.bed) / np.sqrt(2)
        for a, b in pairwise(seen)
    ]
    noise = min(_rms(changes), single)
    return noise, float(np.sqrt(max(single**2 - noise**2, 0.0)))


def _covariances(one: _Seen) -> tuple[Covariance | None, ...]:
    """Autocovariances of the textures of bed and part."""
    return tuple(_covariance(one.texture, region) for region in (one.regions.bed, one.regions.part))


def _covariance(texture: Image, region: Mask) -> Covariance | None:
    return autocovariance(texture, region) if region.sum() >= _REGION else None


def _layer(
    image: LayerImage, one: _Seen, own: tuple[Covariance | None, ...], look: Look, noise: float
) -> LayerProperties:
    shape = None if own[0] is None else texture_shape(own[0], look.scale)
    bed, part = (
        float(np.median(one.picture[region])) if region.any() else np.nan
        for region in (one.regions.bed, one.regions.part)
    )
    told = LayerProperties(image.job, image.layer, one.regions.source, bed, part)
    told = replace(told, noise=noise_of(one.picture, one.regions.bed))
    if one.outline is not None:
        o = one.outline
        told = replace(told, contrast=o.contrast, blur=o.blur, blur_error=o.blur_error)
        told = replace(told, surface=o.surface, edge_width=o.edge_width)
        if one.regions.source != "split":  # a split follows the picture, so it cannot lie beside it
            told = replace(told, shift_x=o.shift_x, shift_y=o.shift_y)
    return _with_texture(told, shape, own[1], look, one.uneven, noise)


def _with_texture(
    told: LayerProperties,
    shape: TextureShape | None,
    part: Covariance | None,
    look: Look,
    variance: float,
    noise: float,
) -> LayerProperties:
    if shape is None:
        return told
    return replace(
        told,
        bed_texture=shape.std,
        part_texture=np.nan if part is None else texture_std(part, shape, look.scale),
        length_x=shape.length_x,
        length_y=shape.length_y,
        texture_error=shape.error,
        part_error=np.nan if part is None else shape.error_of(part),
        uneven=float(np.sqrt(max(variance - shape.std**2 - noise**2, 0.0))),
    )


def _together(layers: Sequence[LayerProperties]) -> LayerProperties:
    """Means over the layers."""
    names = ("bed", "part", "contrast", "surface", "blur", "edge_width", "shift_x", "shift_y", "noise")
    means = {name: _mean([getattr(layer, name) for layer in layers]) for name in names}
    known = [layer.blur_error for layer in layers if np.isfinite(layer.blur_error)]
    error = _rms(known) / np.sqrt(len(known)) if known else np.nan
    return replace(layers[0], **means, blur_error=float(error))  # type: ignore[arg-type] # names of floats only


def _of_changes(seen: Sequence[_Seen], correlation: float) -> list[tuple[Covariance | None, ...]]:
    """Autocovariances of textures from changes between layers, to which the lamp and all that stays adds nothing."""
    found = []
    share = np.float32(np.sqrt(2 * (1 - correlation)))
    for a, b in pairwise(seen):
        change = np.asarray((b.texture - a.texture) / share, np.float32)
        regions = (a.regions.bed & b.regions.bed, a.regions.part & b.regions.part)
        found.append(tuple(_covariance(change, region) for region in regions))
    return found


def _pooled(some: Sequence[tuple[Covariance | None, ...]], which: int) -> Covariance | None:
    known = [own[which] for own in some]
    there = [one for one in known if one is not None]
    return Covariance.pooled(there) if there else None


def _spectra(seen: Sequence[_Seen]) -> Float64[np.ndarray, "n f"]:
    spectra = [radial_spectrum(one.texture, one.regions.bed) for one in seen if one.regions.bed.any()]
    return np.array(spectra, np.float64).reshape(-1, len(radial_frequencies()))


def _lags(
    seen: Sequence[_Seen], shape: TextureShape, look: Look, noise: float, fixed: float
) -> tuple[Float64[np.ndarray, " lags"], Float64[np.ndarray, " lags"]]:
    region = np.logical_and.reduce([one.regions.bed for one in seen])
    if region.sum() < _REGION:
        return np.full(LAGS, np.nan), np.full(LAGS, np.nan)
    # A finer scale than the textures' own leaves nothing of the lamp's field, and takes from all lags alike.
    lags, pairs = lag_correlations([one.texture for one in seen], region, look.scale / 2, noise, fixed)
    cells = max(float(region.sum()) / (np.pi * shape.length_x * shape.length_y / 2), 1.0)
    with np.errstate(divide="ignore"):
        errors = np.maximum(1 - lags**2, 0.05) / np.sqrt(cells * pairs)
    return lags, np.where(pairs > 0, errors, np.nan)


def _decay(
    seen: Sequence[_Seen], together: LayerProperties, shape: TextureShape, look: Look, earlier: Sequence[Image]
) -> tuple[float, float] | None:
    if look.ages or seen[0].regions.source not in {"coverage", "plan"} or not np.isfinite(together.contrast):
        return None
    pictures, coverages = [one.picture for one in seen], [one.regions.coverage for one in seen]
    cell = np.pi * shape.length_x * shape.length_y / 2
    return moving_outlines(pictures, coverages, look.scale, together.contrast, together.blur, float(cell), earlier)


def _mean(values: Sequence[float]) -> float:
    known = [value for value in values if np.isfinite(value)]
    return float(np.mean(known)) if known else np.nan


def _rms(values: Sequence[float]) -> float:
    known = [value for value in values if np.isfinite(value)]
    return float(np.sqrt(np.mean(np.square(known)))) if known else np.nan
