"""Plan residual: what a layer's nominal outline cannot explain, in units of what healthy layers show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from jaxtyping import Float32, Float64

from layerwatch.detectors.base import Checkpoint, Detector, Need, check_images, check_plans
from layerwatch.detectors.signals.filters import blobs, filtered, lines, over_spread, spread, strongest
from layerwatch.detectors.signals.outline import Explained, explain, strongest_steps
from layerwatch.records import LayerImage, Progress, Reading, silent

QUESTIONS = ("blob", "line", "step", "shift")
_HEAT_UNITS = (1.0, 1.0, 1.3, 1.3)  # a line must be louder than a blob: its filter smears compact things along itself
_CLIP = 12.0  # spreads; a single pixel must not outshout everything else


@dataclass
class PlanResidual(Detector):
    """Explains a layer by its plan and asks four questions of the rest.

    Is there something compact, is there a line, does the part's level change across a line, does the print lie beside
    its plan? Every statistic is standardised on this very frame (in units of its own residual's spread), then on
    healthy layers, so that each question has the same share of false alarms. The score is the loudest answer.
    """

    summary: ClassVar[str] = "what the nominal outline cannot explain: blobs, lines, steps of level, shift"
    source: ClassVar[str] = "own; matched filters (North 1943), normalised convolution (Knutsson and Westin 1993)"
    needs: ClassVar[frozenset[Need]] = frozenset({"image", "plan"})

    learn_from: int = 500  # images at most; more change little
    tail: float = 0.98  # of healthy layers, where all questions are equally loud
    centre_: Float64[np.ndarray, " k"] = field(default_factory=lambda: np.empty(0), repr=False)
    reach_: Float64[np.ndarray, " k"] = field(default_factory=lambda: np.empty(0), repr=False)
    loudness_: Float64[np.ndarray, "2 q"] = field(default_factory=lambda: np.empty((2, 0)), repr=False)

    def fit(
        self,
        images: Sequence[LayerImage],
        *,
        seed: int = 0,
        progress: Progress = silent,
        checkpoint: Checkpoint | None = None,
    ) -> PlanResidual:
        """See Detector; medians and quantiles throughout, so a few unlike layers do no harm."""
        check_images(images, plan=True)
        chosen = images[:: -(-len(images) // self.learn_from)]
        rows = []
        for number, image in enumerate(chosen):
            rows.append(_statistics(explain(image)))
            progress("plan residual", number + 1, len(chosen))
        S = np.array(rows)
        self.centre_ = np.median(S, 0)
        self.reach_ = np.maximum(np.quantile(S, self.tail, axis=0) - self.centre_, 1e-6)
        loud = np.array([_answers(self._standard(row)) for row in S])
        middle = np.median(loud, 0)
        self.loudness_ = np.stack([middle, np.maximum(np.quantile(loud, self.tail, axis=0) - middle, 1e-6)])
        return self

    def read(self, images: Sequence[LayerImage]) -> tuple[Reading, ...]:
        """See Detector; the heat map is the loudest small filter at each pixel, shift included."""
        check_plans(images)
        return tuple(self._reading(image) for image in images)

    def arrays(self) -> dict[str, np.ndarray]:
        """See Detector."""
        return {"centre": self.centre_, "reach": self.reach_, "loudness": self.loudness_}

    def restore(self, arrays: dict[str, np.ndarray]) -> PlanResidual:
        """See Detector."""
        self.centre_, self.reach_, self.loudness_ = arrays["centre"], arrays["reach"], arrays["loudness"]
        return self

    def _reading(self, image: LayerImage) -> Reading:
        loud, heat = self.answers(image)
        return Reading(image.job, image.layer, float(loud.max()), heat=heat)

    def answers(self, image: LayerImage) -> tuple[Float64[np.ndarray, " q"], Float32[np.ndarray, "h w"]]:
        """How loud each of QUESTIONS is on one image, and the heat map."""
        explained = explain(image)
        loud = (_answers(self._standard(_statistics(explained))) - self.loudness_[0]) / self.loudness_[1]
        return np.asarray(loud), _heat(explained)

    def _standard(self, statistics: Float64[np.ndarray, " k"]) -> Float64[np.ndarray, " k"]:
        return np.asarray((statistics - self.centre_) / self.reach_)


def _statistics(explained: Explained) -> Float64[np.ndarray, " k"]:
    """Logarithms: blobs on the bed and inside the part, lines likewise, steps along both axes, shift."""
    rest = np.clip(over_spread(explained.rest, explained.nearness, explained.rest), -_CLIP, _CLIP)
    shape, part = rest.shape, explained.share > 0.5
    everywhere = np.ones(shape, bool)
    compact = strongest(rest, everywhere, blobs(shape)) + strongest(rest, part, blobs(shape))
    long = strongest(rest, everywhere, lines(shape)) + strongest(rest, part, lines(shape))
    return np.log(np.array([*compact, *long, *strongest_steps(explained), explained.shift]) + 1e-4)


def _answers(standard: Float64[np.ndarray, " k"]) -> Float64[np.ndarray, " q"]:
    """The loudest statistic of each question."""
    sizes = (6, 12, 2, 1)
    return np.array([group.max() for group in np.split(standard, np.cumsum(sizes)[:-1])])


def _heat(explained: Explained) -> Float32[np.ndarray, "h w"]:
    """At each pixel the loudest of the small filters, signed, in units of that filter's spread on this frame."""
    still = np.clip(over_spread(explained.still, explained.nearness, explained.rest), -_CLIP, _CLIP)
    bank = np.concatenate([blobs(still.shape)[:2], lines(still.shape)[:2]])
    told = zip(filtered(still, bank), _HEAT_UNITS, strict=True)
    answers = np.stack([answer / np.float32(unit * spread(answer)) for answer, unit in told])
    loudest = np.abs(answers).argmax(0)
    return np.asarray(np.take_along_axis(answers, loudest[None], 0)[0])
