"""Healthy frames -> a gate that says of each frame of a running job whether it may be judged, and if not, why.

What healthy frames show of every check's numbers is learnt by robust quantiles with an exponential tail, apart for
frames that follow the last sound one at once and for later ones: the longer ago, the more has changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate, pairwise

import numpy as np
from jaxtyping import Bool, Float64, UInt8

from layerwatch import catalogue
from layerwatch.images.clock import Clock
from layerwatch.images.gate.base import UNKNOWN, Check, Finding, Known, Past, Seen
from layerwatch.images.looks import Look
from layerwatch.images.recollection import (
    AGREES,
    CLEAR,
    DOUBT,
    HINT,
    after,
    beside_refused,
    in_other_lights,
    is_closer,
)
from layerwatch.images.remembered import Remembered
from layerwatch.images.tails import Tails
from layerwatch.records import DataError, Fault, Shot, UsageError

Plan = UInt8[np.ndarray, "h w"]
PlanOf = Callable[[str, int], "Plan | None"]  # job and layer -> part instances from CAD

LAGS = (1, 2, 4, 8, 16)  # layers since the last sound frame, at which what is healthy is learnt anew
_FEWEST = 40  # healthy frames to learn from
_ONE_VALUE = 1e-8  # over which a tail falls that was no tail
_NO_TIME = 1.0  # s a layer, where no frame says its time


@dataclass(frozen=True)
class Answer:
    """What the gate says when a frame comes."""

    job: str
    layer: int
    fault: Fault | None  # of this frame; None: it may be judged
    others: tuple[Fault, ...] = ()  # of other layers: that never came, or that this frame shows in another light
    p_value: float = 1.0  # share of healthy frames with a number as unusual as this frame's most unusual one

    @property
    def is_sound(self) -> bool:
        """The frame may be judged."""
        return self.fault is None


def every_check() -> tuple[Check, ...]:
    """All checks of the shelf with their own settings, the most specific first."""
    checks: list[Check] = [catalogue.load("images.gate", name)() for name in catalogue.names("images.gate")]
    return tuple(sorted(checks, key=lambda check: (check.rank, check.name)))


@dataclass(frozen=True, eq=False)
class _View:
    """One frame in the light of one past."""

    seen: Seen
    told: list[tuple[Check, Finding]]
    far: Float64[np.ndarray, " k"]  # orders of magnitude of all numbers
    unusual: float  # of the most unusual number, among those that differ from one healthy frame to another
    moved: bool = False  # the most unusual number is one that is large where outlines move
    alike: int = 1  # frames in a row with this fault, and alike

    @property
    def own(self) -> tuple[Check, Finding] | None:
        """The fault of the frame itself, by the most specific check."""
        return next(((check, found) for check, found in self.told if found.itself), None)


@dataclass
class Gate:
    """Faults of frames (Type 1), from the first layer on."""

    checks: tuple[Check, ...] = field(default_factory=every_check)
    known_: Known | None = None
    tails_: Tails | None = field(default=None, repr=False)  # start and fall are [lags k], all checks' numbers in turn
    memory: Remembered | None = field(default=None, repr=False, compare=False)  # of frames that come again
    _past: Past | None = field(default=None, repr=False)

    def fit(self, jobs: Iterable[Sequence[Shot]], plans: PlanOf | None = None) -> Gate:
        """Learn what healthy frames show; the same frames teach the same.

        Args:
            jobs: healthy frames, each job in order.
            plans: what was planned, where that is known.

        Raises:
            DataError: fewer than 40 frames, or frames of mixed sizes or depths.
        """
        rows: dict[int, list[Float64[np.ndarray, " k"]]] = {lag: [] for lag in LAGS}
        for number, job in enumerate(jobs):
            self.known_ = self.known_ or known_from(job)
            _check_alike(job, self.known_)
            looks = list(map(self._look, job))
            for seen in _lessons(looks, self.known_, plans, np.random.default_rng(number)):
                rows[_lag_of(seen.lag)].append(self._numbers(seen))
        count = len(rows[1])
        if count < _FEWEST or self.known_ is None:
            raise DataError(f"{count} healthy frames are too few for a gate; give at least {_FEWEST}, of several jobs")
        learnt = [Tails.of(np.array(rows[lag]).reshape(len(rows[lag]), -1)) for lag in LAGS if rows[lag]]
        starts, falls = _carried([tails.start for tails in learnt]), _carried([tails.fall for tails in learnt])
        self.tails_ = Tails(starts, falls)
        return self

    def begin(self, job: str) -> Gate:
        """Forget the job before; the next frame is the first of this one.

        Raises:
            UsageError: the gate has learnt nothing yet.
        """
        if self.known_ is None:
            raise UsageError("the gate has learnt nothing yet; fit it to healthy frames first")
        self._past = Past(job, Clock(self.known_.layer_time))
        return self

    def judge(self, shot: Shot, plan: Plan | None = None) -> Answer:
        """Say whether a frame may be judged.

        Args:
            shot: the frame with what it claims.
            plan: part instance from CAD at each pixel, if known; the first frame of a job is compared with it.
        """
        if self.known_ is None or self._past is None:
            self.begin(shot.job)
        assert self.known_ is not None  # noqa: S101 # begin has refused else
        assert self._past is not None  # noqa: S101 # begin has set it
        seen = Seen(shot, self.known_, self._past, plan, self._look(shot))
        view = self._view(seen)
        others = [(check, found) for check, found in view.told if found.others]
        view = self._second_look(view) if view.own is not None else self._gone_on(view)
        fault = _fault(shot.job, shot.layer, *view.own) if view.own else None
        self._past = after(view.seen, fault, 0.0 if view.moved else view.unusual, view.alike)
        return Answer(
            shot.job,
            shot.layer,
            fault,
            tuple(_fault(shot.job, layer, *one) for one in others for layer in one[1].others),
            10.0**-view.unusual,
        )

    def _view(self, seen: Seen) -> _View:
        """What all checks say of a frame and a past."""
        numbers, far = self._measured(seen)
        unusual = float(np.where(self._varies(seen), far, 0).max(initial=0))
        return _View(seen, self._findings(seen, numbers, far), far, unusual, self._outlines(far) >= unusual)

    def _varies(self, seen: Seen) -> Bool[np.ndarray, " k"]:
        """Which numbers were more than one value on healthy frames; how rare another value is, is not known else."""
        assert self.tails_ is not None  # noqa: S101 # learnt with what is known
        return np.asarray(self.tails_.fall[LAGS.index(_lag_of(seen.lag))] > _ONE_VALUE)

    def _outlines(self, far: Float64[np.ndarray, " k"]) -> float:
        """How unusual the numbers are that are large where outlines move."""
        return float(max((far[own][k] for check, own in self._places() for k in check.moves), default=0.0))

    def _unusual(self, view: _View, check: Check) -> float:
        """How unusual a check's own numbers are."""
        return float(max(view.far[own].max(initial=0) for other, own in self._places() if other is check))

    def _places(self) -> Iterator[tuple[Check, slice]]:
        """Every check, and where its numbers lie among all."""
        ends = accumulate(check.measures for check in self.checks)
        yield from ((check, slice(end - check.measures, end)) for check, end in zip(self.checks, ends, strict=True))

    def _second_look(self, view: _View) -> _View:
        """A frame with a fault against other frames than the reference: that may be what is wrong, or long past."""
        assert view.own is not None  # noqa: S101 # only frames with a fault are looked at again
        for other in map(self._view, in_other_lights(view.seen)):
            if other.own is None and other.unusual < AGREES and is_closer(other.seen, view.seen):
                return other
        check, lasting, past = view.own[0], self._lasting(view.seen.past), view.seen.past
        beside = self._beside(view) if lasting is not None and check.measures else None
        if beside is None or lasting is None:
            return view
        alike = past.alike + 1
        if 0 < lasting.passes <= alike:
            return beside
        return replace(view, told=view.told if check is lasting else [_as_before(lasting, past)], alike=alike)

    def _gone_on(self, view: _View) -> _View:
        """A frame that passes, but is unusual, after one with a fault that it is like: the fault lasts."""
        past, lasting = view.seen.past, self._lasting(view.seen.past)
        if lasting is None or (own := self._unusual(view, lasting)) < HINT:
            return view
        beside, alike = self._beside(view), past.alike + 1
        if beside is None or self._unusual(beside, lasting) + CLEAR > own or 0 < lasting.passes <= alike:
            return view
        return replace(view, told=[_as_before(lasting, past)], alike=alike)

    def _lasting(self, past: Past) -> Check | None:
        """The check that saw a fault in the picture before, by its numbers."""
        return next((check for check in self.checks if check.name == past.fault and check.measures), None)

    def _beside(self, view: _View) -> _View | None:
        """The frame against the one refused before it, where it agrees with that."""
        seen = beside_refused(view.seen)
        beside = None if seen is None else self._view(seen)
        return beside if beside is not None and beside.own is None and beside.unusual < DOUBT else None

    def _measured(self, seen: Seen) -> tuple[Float64[np.ndarray, " k"], Float64[np.ndarray, " k"]]:
        """All checks' numbers one after another, and how far each goes beyond healthy ones at the frame's lag."""
        assert self.tails_ is not None  # noqa: S101 # learnt with what is known
        row = LAGS.index(_lag_of(seen.lag))
        numbers = self._numbers(seen) if seen.fits else np.full(self.tails_.start.shape[1], UNKNOWN)
        return numbers, Tails(self.tails_.start[row], self.tails_.fall[row]).far(numbers)

    def _findings(
        self, seen: Seen, numbers: Float64[np.ndarray, " k"], far: Float64[np.ndarray, " k"]
    ) -> list[tuple[Check, Finding]]:
        found = [(check, check.find(seen, tuple(numbers[own].tolist()), far[own])) for check, own in self._places()]
        return [(check, one) for check, one in found if one is not None]

    def _look(self, shot: Shot) -> Look:
        return Look(shot) if self.memory is None else self.memory.look(shot)

    def _numbers(self, seen: Seen) -> Float64[np.ndarray, " k"]:
        return self._measure(seen) if self.memory is None else self.memory.numbers(seen, self._measure)

    def _measure(self, seen: Seen) -> Float64[np.ndarray, " k"]:
        return np.array([number for check in self.checks for number in check.measure(seen)], np.float64)


def _as_before(check: Check, past: Past) -> tuple[Check, Finding]:
    return check, Finding(f"as on the frame before; it began at layer {past.first}")


def known_from(job: Sequence[Shot]) -> Known:
    """What a healthy job says of the camera and the machine.

    Raises:
        DataError: fewer than two frames, so that the layer time cannot be told.
    """
    pairs = [(a, b) for a, b in pairwise(job) if b.layer > a.layer]
    steps = [(b.time - a.time) / (b.layer - a.layer) for a, b in pairs if np.isfinite(b.time - a.time)]
    if not pairs or float(np.median(steps or [_NO_TIME])) <= 0:
        raise DataError("a healthy job needs two frames or more, with layer numbers and times that rise")
    first = job[0]
    coarse = first.bits == 8 or not bool((first.frame % 257).any())
    h, w = first.frame.shape
    return Known(h, w, first.bits, float(np.median(steps or [_NO_TIME])), coarse, timed=bool(steps))


def _check_alike(job: Sequence[Shot], known: Known) -> None:
    for shot in job:
        if shot.frame.shape != (known.height, known.width) or shot.bits != known.bits or shot.share < 1:
            raise DataError(
                f"{shot.job}, layer {shot.layer}: {shot.frame.shape[1]} x {shot.frame.shape[0]} pixels of {shot.bits} "
                f"bits; healthy frames have {known.width} x {known.height} of {known.bits}: leave it out"
            )


def _lessons(looks: Sequence[Look], known: Known, plans: PlanOf | None, rng: np.random.Generator) -> Iterator[Seen]:
    """Every frame after the one before it, and after an earlier one; the first after nothing."""
    clock = Clock(known.layer_time)
    for k, look in enumerate(looks):
        plan = plans(look.shot.job, look.layer) if plans is not None and k == 0 else None
        past = Past(look.shot.job, clock)
        earlier = {max(k - 1, 0), int(rng.integers(max(k, 1)))} if k else set()
        yield from (Seen(look.shot, known, replace(past, before=looks[e]), None, look) for e in sorted(earlier))
        if not k:
            yield Seen(look.shot, known, past, plan, look)
        clock = clock.after(look.layer, look.shot.time)


def _lag_of(lag: int) -> int:
    return max(known for known in LAGS if known <= max(lag, 1))


def _carried(rows: Sequence[Float64[np.ndarray, " k"]]) -> Float64[np.ndarray, "lags k"]:
    """A row a lag; what could not be learnt at one is taken from the one before."""
    out = [rows[0]]
    for number in range(1, len(LAGS)):
        row = rows[number] if number < len(rows) else out[-1]
        out.append(np.where(np.isfinite(row), row, out[-1]))
    return np.stack(out)


def _fault(job: str, layer: int, check: Check, found: Finding) -> Fault:
    return Fault(job, layer, check.name, found.evidence, check.advice)
