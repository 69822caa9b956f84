"""Plan residual: what a layer's nominal outline cannot explain, in units of what healthy layers show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Self

import numpy as np
from jaxtyping import Bool, Float32, Float64
from scipy import fft, ndimage

from layerwatch.detectors.base import Checkpoint, Detector, Need, check_images, check_plans
from layerwatch.detectors.signals.filters import bank, filtered, gaussian, power, spread, whitening
from layerwatch.records import DataError, LayerImage, Progress, Reading, silent

Image = Float32[np.ndarray, "h w"]
Stack = Float32[np.ndarray, "k h w"]


@dataclass
class PlanResidual(Detector):
    """Explains a layer by its plan and asks what stands out of the rest.

    The frame is whitened with the mean spectrum of healthy residuals, so that what is rare in healthy layers counts
    most. Least squares then take out, for each part instance, its level, its place and the sharpness of its outline.
    What is left is filtered with blobs and lines, each answer in units of its own spread on this very frame. Three
    kinds of statistics follow: the strongest answer of each filter, the distance of each outline from its plan, and
    steps of the part's level along either axis. Each is standardised on healthy layers; the score is the largest.
    """

    summary: ClassVar[str] = "what the nominal outline cannot explain: residual, outline shift, steps of level"
    source: ClassVar[str] = "own; generalised least squares (Aitken 1935), matched filters (North 1943)"
    needs: ClassVar[frozenset[Need]] = frozenset({"image", "plan"})

    blur: float = 0.7  # px, optics assumed for the outline
    steps: int = 8  # places along each axis at which the part's level may change
    learn_from: int = 500  # images at most; more change nothing
    whiten_: Float32[np.ndarray, "h f"] = field(default_factory=lambda: np.ones((0, 0), np.float32), repr=False)
    centre_: Float64[np.ndarray, " k"] = field(default_factory=lambda: np.empty(0), repr=False)
    scatter_: Float64[np.ndarray, " k"] = field(default_factory=lambda: np.empty(0), repr=False)

    def fit(
        self,
        images: Sequence[LayerImage],
        *,
        seed: int = 0,
        progress: Progress = silent,
        checkpoint: Checkpoint | None = None,
    ) -> Self:
        """See Detector; medians throughout, so a few unlike layers do no harm."""
        check_images(images, plan=True)
        chosen = images[:: max(len(images) // self.learn_from, 1)]
        flat = np.ones_like(gaussian(images[0].pixels.shape, 0.0, 0.0))
        self.whiten_ = whitening(np.mean([power(self._rest(image, flat)[0]) for image in chosen], axis=0))
        rows = []
        for number, image in enumerate(chosen):
            rows.append(self._statistics(image)[0])
            progress("plan residual", number + 1, len(chosen))
        S = np.array(rows)
        self.centre_ = np.median(S, 0)
        self.scatter_ = 1.4826 * np.median(np.abs(S - self.centre_), 0) + 1e-6
        return self

    def read(self, images: Sequence[LayerImage]) -> tuple[Reading, ...]:
        """See Detector; the heat map is the whitened frame without the part's levels."""
        check_plans(images)
        return tuple(self._reading(image) for image in images)

    def arrays(self) -> dict[str, np.ndarray]:
        """See Detector."""
        return {"whiten": self.whiten_, "centre": self.centre_, "scatter": self.scatter_}

    def restore(self, arrays: dict[str, np.ndarray]) -> Self:
        """See Detector."""
        self.whiten_, self.centre_, self.scatter_ = arrays["whiten"], arrays["centre"], arrays["scatter"]
        return self

    def _reading(self, image: LayerImage) -> Reading:
        if gaussian(image.pixels.shape, 0.0, 0.0).shape != self.whiten_.shape:
            height = self.whiten_.shape[0]
            raise DataError(
                f"{image.name or f'layer {image.layer}'}: {image.pixels.shape[1]} x {image.pixels.shape[0]} pixels, "
                f"the detector learnt from images {height} high; give frames of the same size, or train again"
            )
        statistics, heat = self._statistics(image)
        score = float(((statistics - self.centre_) / self.scatter_).max())
        return Reading(image.job, image.layer, score, heat=heat)

    def _statistics(self, image: LayerImage) -> tuple[Float64[np.ndarray, " k"], Image]:
        """Logarithms of all statistics, and the heat map."""
        rest, heat, shift, bases, soft = self._explained(image)
        noise = spread(rest)
        answers = _answers(rest, np.ones(rest.shape, bool)) + _answers(rest, soft > 0.5)
        steps = _steps(rest, soft, bases, self.whiten_, self.steps)
        return np.log(np.array([*answers, *(step / noise for step in steps), shift]) + 1e-3), heat

    def _rest(self, image: LayerImage, whiten: Float32[np.ndarray, "h f"]) -> tuple[Image, Stack]:
        """The whitened frame after everything that the plan explains, and the orthonormal base of that."""
        regressors = _regressors(_shares(image), self.blur)
        base = _orthonormal(filtered(regressors, whiten))
        seen = filtered(image.pixels - image.pixels.mean(), whiten)
        return _without(seen, base), base

    def _explained(self, image: LayerImage) -> tuple[Image, Image, float, Stack, Image]:
        """Rest, heat map, outline shift in px, base of the explained, and the softened plan."""
        regressors = _regressors(_shares(image), self.blur)
        white = filtered(regressors, self.whiten_)
        seen = filtered(image.pixels - image.pixels.mean(), self.whiten_)
        fitted, *_ = np.linalg.lstsq(white.reshape(len(white), -1).T, seen.ravel(), rcond=1e-6)
        base = _orthonormal(white)
        parts = (len(white) - 2) // 3
        levels = np.tensordot(fitted[: parts + 1], white[: parts + 1], 1)
        soft = np.clip(regressors[1 : parts + 1].sum(0), 0, 1)
        return _without(seen, base), np.asarray(seen - levels, np.float32), _shift(fitted, parts), base, soft


def _shares(image: LayerImage) -> Stack:
    """Share of each pixel that each part instance covers; sharper than the plan where the coverage is known."""
    plan = np.asarray(image.plan)
    numbers = [int(n) for n in np.unique(plan) if n > 0]
    if not numbers:
        return np.zeros((1, *plan.shape), np.float32)
    if image.coverage is None:
        return np.stack([plan == n for n in numbers]).astype(np.float32)
    nearest = ndimage.distance_transform_edt(plan == 0, return_distances=False, return_indices=True)
    owner = plan[tuple(nearest)]
    share = image.coverage.astype(np.float32) / 255
    return np.stack([share * (owner == n) for n in numbers])


def _regressors(shares: Stack, blur: float) -> Stack:
    """One, then the level of each part instance, sharpness of all outlines, movement along rows and columns of each."""
    size = shares.shape[1:]
    soft = filtered(shares, gaussian(size, blur, blur))
    sharp = filtered(shares, gaussian(size, 2 * blur, 2 * blur)) - soft
    rows, columns = np.gradient(soft, axis=(1, 2))
    return np.concatenate([np.ones_like(soft[:1]), soft, sharp.sum(0)[None], rows, columns]).astype(np.float32)


def _shift(fitted: Float32[np.ndarray, " k"], parts: int) -> float:
    """How far the outline that lies farthest from its plan has moved, in px: movement over level."""
    level = np.abs(fitted[1 : parts + 1])
    rows, columns = fitted[parts + 2 : 2 * parts + 2], fitted[2 * parts + 2 :]
    believable = level > 0.25 * max(float(np.median(level)), 1e-12)
    return float((np.hypot(rows, columns) / np.maximum(level, 1e-12))[believable].max(initial=0.0))


def _orthonormal(white: Stack) -> Stack:
    """An orthonormal base of what the images span; images that add nothing are left out."""
    flat = white.reshape(len(white), -1).astype(np.float64)
    size = np.linalg.norm(flat, axis=1, keepdims=True)
    values, vectors = np.linalg.eigh((flat / (size + 1e-30)) @ (flat / (size + 1e-30)).T)
    keep = values > 1e-6
    base = (vectors[:, keep] / np.sqrt(values[keep])).T @ (flat / (size + 1e-30))
    return np.asarray(base.reshape(-1, *white.shape[1:]), np.float32)


def _without(image: Image, base: Stack) -> Image:
    """The image less its projection onto the base."""
    return np.asarray(image - np.tensordot(np.tensordot(base, image, 2), base, 1), np.float32)


def _answers(rest: Image, inside: Bool[np.ndarray, "h w"]) -> list[float]:
    """Strongest answer of each filter inside, in units of that filter's own spread there."""
    if not inside.any():
        return [0.0] * len(bank(rest.shape))
    answers = np.abs(fft.irfft2(fft.rfft2(rest * inside) * bank(rest.shape), s=rest.shape))
    return [float(a.max()) / spread(a[inside]) for a in answers]


def _steps(rest: Image, soft: Image, base: Stack, whiten: Float32[np.ndarray, "h f"], count: int) -> list[float]:
    """Strongest change of the part's level across a line, along rows and along columns, in units of ``rest``."""
    strongest = []
    for axis in (0, 1):
        places = np.linspace(*_extent(soft, axis), count + 2)[1:-1]
        grid = np.arange(soft.shape[axis], dtype=np.float32)
        beyond = np.clip(grid[None] - places[:, None].astype(np.float32) + 0.5, 0, 1)
        shaped = beyond[:, :, None] if axis == 0 else beyond[:, None, :]
        signals = filtered(soft * shaped, whiten)
        own = signals - np.tensordot(np.tensordot(signals, base, ((1, 2), (1, 2))), base, 1)
        size = np.sqrt((own**2).sum((1, 2))) + 1e-9
        strongest.append(float((np.abs(np.tensordot(own, rest, 2)) / size).max()))
    return strongest


def _extent(soft: Image, axis: int) -> tuple[float, float]:
    """First and last row or column of the part, in px."""
    found = np.flatnonzero((soft > 0.5).any(1 - axis))
    return (float(found[0]), float(found[-1])) if len(found) else (0.0, float(soft.shape[axis]))
