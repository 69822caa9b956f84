"""Plan residual: part and bed each against their own level inside the nominal outline, in units of healthy spread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import ClassVar, Self

import numpy as np
from jaxtyping import Float32, Float64
from scipy import fft

from layerwatch.detectors.base import Checkpoint, Detector, Need, check_images, check_plans
from layerwatch.records import LayerImage, Progress, Reading, silent

Image = Float32[np.ndarray, "h w"]

_BINS = 8  # of nearness to the nominal outline
_BLOBS = (0.8, 1.5, 3.0, 5.0)  # px, sigma
_LINES = ((0.8, 8.0), (0.8, 20.0), (1.6, 20.0))  # px, sigma across and along


@dataclass
class PlanResidual(Detector):
    """Explains a layer by its plan and asks what stands out of the rest.

    Around every pixel the level of the part and that of the bed are fitted by least squares from the blurred nominal
    mask. The residual is divided by the spread of healthy residuals equally near to the outline, and filtered with
    blobs and with lines along both axes. Each filter's strongest answer, inside the part and on the whole bed, is
    standardised on healthy layers; the score is the largest of them.
    """

    summary: ClassVar[str] = "residual against the levels of part and bed inside the nominal outline"
    source: ClassVar[str] = "own; matched filters after North 1943"
    needs: ClassVar[frozenset[Need]] = frozenset({"image", "plan"})

    scales: tuple[float, ...] = (6.0, 16.0)  # px, how wide the surroundings are that give the levels
    blur: float = 0.8  # px, optics assumed for the outline
    spread_: Float32[np.ndarray, "s b"] = field(default_factory=lambda: np.ones((0, _BINS), np.float32), repr=False)
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
        self.spread_ = np.median([self._spread(image) for image in images[:: max(len(images) // 200, 1)]], axis=0)
        rows = []
        for number, image in enumerate(images):
            rows.append(self._statistics(image)[0])
            progress("plan residual", number + 1, len(images))
        S = np.array(rows)
        self.centre_ = np.median(S, 0)
        self.scatter_ = 1.4826 * np.median(np.abs(S - self.centre_), 0) + 1e-6
        return self

    def read(self, images: Sequence[LayerImage]) -> tuple[Reading, ...]:
        """See Detector; the heat map is the residual in grey."""
        check_plans(images)
        return tuple(self._reading(image) for image in images)

    def arrays(self) -> dict[str, np.ndarray]:
        """See Detector."""
        return {"spread": self.spread_, "centre": self.centre_, "scatter": self.scatter_}

    def restore(self, arrays: dict[str, np.ndarray]) -> Self:
        """See Detector."""
        self.spread_, self.centre_, self.scatter_ = arrays["spread"], arrays["centre"], arrays["scatter"]
        return self

    def _reading(self, image: LayerImage) -> Reading:
        statistics, residual = self._statistics(image)
        score = float(((statistics - self.centre_) / self.scatter_).max())
        return Reading(image.job, image.layer, score, heat=residual)

    def _statistics(self, image: LayerImage) -> tuple[Float64[np.ndarray, " k"], Image]:
        """Logarithm of every filter's strongest answer, and the residual of the widest surroundings in grey."""
        soft, nearness = self._outline(image)
        bank, rows = _bank(image.pixels.shape), []
        residual = image.pixels
        for spread, scale in zip(self.spread_, self.scales, strict=True):
            residual = _residual(image.pixels, soft, scale)
            normal = residual / spread[nearness]
            regions = np.ones_like(soft), (soft > 0.5).astype(np.float32)
            rows += [_answers(normal * inside, inside, bank) for inside in regions]
        return np.log(np.concatenate(rows) + 1e-6), residual

    def _spread(self, image: LayerImage) -> Float32[np.ndarray, "s b"]:
        """Robust residual spread at each nearness to the outline."""
        soft, nearness = self._outline(image)
        rows = [[_mad(_residual(image.pixels, soft, s), nearness == b) for b in range(_BINS)] for s in self.scales]
        return np.array(rows, np.float32)

    def _outline(self, image: LayerImage) -> tuple[Image, np.ndarray]:
        """Share of the part at each pixel as the optics show it, and nearness to the outline in bins."""
        part = (np.asarray(image.plan) > 0).astype(np.float32)
        soft = np.clip(_filtered(fft.rfft2(part), _gaussian(part.shape, self.blur, self.blur), part.shape), 0, 1)
        nearness = np.minimum((4 * soft * (1 - soft) * _BINS).astype(np.int64), _BINS - 1)
        return soft, nearness


def _residual(a: Image, soft: Image, scale: float) -> Image:
    """What ``a = soft p + (1 - soft) b`` leaves, with p and b fitted around every pixel (normalised convolution)."""
    around = _gaussian(a.shape, scale, scale)
    mean = float(a.mean())
    centred, bed = a - mean, 1 - soft

    def surround(v: Image) -> Image:
        return _filtered(fft.rfft2(v), around, a.shape)

    pp, pb, bb = surround(soft * soft), surround(soft * bed), surround(bed * bed)
    pa, ba = surround(soft * centred), surround(bed * centred)
    pp, bb = pp + 1e-4, bb + 1e-4  # where one side is far away its level is of no matter
    determinant = pp * bb - pb * pb
    p, b = (bb * pa - pb * ba) / determinant, (pp * ba - pb * pa) / determinant
    return np.asarray(centred - soft * p - bed * b, np.float32)


def _answers(r: Image, inside: Image, bank: Float32[np.ndarray, "k h f"]) -> Float64[np.ndarray, " k"]:
    """Largest answer of each filter in units of its own noise, where at least a third of it lies inside."""
    R, W = fft.rfft2(r), fft.rfft2(inside)
    answers = fft.irfft2(R * bank, s=r.shape)
    mass = fft.irfft2(W * bank, s=r.shape)
    gain = np.sqrt((bank**2).mean((1, 2)))[:, None, None]  # noise of the filtered residual, if the residual is white
    told = np.abs(answers) / (gain * np.sqrt(np.maximum(mass, 0.3)))
    return np.asarray(np.where(mass > 0.3, told, 0).max((1, 2)), np.float64)


@cache
def _bank(shape: tuple[int, int]) -> Float32[np.ndarray, "k h f"]:
    """Transfer functions of all filters."""
    blobs = [_gaussian(shape, sigma, sigma) for sigma in _BLOBS]
    lines = [_gaussian(shape, *pair[::turn]) for pair in _LINES for turn in (1, -1)]
    return np.stack(blobs + lines).astype(np.float32)


@cache
def _gaussian(shape: tuple[int, int], rows: float, columns: float) -> Float32[np.ndarray, "h f"]:
    v, u = fft.fftfreq(shape[0])[:, None], fft.rfftfreq(shape[1])[None, :]
    return np.asarray(np.exp(-2 * np.pi**2 * ((v * rows) ** 2 + (u * columns) ** 2)), np.float32)


def _filtered(V: np.ndarray, transfer: Float32[np.ndarray, "h f"], shape: tuple[int, ...]) -> Image:
    return np.asarray(fft.irfft2(V * transfer, s=shape), np.float32)


def _mad(values: Image, where: np.ndarray) -> float:
    """Robust standard deviation; of everything, where too few pixels are left."""
    chosen = values[where] if where.sum() >= 16 else values.ravel()
    return float(1.4826 * np.median(np.abs(chosen))) + 1e-6
