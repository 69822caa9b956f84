"""Healthy frames of a job -> the same frames with a defect that no shelf lists, as strong as a wanted severity.

The geometry is drawn once a job. The amount is that at which a matched filter on the first spoiled layer has d' of ten
times the severity; where a defect cannot be stronger, it grows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32
from scipy import ndimage

from layerwatch.job.detectability import HealthyCovariance, amount_for
from layerwatch.job.printing import JobSettings, healthy_covariance
from layerwatch.records import LayerImage

Image = Float32[np.ndarray, "h w"]
UNLISTED = ("oblique_line", "curved_line", "ring", "texture_loss", "checker")
_MOST = 12.0  # K
_FINE, _COARSE = 0.7, 4.0  # px, between which a texture is taken to lie
_LOST = 0.8  # share of it that is lost


@dataclass(frozen=True, eq=False)
class Spoiling:
    """One unlisted defect in one job."""

    change: Callable[[Image], Image]  # from a frame in K above the span's low end to what is added to it, in K
    severity: float  # reached on the first spoiled layer


def spoiled(
    images: Sequence[LayerImage], settings: JobSettings, kind: str, severity: float, ages: range
) -> Iterator[tuple[LayerImage, bool, float]]:
    """Each image of a job, whether it is spoiled, and the severity.

    Args:
        images: healthy ones, with plan and span, in order.
        settings: that they were printed from.
        kind: one of ``UNLISTED``.
        severity: wanted on the first spoiled layer, d' / 10.
        ages: numbers of the images to spoil.
    """
    low, high = settings.machine.span
    first = images[ages.start]
    covariance = healthy_covariance(settings, first.layer)
    rng = np.random.default_rng([*settings.seed, UNLISTED.index(kind), 77])
    spoiling = _spoiling(kind, severity, first, covariance, rng, high - low)
    for age, image in enumerate(images):
        if age not in ages:
            yield image, False, spoiling.severity
            continue
        change = spoiling.change(image.pixels * np.float32(high - low)) / np.float32(high - low)
        pixels = np.clip(image.pixels + change, 0, 1).astype(np.float32)
        yield _with_pixels(image, pixels), True, spoiling.severity


def _with_pixels(image: LayerImage, pixels: Image) -> LayerImage:
    return LayerImage(
        image.job,
        image.layer,
        pixels,
        image.mm_per_px,
        image.plan,
        image.name,
        image.span,
        image.coverage,
    )


def _spoiling(
    kind: str, severity: float, first: LayerImage, covariance: HealthyCovariance, rng: np.random.Generator, span: float
) -> Spoiling:
    """Draw the geometry, and find the amount."""
    y, x = _place(first, rng)
    rows, columns = np.indices(first.pixels.shape, dtype=np.float32)
    dy, dx = np.asarray(rows - y, np.float32), np.asarray(columns - x, np.float32)
    if kind == "texture_loss":
        return _texture_loss(severity, first.pixels * np.float32(span), np.hypot(dy, dx), covariance)
    shape = _SHAPES[kind](dy, dx, rng)
    one = covariance.detectability(shape)
    amount = min(10 * severity / one, _MOST) * (1 if rng.random() < 0.5 else -1)
    told = np.asarray(np.float32(amount) * shape, np.float32)
    return Spoiling(lambda _: told, abs(amount) * one / 10)


def _place(first: LayerImage, rng: np.random.Generator) -> tuple[float, float]:
    """A random pixel of the parts, in px; of the bed's middle half where there is none."""
    inside = np.argwhere(first.plan > 0) if first.plan is not None else np.empty((0, 2))
    if len(inside):
        y, x = inside[rng.integers(len(inside))]
        return float(y), float(x)
    y, x = (rng.uniform(0.25, 0.75, 2) * first.pixels.shape).tolist()
    return y, x


def _line(distance: Float[np.ndarray, "h w"], width: float) -> Image:
    """1 within half a width of where the distance is 0, soft over a pixel."""
    return np.asarray(ndimage.gaussian_filter(np.clip(width / 2 + 0.5 - np.abs(distance), 0, 1), 0.6), np.float32)


def _oblique_line(dy: Image, dx: Image, rng: np.random.Generator) -> Image:
    angle = np.deg2rad(rng.uniform(15, 75) * (1 if rng.random() < 0.5 else -1))
    return _line(np.asarray(dy * np.cos(angle) - dx * np.sin(angle)), float(rng.uniform(1, 2.5)))


def _curved_line(dy: Image, dx: Image, rng: np.random.Generator) -> Image:
    """An arc of 90 to 150 degrees."""
    radius, at, half = rng.uniform(20, 60), rng.uniform(0, 2 * np.pi), np.deg2rad(rng.uniform(45, 75))
    y, x = dy + radius * np.sin(at), dx + radius * np.cos(at)
    apart = np.abs(np.angle(np.exp(1j * (np.arctan2(y, x) - at))))
    return np.asarray(_line(np.asarray(np.hypot(y, x) - radius), float(rng.uniform(1, 2.5))) * (apart < half))


def _ring(dy: Image, dx: Image, rng: np.random.Generator) -> Image:
    return _line(np.asarray(np.hypot(dy, dx) - rng.uniform(5, 14)), float(rng.uniform(1, 2.5)))


def _checker(dy: Image, dx: Image, rng: np.random.Generator) -> Image:
    """Cells of 2 to 4 px, higher and lower in turn, in a square of 8 to 20 px."""
    cell, half = rng.uniform(2, 4), rng.uniform(4, 10)
    sign = np.where((np.floor(dy / cell) + np.floor(dx / cell)) % 2 > 0, 1.0, -1.0)
    inside = (np.abs(dy) <= half) & (np.abs(dx) <= half)
    return np.asarray(ndimage.gaussian_filter(sign * inside, 0.5), np.float32)


_SHAPES: dict[str, Callable[[Image, Image, np.random.Generator], Image]] = {
    "oblique_line": _oblique_line,
    "curved_line": _curved_line,
    "ring": _ring,
    "checker": _checker,
}


def _texture_loss(severity: float, kelvin: Image, distance: Image, covariance: HealthyCovariance) -> Spoiling:
    """The frame loses its texture within a circle, as large as the severity wants."""
    texture = _texture(kelvin)

    def within(radius: float) -> Image:
        return np.asarray(np.clip(radius + 0.5 - distance, 0, 1), np.float32)

    def detectability(radius: float) -> float:
        return covariance.detectability(np.asarray(-_LOST * texture * within(radius), np.float32))

    radius = amount_for(detectability, 10 * severity, linear=False, most=max(kelvin.shape) / 2)
    share = within(radius)
    reached = detectability(radius) / 10
    return Spoiling(lambda frame: np.asarray(-_LOST * share * _texture(frame), np.float32), reached)


def _texture(kelvin: Image) -> Image:
    """What lies between the noise of single pixels and the slow field; outlines, whose steps are large, are spared."""
    band = ndimage.gaussian_filter(kelvin, _FINE) - ndimage.gaussian_filter(kelvin, _COARSE)
    most = 3 * float(np.median(np.abs(band))) / 0.6745
    return np.asarray(np.where(np.abs(band) < most, band, 0), np.float32)
