"""Answers of a job's layers, one after the other -> one score each.

0 is what half of the healthy layers stay below, 1 what 99 of 100 do. Each question is held against what healthy layers
of that age answer, then against the job's own healthy layers, drawn towards the former; what goes on for several layers
counts more, and so do several questions that agree. A job whose healthy layers have been louder than others' is held to
a wider scale, and so are the first layers of any job, where other parts and beds differ most.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Bool, Float64

from layerwatch.detectors.signals.questions import LATE, NOW, QUESTIONS, START
from layerwatch.detectors.signals.usual import AGES, CENTRE, LOUDEST, REACH, SETTLED, SUSTAINED

_SPANS = tuple(zip(AGES, (*AGES[1:], None), strict=True))
_MIDDLE, _UPPER, _TO_99 = 0.5, 0.7, 6.37  # quantiles; and Gumbel's 99th lies so many times their distance above
_HIGH, _HIGH_TO_99 = 0.98, 1.198  # the same where what is unlike was left out
_UNLIKE = 1.3  # reaches, above which an answer is left out
_OWN = 3.0  # layers that the fleet weighs against the job's own healthy answers
_MOST_OWN = 0.8  # reaches, that a job's own answers may lie above the fleet's: beyond, they are no longer healthy
_RECENT = 5  # layers that are not yet counted as the job's past
_SETTLES = 8  # layers, after which a job's own answers tell
_KEPT = 0.4  # of how loud a question was, kept for the next layer
_BOUNDS = (-1.0, 3.0)  # reaches, that one layer counts in what is kept
_SUSTAINED_LESS = 0.15  # reaches, by which what was kept is quieter than what is new
_FROM = 3  # layers of a job, before which nothing was kept long enough
_AGREE = 4.0  # per reach: the larger, the less do questions count that are not the loudest
_HELD, _SUSPECTED = 2.0, 1.0  # scores from which a layer is no reference, and from which layers in a row are counted
_LEAST_NOW = (1.1, 1.1, 1.3, 1.3, 1.2, 1.2, 0.7, 0.3, 2.5)  # reaches by question: other parts are less alike
_LEAST_LATE = (1.1, 1.1, 1.3, 1.3, 1.2, 1.2, 2.5)
_LEAST_ALONE, _LEAST_START = (0.2, 0.2), (1.1, 1.1, 1.3, 1.3, 1.2, 1.2)
_LEAST_REACH = (*_LEAST_NOW, *_LEAST_LATE, *_LEAST_ALONE, *_LEAST_START)
_FLEET = 8  # jobs, from which it is known what patterns of their own healthy jobs have
_LEAST_YOUNG, _YOUNG = 2.0, 2  # times that for the first layers of a job
_LEAST_SCALE = 0.5  # reaches, of answers that are standardised already: few layers do not tell more
_UNHEARD = -1e3  # how loud a question is that cannot be asked
_UNREST, _CALM = 1.0, 2.0  # by how much a job's mean score widens its scale, and calm layers that each job is given
_MOST_UNREST = 1.5  # score, that a single layer counts in it
_WIDER, _WIDER_UNTIL = 1.25, 4  # of the scale in a job's first layers, and how many these are
_FEWEST = 8  # layers, to learn from
_TRIMMED, _TRIMS = 1.5, 6  # score of layers that are left out of the next round, and rounds

Answers = Float64[np.ndarray, "n q"]


@dataclass(frozen=True, eq=False)
class Heard:
    """One layer's answers on the scale."""

    score: float
    loudest: int  # number of the question
    loud: Float64[np.ndarray, " q"]  # reaches above what is healthy for this job
    kept: Float64[np.ndarray, " p"]  # what the questions about single layers have gathered


@dataclass(frozen=True, eq=False)
class Scale:
    """What healthy layers answer; centres above reaches, which go to the 99th percentile."""

    centre: Float64[np.ndarray, "a q"] = field(default_factory=CENTRE.copy)  # by age
    reach: Float64[np.ndarray, "a q"] = field(default_factory=REACH.copy)
    settled: Float64[np.ndarray, "2 q"] = field(default_factory=SETTLED.copy)  # of what is left when a job is known
    sustained: Float64[np.ndarray, "2 p"] = field(default_factory=SUSTAINED.copy)  # of what is kept
    loudest: Float64[np.ndarray, "2 a"] = field(default_factory=LOUDEST.copy)  # of all together, by age
    jobs: Float64[np.ndarray, " a"] = field(default_factory=lambda: np.zeros(len(AGES)))  # learnt from, by age

    @classmethod
    def learnt(cls, jobs: Sequence[Answers], prior: float) -> Scale:
        """From healthy jobs, each a row of answers a layer; some unlike layers do no harm.

        What was learnt from all layers tells which of them are unlike; it is learnt again without these, and so on.

        Args:
            jobs: answers as QUESTIONS; 0 where a question could not be asked.
            prior: layers that the virtual jobs behind the constants count among those of ``jobs``.
        """
        drawn, like = _Drawn(prior), [np.ones(len(job), bool) for job in jobs]
        found = _learnt(jobs, like, drawn)
        for _ in range(_TRIMS):
            like = [np.array([one.score < _TRIMMED for one in _plainly(found, job)], bool) for job in jobs]
            found = _learnt(jobs, like, drawn)
        return found


def standing_of(scale: Scale, job: Answers) -> list[Heard]:
    """One job, layer after layer."""
    standing = Standing(scale)
    return [standing.take(z) for z in job]


def _plainly(scale: Scale, job: Answers) -> list[Heard]:
    """The same on the fleet's own scale, from which the job's is learnt."""
    standing = Standing(scale, widens=False)
    return [standing.take(z) for z in job]


@dataclass(frozen=True)
class _Drawn:
    """Centre and reach, drawn towards those of the virtual jobs, the more the fewer layers told them."""

    prior: float

    def __call__(self, heard: Float64[np.ndarray, " n"], usual: Sequence[float] | np.ndarray) -> np.ndarray:
        told = np.array(_centre_and_reach(heard))
        weight = len(heard) / (len(heard) + self.prior)
        return np.asarray(weight * told + (1 - weight) * np.asarray(usual))

    def into(self, place: Float64[np.ndarray, " 2"], heard: Float64[np.ndarray, " n"], usual: np.ndarray) -> None:
        """Write them; the virtual jobs' own where too few layers were heard, since jobs may be longer than these."""
        place[:] = self(heard, usual) if len(heard) >= _FEWEST else usual
        place[1] = max(place[1], _LEAST_SCALE)


def _learnt(jobs: Sequence[Answers], like: Sequence[Bool[np.ndarray, " n"]], drawn: _Drawn) -> Scale:
    """From those layers of jobs that are like the others."""
    found = Scale(
        settled=_neutral(len(QUESTIONS)),
        sustained=_neutral(len(NOW)),
        loudest=_neutral(len(AGES)),
        jobs=np.array([sum(len(job) > age for job in jobs) for age in AGES], np.float64),
    )
    younger = np.zeros(len(QUESTIONS), bool)
    for place, (age, until) in enumerate(_SPANS):
        rows = np.concatenate([job[age:until][own[age:until]] for job, own in zip(jobs, like, strict=True)])
        younger = _learn_age(found, place, rows, younger, drawn)
    old = [one.loud for age, one in _heard(found, jobs, like) if age >= _SETTLES]
    for question, told in enumerate(np.array(old).reshape(-1, len(QUESTIONS)).T):
        drawn.into(found.settled[:, question], told[told > _UNHEARD / 2], SETTLED[:, question])
    kept = [one.kept for age, one in _heard(found, jobs, like) if age >= _FROM]
    for question, told in enumerate(np.array(kept).reshape(-1, len(NOW)).T):
        drawn.into(found.sustained[:, question], told, SUSTAINED[:, question])
    heard = _heard(found, jobs, like)
    for place, (first, until) in enumerate(_SPANS):
        scores = np.array([one.score for age, one in heard if first <= age < (until or age + 1)])
        drawn.into(found.loudest[:, place], scores, LOUDEST[:, place])
    return found


def _heard(scale: Scale, jobs: Sequence[Answers], like: Sequence[Bool[np.ndarray, " n"]]) -> list[tuple[int, Heard]]:
    """The layers that are like the others, with their ages."""
    return [
        (age, one)
        for job, own in zip(jobs, like, strict=True)
        for age, one in enumerate(_plainly(scale, job))
        if own[age]
    ]


def _learn_age(
    found: Scale, place: int, Z: Answers, younger: Bool[np.ndarray, " q"], drawn: _Drawn
) -> Bool[np.ndarray, " q"]:
    """What healthy answers of one age are; where none were heard, the age before tells, if that was learnt.

    Returns:
        Which questions are learnt now.
    """
    learnt = younger.copy()
    for question in range(len(QUESTIONS)):
        heard = Z[Z[:, question] > 0, question]
        if len(heard) >= _FEWEST:
            least = _LEAST_REACH[question] * (_LEAST_YOUNG if AGES[place] < _YOUNG else 1.0)
            middle, reach = drawn(heard, (CENTRE[place, question], REACH[place, question]))
            found.centre[place, question], found.reach[place, question] = middle, max(reach, least)
            learnt[question] = True
        elif younger[question]:  # as far from the virtual jobs as at the age before
            found.centre[place, question] = (
                CENTRE[place, question] + found.centre[place - 1, question] - CENTRE[place - 1, question]
            )
            found.reach[place, question] = (
                REACH[place, question] * found.reach[place - 1, question] / REACH[place - 1, question]
            )
    return learnt


@dataclass(eq=False)
class Standing:
    """The answers of one job so far, on a scale."""

    scale: Scale
    widens: bool = True  # the scale, where the job has been louder than others
    suspected: int = 0  # layers in a row
    is_held: bool = False  # the last one is no reference
    _standard: list[tuple[bool, Float64[np.ndarray, " q"]]] = field(default_factory=list)  # healthy?, answers
    _kept: Float64[np.ndarray, " p"] = field(default_factory=lambda: np.zeros(len(NOW)))
    _scores: list[float] = field(default_factory=list)  # of all layers so far

    def take(self, z: Float64[np.ndarray, " q"]) -> Heard:
        """The next layer's answers, as QUESTIONS."""
        scale, is_asked = self.scale, z > 0
        place = int(np.searchsorted(AGES, len(self._standard), side="right")) - 1
        if scale.jobs[place] < _FLEET:
            is_asked[-len(START) :] = False
        standard = (z - scale.centre[place]) / scale.reach[place]
        loud = standard - self._own()
        if len(self._standard) >= _SETTLES:
            loud = (loud - scale.settled[0]) / scale.settled[1]
        loud = np.where(is_asked, loud, _UNHEARD)
        now = np.where(is_asked[: len(NOW)], np.clip(loud[: len(NOW)], *_BOUNDS), 0.0)
        self._kept = _KEPT * self._kept + now
        sustained = (self._kept - scale.sustained[0]) / scale.sustained[1] - _SUSTAINED_LESS
        together = _together(np.concatenate([loud, np.where(is_asked[: len(NOW)], sustained, _UNHEARD)]))
        middle, reach = scale.loudest[:, place]
        score = float((together - middle) / reach)
        score = score / self._width() if self.widens and score > 0 else score
        self._scores.append(score)
        self.is_held = score > _HELD
        self.suspected = self.suspected + 1 if score > _SUSPECTED else 0
        self._standard.append((not self.is_held, np.where(is_asked, standard, np.nan)))
        either = loud.copy()
        either[: len(NOW)] = np.maximum(loud[: len(NOW)], sustained)
        return Heard(score, int(np.where(is_asked, either, _UNHEARD).argmax()), loud, self._kept)

    def _width(self) -> float:
        """How much wider this job's scale is than the fleet's: it grows with the scores of healthy layers long ago."""
        past = [min(score, _MOST_UNREST) for score in self._scores[:-_RECENT] if score <= _HELD]
        unrest = max(sum(past) / (len(past) + _CALM), 0.0)
        return (1 + _UNREST * unrest) * (_WIDER if len(self._scores) < _WIDER_UNTIL else 1.0)

    def _own(self) -> Float64[np.ndarray, " q"]:
        """How far this job's healthy answers lie from the fleet's, drawn towards it."""
        past = [z for healthy, z in self._standard[AGES[2] : -_RECENT] if healthy]
        heard = np.array(past).reshape(-1, len(QUESTIONS))
        count = np.isfinite(heard).sum(0)
        own = np.minimum(np.nansum(heard, axis=0) / (count + _OWN), _MOST_OWN)
        own[len(NOW) + len(LATE) :] = 0  # what is asked without a past must not get used to it
        return np.asarray(own)


def _together(loud: Float64[np.ndarray, " k"]) -> float:
    """The loudest, and a little more where others are about as loud."""
    most = float(loud.max())
    return most + float(np.log(np.exp(_AGREE * (loud - most)).sum())) / _AGREE


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
