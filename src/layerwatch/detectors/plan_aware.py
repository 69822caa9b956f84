"""Layers of a job in order -> what neither their plans nor the job's own past explain, named and measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Literal

import numpy as np
from jaxtyping import Float64

from layerwatch.detectors.base import Checkpoint, Detector, Need, RunningJob, check_images, check_plans
from layerwatch.detectors.signals.outline import share_of_part
from layerwatch.detectors.signals.questions import QUESTIONS, Questioner
from layerwatch.detectors.signals.running import Running
from layerwatch.detectors.signals.wording import finding_of
from layerwatch.records import LayerImage, Progress, Reading, silent

_AGES = (0, 2, 4, 8, 12)  # layers of a job from which other healthy answers hold
_MIDDLE, _UPPER, _TO_99 = 0.5, 0.85, 2.919  # quantiles; and Gumbel's 99th lies so many times their distance above
_HIGH, _HIGH_TO_99 = 0.98, 1.198  # the same where what is unlike was left out
_UNLIKE = 2.0  # reaches, above which an answer is left out
_OWN = 3.0  # layers that the fleet weighs against the job's own healthy answers
_MOST_OWN = 0.8  # reaches, that a job's own answers may lie above the fleet's: beyond, they are no longer healthy
_RECENT = 5  # layers that are not yet counted as the job's past
_HELD = 1.0  # score from which a layer is no reference for later ones
_LEAST_REACH = 0.15  # z
_FEWEST = 8  # layers of an age, to learn from

# Healthy answers of virtual jobs of `physical()`, by age: their medians and reaches; and the loudest ones'.
_CENTRE = (
    (4.24, 5.13, 6.27, 2.98, 1.23, 2.0, 2.42, 2.19, 0.25, 4.5, 4.53, 3.14, 2.96, 1.33, 1.72, 1.92, 1.72, 1.24),
    (4.13, 4.15, 2.42, 2.86, 1.34, 1.22, 1.73, 2.12, 1.26, 4.5, 4.53, 3.14, 2.96, 1.33, 1.72, 1.92, 1.72, 1.24),
    (4.14, 4.24, 2.48, 2.9, 1.3, 1.34, 1.87, 1.77, 0.93, 4.5, 4.53, 3.14, 2.96, 1.33, 1.72, 1.92, 1.72, 1.24),
    (4.14, 4.23, 2.62, 2.79, 1.25, 1.41, 1.61, 1.89, 0.92, 4.5, 4.53, 3.14, 2.96, 1.33, 1.72, 1.92, 1.72, 1.24),
    (4.14, 4.23, 2.62, 2.79, 1.25, 1.41, 1.61, 1.89, 0.92, 4.5, 4.53, 3.14, 2.96, 1.33, 1.72, 1.92, 1.72, 1.24),
)
_REACH = (
    (1.68, 3.05, 4.74, 1.25, 2.07, 4.02, 1.71, 1.39, 0.73, 2.03, 2.07, 2.16, 1.94, 1.76, 2.28, 1.34, 1.6, 3.0),
    (1.47, 1.42, 1.63, 1.5, 1.41, 1.63, 1.28, 1.6, 3.35, 2.03, 2.07, 2.16, 1.94, 1.76, 2.28, 1.34, 1.6, 3.0),
    (1.44, 1.93, 2.07, 1.55, 1.58, 1.78, 1.11, 1.17, 1.95, 2.03, 2.07, 2.16, 1.94, 1.76, 2.28, 1.34, 1.6, 3.0),
    (1.37, 1.39, 1.71, 1.48, 1.57, 1.69, 0.97, 1.34, 1.89, 2.03, 2.07, 2.16, 1.94, 1.76, 2.28, 1.34, 1.6, 3.0),
    (1.37, 1.39, 1.71, 1.48, 1.57, 1.69, 0.97, 1.34, 1.89, 2.03, 2.07, 2.16, 1.94, 1.76, 2.28, 1.34, 1.6, 3.0),
)
_LOUDEST = (0.7, 1.0)


@dataclass
class PlanAware(Detector):
    """Asks each layer many questions once plan and past are taken away; the score is the loudest answer.

    A score of 0 is what half of the healthy layers stay below, of 1 what 99 of 100 do. ``begin`` keeps a running job's
    state; ``read`` takes every image alone, as if its job had just begun.
    """

    summary: ClassVar[str] = "what plan and the job's past cannot explain, named: blob, line, step, shift, texture"
    source: ClassVar[str] = "own; generalised least squares (Aitken 1935), matched filters (North 1943)"
    needs: ClassVar[frozenset[Need]] = frozenset({"image", "plan"})

    head: Literal["x", "y"] = "y"  # image axis along which the print head travels, for the words
    learn_from: int = 3000  # layers at most
    centre_: Float64[np.ndarray, "a q"] = field(default_factory=lambda: np.array(_CENTRE), repr=False)
    reach_: Float64[np.ndarray, "a q"] = field(default_factory=lambda: np.array(_REACH), repr=False)
    loudest_: Float64[np.ndarray, " 2"] = field(default_factory=lambda: np.array(_LOUDEST), repr=False)

    def fit(
        self,
        images: Sequence[LayerImage],
        *,
        seed: int = 0,
        progress: Progress = silent,
        checkpoint: Checkpoint | None = None,
    ) -> PlanAware:
        """See Detector; each job is followed from its first layer. A few unlike layers do no harm."""
        check_images(images, plan=True)
        asked, done, jobs = [], 0, self._chosen(images)
        for job in jobs:
            running, questioner = Running(), Questioner()
            asked.append([questioner.ask(running.update(i.pixels, share_of_part(i), i.layer)).z for i in job])
            done += len(job)
            progress("plan aware", done, sum(map(len, jobs)))
        self.centre_, self.reach_, self.loudest_ = np.array(_CENTRE), np.array(_REACH), np.array((0.0, 1.0))
        for place in range(len(_AGES)):
            until = _AGES[place + 1] if place + 1 < len(_AGES) else None
            rows = [z for job in asked for z in job[_AGES[place] : until]]
            self._learn(place, np.array(rows).reshape(-1, len(QUESTIONS)))
        loud = []
        for answers in asked:
            past = Past(self)
            loud += [float(past.take(z).max()) for z in answers]
        self.loudest_ = np.array(_centre_and_reach(np.array(loud)))
        return self

    def _learn(self, place: int, Z: Float64[np.ndarray, "n q"]) -> None:
        """What healthy answers of one age are; questions that could not be asked keep what they had."""
        for question in range(len(QUESTIONS)):
            heard = Z[Z[:, question] > 0, question]
            if len(heard) >= _FEWEST:
                self.centre_[place, question], self.reach_[place, question] = _centre_and_reach(heard)

    def _chosen(self, images: Sequence[LayerImage]) -> list[list[LayerImage]]:
        """Whole jobs, spread over all of them, until there are enough layers."""
        by_job: dict[str, list[LayerImage]] = {}
        for image in images:
            by_job.setdefault(image.job, []).append(image)
        jobs = [sorted(job, key=lambda image: image.layer) for job in by_job.values()]
        return jobs[:: max(1, -(-len(images) // self.learn_from))]

    def read(self, images: Sequence[LayerImage]) -> tuple[Reading, ...]:
        """See Detector; every image alone."""
        check_plans(images)
        return tuple(self.begin(image.job).update(image) for image in images)

    def begin(self, job: str) -> RunningJob:
        """Follow a job from its first layer on."""
        return Followed(self, Past(self))

    def arrays(self) -> dict[str, np.ndarray]:
        """See Detector."""
        return {"centre": self.centre_, "reach": self.reach_, "loudest": self.loudest_}

    def restore(self, arrays: dict[str, np.ndarray]) -> PlanAware:
        """See Detector."""
        self.centre_, self.reach_, self.loudest_ = arrays["centre"], arrays["reach"], arrays["loudest"]
        return self


@dataclass(eq=False)
class Past:
    """The answers of one job so far, against those of healthy layers."""

    detector: PlanAware
    suspected: int = 0  # layers in a row
    _standard: list[tuple[bool, Float64[np.ndarray, " q"]]] = field(default_factory=list)  # healthy?, answers

    def take(self, z: Float64[np.ndarray, " q"]) -> Float64[np.ndarray, " q"]:
        """The next layer's answers in reaches above what is healthy for this job."""
        place = int(np.searchsorted(_AGES, len(self._standard), side="right")) - 1
        standard = (z - self.detector.centre_[place]) / self.detector.reach_[place]
        loud = np.where(z > 0, standard - self._own(), -1e3)
        middle, reach = self.detector.loudest_
        loud = (loud - middle) / reach
        self.suspected = self.suspected + 1 if loud.max() > _HELD else 0
        self._standard.append((self.suspected == 0, standard))
        return np.asarray(loud)

    def _own(self) -> Float64[np.ndarray, " q"]:
        """How far this job's healthy answers lie from the fleet's, drawn towards it."""
        past = [z for healthy, z in self._standard[_AGES[2] : -_RECENT] if healthy]
        if not past:
            return np.zeros(len(QUESTIONS))
        return np.asarray(np.minimum(np.sum(past, axis=0) / (len(past) + _OWN), _MOST_OWN))


@dataclass(eq=False)
class Followed:
    """A running job."""

    detector: PlanAware
    _past: Past
    _running: Running = field(default_factory=Running)
    _questioner: Questioner = field(default_factory=Questioner)

    def update(self, image: LayerImage) -> Reading:
        """The next layer."""
        check_plans([image])
        asked = self._questioner.ask(self._running.update(image.pixels, share_of_part(image), image.layer))
        loud = self._past.take(asked.z)
        if self._past.suspected:
            self._running.hold()
        at = int(loud.argmax())
        found = finding_of(asked.answers[at], image, self.detector.head, max(self._past.suspected, 1))
        return Reading(image.job, image.layer, float(loud[at]), heat=asked.heat, finding=found)


def _centre_and_reach(heard: Float64[np.ndarray, " n"]) -> tuple[float, float]:
    """The median, and from it to the 99th percentile, of healthy answers among which some may be unlike.

    A first reach follows by Gumbel's law from the 85th percentile, which a few unlike layers hardly move; what lies far
    above it is left out, and the others tell.
    """
    middle, upper = np.quantile(heard, (_MIDDLE, _UPPER))
    like = heard[heard < middle + _UNLIKE * _TO_99 * (upper - middle)]
    high = float(np.quantile(like, _HIGH)) if len(like) else float(upper)
    return float(middle), max(_HIGH_TO_99 * (high - float(middle)), _LEAST_REACH)
