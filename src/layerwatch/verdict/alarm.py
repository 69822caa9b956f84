"""Verdicts of one job, in the order of its layers -> when an alarm is raised, grows, clears and comes back.

The same verdicts give the same changes, so whoever stores verdicts can rebuild the state by taking them again.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from layerwatch.records import UsageError, Verdict
from layerwatch.verdict.objects import DefectObject, Sighting, Tracker

_FAULT_CLEARS = 2  # judged layers


@dataclass(frozen=True)
class AlarmRules:
    """What is promised per job, and what an operator wants to hear of."""

    line: float  # the score above which an alarm is raised
    clear_after: int = 5  # sound layers without its objects until a defect's alarm clears
    persistence: int = 1  # layers in a row above the line that an alarm needs
    group_layers: int = 20  # for so long after it cleared, a new defect reopens an alarm instead of raising another
    critical_layers: int = 5  # seen on so many layers: critical
    critical_area: float = 25.0  # mm2 on one layer: critical
    critical_amplitude: float = float("nan")  # of either sign, the detector's unit: critical; nan: no such rule
    unit: str = ""  # of amplitudes, for the text: "K" where the camera's span is known

    def __post_init__(self) -> None:
        if math.isnan(self.line):
            raise UsageError("the alarm line is not a number; give a score, or infinity for no alarm of defects")
        if self.clear_after < 1 or self.persistence < 1:
            given = f"clear_after {self.clear_after}, persistence {self.persistence}"
            raise UsageError(f"{given}; both count layers, give 1 or more")

    def is_critical(self, defect: DefectObject) -> bool:
        """One of its layers, area and amplitude reaches what the rules call critical."""
        strong = abs(defect.amplitude) >= self.critical_amplitude  # never, if one of them is nan
        return strong or defect.layers >= self.critical_layers or defect.area >= self.critical_area


@dataclass(frozen=True)
class OpenAlarm:
    """An alarm as it stands after one layer."""

    number: int  # in the job, from 1
    kind: Literal["defect", "fault"]
    level: Literal["minor", "critical", "fault"]
    text: str  # one line for an operator
    first_layer: int  # the first on which one of its objects was seen, also below the line
    raised_layer: int  # on which it was raised for the first time
    last_layer: int  # the last that has to do with it
    objects: tuple[DefectObject, ...] = ()
    score: float = float("nan")  # the highest

    @property
    def delay(self) -> int:
        """Layers from the onset to the alarm."""
        return self.raised_layer - self.first_layer


@dataclass(frozen=True)
class Change:
    """What one layer did to one alarm."""

    kind: Literal["raised", "grown", "worse", "cleared", "reopened"]
    alarm: OpenAlarm


@dataclass(frozen=True)
class _FaultRun:
    """Faults of one kind that are one alarm."""

    alarm: OpenAlarm
    layers: frozenset[int]
    judged: int = 0  # layers since the last of them


class JobAlarms:
    """The alarms of one job. At most one is open for defects, and one for each kind of fault."""

    def __init__(self, rules: AlarmRules, tracker: Tracker) -> None:
        self.rules, self.tracker = rules, tracker
        self._count = 0
        self._faults: dict[str, _FaultRun] = {}  # open, by kind
        self._defect: OpenAlarm | None = None  # the latest one, open or cleared
        self._is_open = False
        self._sound = 0  # layers since it was seen last
        self._cleared_on = 0  # layer
        self._above = 0  # layers in a row above the line
        self._waiting: set[int] = set()  # objects seen on them

    @property
    def open(self) -> tuple[OpenAlarm, ...]:
        """The alarms that have not cleared, by number."""
        defect = (self._defect,) if self._defect is not None and self._is_open else ()
        return tuple(sorted((*defect, *(run.alarm for run in self._faults.values())), key=lambda one: one.number))

    def take(
        self, verdict: Verdict, sightings: Iterable[Sighting] | None = None, fault_kind: str = ""
    ) -> tuple[Change, ...]:
        """What the next layer changes. Sightings may also come with a score below the line: they date the onset.

        Without sightings they are the verdict's own regions, of unknown height and distance to the edge.
        """
        if verdict.word == "FAULT":
            return (self._faulty(verdict.layer, fault_kind or verdict.reason.partition(":")[0].strip() or "fault"),)
        places = map(Sighting, verdict.regions) if sightings is None else sightings
        seen = {one.number for one in self.tracker.take(verdict.layer, places)}
        above = bool(verdict.score > self.rules.line)
        self._above = self._above + 1 if above else 0
        self._waiting = self._waiting | seen if above else set()
        defects = self._goes_on(verdict, seen, above) if self._is_open else self._begins(verdict)
        return (*self._judged(), *defects)

    # Faults

    def _faulty(self, layer: int, kind: str) -> Change:
        """A fault of a kind whose alarm is still open belongs to it."""
        known = self._faults.get(kind)
        number = self._next_number() if known is None else known.alarm.number
        layers = (frozenset() if known is None else known.layers) | {layer}
        raised = layer if known is None else known.alarm.raised_layer
        text = f"{kind}: {_of_layers(layers)}"
        alarm = OpenAlarm(number, "fault", "fault", text, min(layers), raised, max(layers))
        self._faults[kind] = _FaultRun(alarm, layers)
        return Change("raised" if known is None else "grown", alarm)

    def _judged(self) -> tuple[Change, ...]:
        """One more layer was judged: no fault on it."""
        runs = {kind: replace(run, judged=run.judged + 1) for kind, run in self._faults.items()}
        self._faults = {kind: run for kind, run in runs.items() if run.judged < _FAULT_CLEARS}
        return tuple(Change("cleared", run.alarm) for kind, run in runs.items() if kind not in self._faults)

    # Defects

    def _begins(self, verdict: Verdict) -> tuple[Change, ...]:
        """No alarm of defects is open: raise one, or open the last one again."""
        if self._above < self.rules.persistence:
            return ()
        last = self._defect
        again = last is not None and self._is_near(last, verdict.layer)
        self._is_open, self._sound = True, 0
        alarm = self._told(verdict, last if again else None, self._waiting)
        return (Change("reopened" if again else "raised", alarm),)

    def _is_near(self, alarm: OpenAlarm, layer: int) -> bool:
        """The alarm cleared not long ago, or one of its objects is back."""
        back = self._numbers(alarm) & {self.tracker.now(number) for number in self._waiting}
        return bool(back) or layer - self._cleared_on <= self.rules.group_layers

    def _goes_on(self, verdict: Verdict, seen: set[int], above: bool) -> tuple[Change, ...]:
        """The open alarm grows with its own objects, and with any above the line; or it comes to rest."""
        alarm = self._defect
        assert alarm is not None  # noqa: S101 - for the types: one is open
        if above or seen & self._numbers(alarm):
            self._sound = 0
            now = self._told(verdict, alarm, seen if above else ())
            return (Change("grown" if now.level == alarm.level else "worse", now),)
        self._sound += verdict.word == "OK"
        if self._sound < self.rules.clear_after:
            return ()
        self._is_open, self._cleared_on = False, verdict.layer
        return (Change("cleared", alarm),)

    def _told(self, verdict: Verdict, before: OpenAlarm | None, more: Iterable[int]) -> OpenAlarm:
        """The alarm with this layer and these objects, from now on the latest."""
        own = () if before is None else self._numbers(before)
        objects = self.tracker.of((*own, *more))
        raised = verdict.layer if before is None else before.raised_layer
        was_critical = before is not None and before.level == "critical"
        self._defect = OpenAlarm(
            number=self._next_number() if before is None else before.number,
            kind="defect",
            level="critical" if was_critical or any(map(self.rules.is_critical, objects)) else "minor",
            text=_in_words(objects, self.rules.unit) if objects else f"defect without a place: layer {raised}",
            first_layer=min([raised, *(one.first_layer for one in objects)]),
            raised_layer=raised,
            last_layer=max([verdict.layer, *(one.last_layer for one in objects)]),
            objects=objects,
            score=_highest(verdict.score, math.nan if before is None else before.score),
        )
        return self._defect

    def _numbers(self, alarm: OpenAlarm) -> set[int]:
        return {self.tracker.now(one.number) for one in alarm.objects}

    def _next_number(self) -> int:
        self._count += 1
        return self._count


def _highest(*scores: float) -> float:
    return max((score for score in scores if not math.isnan(score)), default=math.nan)


def _of_layers(layers: frozenset[int]) -> str:
    first, last = min(layers), max(layers)
    if first == last:
        return f"layer {first}"
    whole = len(layers) == last - first + 1
    return f"layers {first} to {last}" if whole else f"{len(layers)} of layers {first} to {last}"


def _in_words(objects: Sequence[DefectObject], unit: str) -> str:
    """The largest of the objects, and how many more there are."""
    main = max(objects, key=lambda one: (one.volume, -one.number))
    more = len(objects) - 1
    return _one_in_words(main, unit) + (f"; and {more} more place{'s' * (more > 1)}" if more else "")


def _one_in_words(one: DefectObject, unit: str) -> str:
    layers = f"layer {one.first_layer}" if one.layers == 1 else f"layers {one.first_layer} to {one.last_layer}"
    facts = [layers, f"{one.extent:.1f} mm across", f"{one.area:.1f} mm2"]
    if not math.isnan(one.height):
        facts.append(f"{one.height:.2f} mm high")
    if not math.isnan(one.amplitude):
        facts.append(f"{one.amplitude:+.2g} {unit}".strip() if unit else f"amplitude {one.amplitude:+.2g}")
    if not math.isnan(one.edge):
        facts.append(f"{one.edge:.1f} mm from the edge")
    where = f"on part {one.part}" if one.part else "on the bed"
    return f"defect {where} at x {one.x:.1f} mm, y {one.y:.1f} mm: {', '.join(facts)}"
