"""Layers of a job in order -> what neither their plans nor the job's own past explain, named and measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar, Literal

import numpy as np
from jaxtyping import Bool, Float32, Float64

from layerwatch.detectors.base import Checkpoint, Detector, Need, RunningJob, check_images, check_plans
from layerwatch.detectors.plan_residual import QUESTIONS as ALONE
from layerwatch.detectors.plan_residual import PlanResidual
from layerwatch.detectors.signals.outline import share_of_part
from layerwatch.detectors.signals.questions import QUESTIONS, Questioner
from layerwatch.detectors.signals.running import Running
from layerwatch.detectors.signals.usual import CENTRE, LOUDEST, REACH, SETTLED
from layerwatch.detectors.signals.wording import apart_finding, finding_of
from layerwatch.records import DataError, LayerImage, Progress, Reading, silent

_AGES = (0, 2, 4, 8, 12)  # layers of a job from which other healthy answers hold
_SPANS = tuple(zip(_AGES, (*_AGES[1:], None), strict=True))
_MIDDLE, _UPPER, _TO_99 = 0.5, 0.85, 2.919  # quantiles; and Gumbel's 99th lies so many times their distance above
_HIGH, _HIGH_TO_99 = 0.98, 1.198  # the same where what is unlike was left out
_UNLIKE = 2.0  # reaches, above which an answer is left out
_OWN = 3.0  # layers that the fleet weighs against the job's own healthy answers
_MOST_OWN = 0.8  # reaches, that a job's own answers may lie above the fleet's: beyond, they are no longer healthy
_RECENT = 5  # layers that are not yet counted as the job's past
_HELD = 2.0  # score from which a layer is no reference for later ones
_LEAST_REACH = 2 * (1.1, 1.1, 1.3, 1.3, 1.2, 1.2, 0.7, 0.9, 2.5)  # by question: other parts are less alike
_SUSPECTED = 1.0  # score from which layers in a row are counted
_LEAST_SCALE = 0.5  # reaches, of answers that are standardised already: few layers do not tell more
_LEAST_YOUNG, _YOUNG = 2.0, 2  # times that for the first layers of a job
_SETTLES = 8  # layers, after which a job's own answers tell
_UNHEARD = -1e3  # how loud a question is that cannot be asked
_FEWEST = 8  # layers of an age, to learn from


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
    prior: float = 40.0  # layers that the virtual jobs behind the constants below count among those learnt from
    centre_: Float64[np.ndarray, "a q"] = field(default_factory=CENTRE.copy, repr=False)
    reach_: Float64[np.ndarray, "a q"] = field(default_factory=REACH.copy, repr=False)
    settled_: Float64[np.ndarray, "2 q"] = field(default_factory=SETTLED.copy, repr=False)
    loudest_: Float64[np.ndarray, "2 a"] = field(default_factory=LOUDEST.copy, repr=False)
    alone_: PlanResidual = field(default_factory=PlanResidual, repr=False)  # asks a layer without its past
    apart_: Float64[np.ndarray, "2 q"] = field(default_factory=lambda: np.empty((2, 0)), repr=False)  # its scale

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
        asked, apart, done, jobs = [], [], 0, self._chosen(images)
        self._fit_alone([image for job in jobs for image in job])
        for job in jobs:
            running, questioner = Running(), Questioner()
            asked.append([questioner.ask(running.update(i.pixels, share_of_part(i), i.layer)).z for i in job])
            apart.append([self.apart(image)[0] for image in job])
            done += len(job)
            progress("plan aware", done, sum(map(len, jobs)))
        self.centre_, self.reach_ = CENTRE.copy(), REACH.copy()
        self.settled_, self.loudest_ = _neutral(len(QUESTIONS)), _neutral(len(_AGES))
        learnt = np.zeros(len(QUESTIONS), bool)
        for place, (age, until) in enumerate(_SPANS):
            rows = [z for job in asked for z in job[age:until]]
            learnt = self._learn(place, np.array(rows).reshape(-1, len(QUESTIONS)), learnt)
        settled = np.concatenate([self._loud(*job)[_SETTLES:] for job in zip(asked, apart, strict=True)])
        for question in range(len(QUESTIONS)):
            heard = settled[settled[:, question] > _UNHEARD / 2, question]
            if len(heard) >= _FEWEST:
                middle, reach = self._drawn(_centre_and_reach(heard), SETTLED[:, question], len(heard))
                self.settled_[:, question] = middle, max(reach, _LEAST_SCALE)
        loudest = [self._loud(*job).max(1) for job in zip(asked, apart, strict=True)]
        for place, (age, until) in enumerate(_SPANS):
            heard = np.concatenate([loud[age:until] for loud in loudest])
            self.loudest_[:, place] = LOUDEST[:, place]  # jobs may be longer than those learnt from
            if len(heard) >= _FEWEST:
                middle, reach = self._drawn(_centre_and_reach(heard), LOUDEST[:, place], len(heard))
                self.loudest_[:, place] = middle, max(reach, _LEAST_SCALE)
        return self

    def _drawn(self, told: tuple[float, float], prior: Float64[np.ndarray, " 2"], layers: int) -> tuple[float, float]:
        """Centre and reach drawn towards those of the virtual jobs, the more the fewer layers told them."""
        weight = layers / (layers + self.prior) if self.prior else 1.0
        middle, reach = weight * np.array(told) + (1 - weight) * prior
        return float(middle), float(reach)

    def _fit_alone(self, images: Sequence[LayerImage]) -> None:
        """What is healthy for a layer of which the past is not known; a job's past cannot excuse what it says."""
        self.alone_ = PlanResidual().fit(images)
        some = images[:: max(1, len(images) // self.alone_.learn_from)]
        loud = np.array([self.alone_.answers(image)[0] for image in some])
        self.apart_ = np.array([_centre_and_reach(loud[:, question]) for question in range(loud.shape[1])]).T

    def _loud(
        self, answers: Sequence[Float64[np.ndarray, " q"]], apart: Sequence[Float64[np.ndarray, " p"]]
    ) -> Float64[np.ndarray, "n k"]:
        """One job's answers as they sound after what is learnt so far."""
        past = Past(self)
        return np.array([past.take(z, alone) for z, alone in zip(answers, apart, strict=True)])

    def apart(self, image: LayerImage) -> tuple[Float64[np.ndarray, " p"], Float32[np.ndarray, "h w"]]:
        """What is said of a layer without its past, in reaches, and its heat map; nothing where it was not learnt."""
        if not self.apart_.size:
            return np.empty(0), np.zeros(image.pixels.shape, np.float32)
        loud, heat = self.alone_.answers(_whole(image))
        return np.asarray((loud - self.apart_[0]) / self.apart_[1]), heat

    def _learn(
        self, place: int, Z: Float64[np.ndarray, "n q"], younger: Bool[np.ndarray, " q"]
    ) -> Bool[np.ndarray, " q"]:
        """What healthy answers of one age are; where none were heard, as at the age before, if that was learnt.

        Returns:
            Which questions are learnt now.
        """
        learnt = younger.copy()
        for question in range(len(QUESTIONS)):
            heard = Z[Z[:, question] > 0, question]
            if len(heard) >= _FEWEST:
                least = _LEAST_REACH[question] * (_LEAST_YOUNG if _AGES[place] < _YOUNG else 1.0)
                prior = np.array((CENTRE[place, question], REACH[place, question]))
                middle, reach = self._drawn(_centre_and_reach(heard), prior, len(heard))
                self.centre_[place, question], self.reach_[place, question] = middle, max(reach, least)
                learnt[question] = True
            elif younger[question]:
                for told in (self.centre_, self.reach_):
                    told[place, question] = told[place - 1, question]
        return learnt

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
        names = ("centre", "reach", "settled", "loudest", "apart")
        alone = {f"alone_{key}": value for key, value in self.alone_.arrays().items()}
        return {**{name: getattr(self, f"{name}_") for name in names}, **alone}

    def restore(self, arrays: dict[str, np.ndarray]) -> PlanAware:
        """See Detector."""
        self.centre_, self.reach_ = arrays["centre"], arrays["reach"]
        self.settled_, self.loudest_, self.apart_ = arrays["settled"], arrays["loudest"], arrays["apart"]
        own = {key.removeprefix("alone_"): value for key, value in arrays.items() if key.startswith("alone_")}
        self.alone_ = PlanResidual().restore(own)
        return self


@dataclass(eq=False)
class Past:
    """The answers of one job so far, against those of healthy layers."""

    detector: PlanAware
    suspected: int = 0  # layers in a row
    is_held: bool = False  # the last one is no reference
    _standard: list[tuple[bool, Float64[np.ndarray, " q"]]] = field(default_factory=list)  # healthy?, answers

    def take(self, z: Float64[np.ndarray, " q"], apart: Float64[np.ndarray, " p"]) -> Float64[np.ndarray, " k"]:
        """The next layer's answers in reaches above what is healthy for this job, then those without its past.

        Args:
            z: as QUESTIONS.
            apart: what is said of the layer without its past, in reaches; may be empty.
        """
        place = int(np.searchsorted(_AGES, len(self._standard), side="right")) - 1
        standard = (z - self.detector.centre_[place]) / self.detector.reach_[place]
        loud = standard - self._own()
        if len(self._standard) >= _SETTLES:
            loud = (loud - self.detector.settled_[0]) / self.detector.settled_[1]
        middle, reach = self.detector.loudest_[:, place]
        loud = np.concatenate([np.where(z > 0, (loud - middle) / reach, _UNHEARD), (apart - middle) / reach])
        self.is_held = bool(loud.max() > _HELD)
        self.suspected = self.suspected + 1 if loud.max() > _SUSPECTED else 0
        self._standard.append((not self.is_held, np.where(z > 0, standard, np.nan)))
        return loud

    def _own(self) -> Float64[np.ndarray, " q"]:
        """How far this job's healthy answers lie from the fleet's, drawn towards it."""
        past = [z for healthy, z in self._standard[_AGES[2] : -_RECENT] if healthy]
        heard = np.array(past).reshape(-1, len(QUESTIONS))
        count = np.isfinite(heard).sum(0)
        return np.asarray(np.minimum(np.nansum(heard, axis=0) / (count + _OWN), _MOST_OWN))


@dataclass(eq=False)
class Followed:
    """A running job."""

    detector: PlanAware
    _past: Past
    _running: Running = field(default_factory=Running)
    _questioner: Questioner = field(default_factory=Questioner)
    _shape: tuple[int, ...] = ()

    def update(self, image: LayerImage) -> Reading:
        """The next layer."""
        check_plans([image])
        self._check_size(image)
        asked = self._questioner.ask(self._running.update(image.pixels, share_of_part(image), image.layer))
        apart, heat = self.detector.apart(image)
        loud = self._past.take(asked.z, apart)
        at, layers = int(loud.argmax()), max(self._past.suspected, 1)
        if self._past.is_held:
            self._running.hold()
        score = float(loud[at])
        if at >= len(QUESTIONS):
            found = apart_finding(ALONE[at - len(QUESTIONS)], heat, image, score, layers)
            return Reading(image.job, image.layer, score, heat=heat, finding=found)
        found = finding_of(asked.answers[at], image, self.detector.head, layers)
        return Reading(image.job, image.layer, score, heat=asked.heat, finding=found)

    def _check_size(self, image: LayerImage) -> None:
        self._shape = self._shape or image.pixels.shape
        if image.pixels.shape != self._shape:
            a, b = ("{1} x {0}".format(*shape) for shape in (image.pixels.shape, self._shape))
            raise DataError(f"{image.name} is {a} pixels, the job's layers before it {b}; give one size")


def _whole(image: LayerImage) -> LayerImage:
    """The image with its holes filled by what it has in the middle."""
    known = np.isfinite(image.pixels)
    if known.all():
        return image
    middle = np.float32(np.median(image.pixels[known])) if known.any() else np.float32(0)
    return replace(image, pixels=np.where(known, image.pixels, middle).astype(np.float32))


def _neutral(count: int) -> Float64[np.ndarray, "2 n"]:
    """Centres and reaches that change nothing."""
    return np.array((np.zeros(count), np.ones(count)))


def _centre_and_reach(heard: Float64[np.ndarray, " n"]) -> tuple[float, float]:
    """The median, and from it to the 99th percentile, of healthy answers among which some may be unlike.

    A first reach follows by Gumbel's law from the 85th percentile, which a few unlike layers hardly move; what lies far
    above it is left out, and the others tell.
    """
    middle, upper = np.quantile(heard, (_MIDDLE, _UPPER))
    like = heard[heard < middle + _UNLIKE * _TO_99 * (upper - middle)]
    high = float(np.quantile(like, _HIGH)) if len(like) else float(upper)
    return float(middle), max(_HIGH_TO_99 * (high - float(middle)), 1e-6)
