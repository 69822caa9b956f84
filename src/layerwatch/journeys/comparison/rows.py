"""Scores of all groups -> the lines of detection.csv: AUROC, hits, false alarms and delays with their intervals."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from layerwatch.evaluation.courses import (
    Course,
    Line,
    Separation,
    delay,
    false_alarm_jobs,
    hits,
    line_of,
    mean_of,
    separation,
    worst_of,
)
from layerwatch.evaluation.metrics import Estimate
from layerwatch.journeys.comparison.amounts import MIDDLE, PAPERS, Amounts
from layerwatch.journeys.comparison.competitors import Competitor
from layerwatch.journeys.comparison.groups import CALIBRATION, FROM_FIRST, HEALTHY, Group
from layerwatch.journeys.comparison.shifts import SHIFTS
from layerwatch.journeys.comparison.unlisted import UNLISTED
from layerwatch.records import UsageError

FIVE, OTHERS, NOBODYS = "the paper's five", "the others", "listed nowhere"
AUROC, AUROC_FIRST, FOUND = "AUROC", "AUROC at the onset", "jobs found"
FALSE_JOBS, MEDIAN, NINETY, REACHED, PACE = (
    "false-alarm jobs",
    "delay, median",
    "delay, 90 %",
    "severity reached",
    "ms a layer",
)
SHIFTED = "ten shifted groups"
NOTHING_OFF = "nothing off, the same seeds"
_RUN = 5  # layers in a row


@dataclass(frozen=True)
class Row:
    """One line of detection.csv."""

    detector: str
    input: str
    data: str
    defect: str
    severity: float | None
    layers: int | None  # that the detector has seen of the defect, or within which it must find it
    metric: str
    value: float
    low: float | None
    high: float | None
    seeds: int


def read_rows(path: Path) -> list[Row]:
    """Lines of such a table.

    Raises:
        UsageError: there is no such file, or it is no such table.
    """
    try:
        with path.open(newline="", encoding="utf-8") as file:
            told = list(csv.DictReader(file))
        return [
            Row(
                one["detector"],
                one["input"],
                one["data"],
                one["defect"],
                _number(one["severity"]),
                int(one["layers"]) if one["layers"] else None,
                one["metric"],
                float(one["value"]),
                _number(one["low"]),
                _number(one["high"]),
                int(one["seeds"]),
            )
            for one in told
        ]
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}; give a table that benchmarks/peers.py wrote") from None
    except (KeyError, ValueError, TypeError, csv.Error):
        raise UsageError(f"{path} is no table with the columns of detection.csv; give one that has them") from None


def _number(text: str) -> float | None:
    return float(text) if text else None


@dataclass(frozen=True, eq=False)
class Scored:
    """All that one competitor scored."""

    competitor: Competitor
    amounts: Amounts
    results: dict[tuple[str, float, str], list[Course]] = field(default_factory=dict)

    def add(self, group: Group, courses: Sequence[Course]) -> None:
        """Take the scores of one group."""
        self.results.setdefault((group.kind, group.severity, group.condition), []).extend(courses)

    def lines(self, condition: str = "") -> dict[int, Line]:
        """For each seed the line that its healthy calibration jobs set, scored by the same fit."""
        calibration = self.results.get((CALIBRATION, 0.0, condition), self.results[CALIBRATION, 0.0, ""])
        return {
            seed: line_of([course for course in calibration if course.seed == seed])
            for seed in sorted({course.seed for course in calibration})
        }

    def healthy(self, condition: str = "") -> list[Course]:
        """Jobs to count false alarms in, where the condition has some of its own."""
        return self.results.get((HEALTHY, 0.0, condition), self.results[HEALTHY, 0.0, ""])

    def told(self, kind: str, severity: float, condition: str = "", which: int | None = None) -> Separation:
        """AUROC of one kind."""
        return separation(
            self.healthy(condition), self.results[kind, severity, condition], self.amounts.ages, which=which
        )

    def seeds(self, condition: str) -> int:
        """How many seeds tell of a condition."""
        own = {course.seed for (_, _, c), several in self.results.items() if c == condition for course in several}
        return len(own) or self.amounts.seeds

    @property
    def conditions(self) -> tuple[str, ...]:
        """Plan errors and pollution, as they were measured."""
        return tuple(dict.fromkeys(c for kind, _, c in self.results if c and kind == HEALTHY))


def rows_of(scored: Scored, milliseconds: Estimate | None) -> list[Row]:
    """All lines of one competitor.

    Args:
        scored: its scores.
        milliseconds: of one layer; None: not measured.
    """
    scored = _with_nothing_off(scored)
    writer = _Writer(scored)
    rows = [
        *_by_defect(scored, writer),
        *_pooled(scored, writer),
        *_healthy_rows(scored, writer),
        *_first(scored, writer),
        *_by_condition(scored, writer),
    ]
    if milliseconds is not None:
        rows.append(writer("", HEALTHY, None, 1, PACE, milliseconds))
    return rows


def _with_nothing_off(scored: Scored) -> Scored:
    """Where only some seeds have jobs with something off: also the same jobs of these seeds with nothing off."""
    seeds = {
        course.seed
        for (kind, _, off), told in scored.results.items()
        if off not in ("", FROM_FIRST) and kind in PAPERS
        for course in told
    }
    if not seeds or len(seeds) == scored.amounts.seeds:
        return scored
    own = {
        (kind, severity, NOTHING_OFF): [course for course in told if course.seed in seeds]
        for (kind, severity, off), told in scored.results.items()
        if not off and (kind in {HEALTHY, CALIBRATION} or (kind in PAPERS and severity == MIDDLE))
    }
    return replace(scored, results={**own, **scored.results})


@dataclass(frozen=True, eq=False)
class _Writer:
    """What all lines of one competitor have in common."""

    scored: Scored

    def __call__(
        self, condition: str, defect: str, severity: float | None, layers: int | None, metric: str, told: Estimate
    ) -> Row:
        amounts, competitor = self.scored.amounts, self.scored.competitor
        data = ", ".join(word for word in (amounts.preset, condition) if word)
        return Row(
            competitor.detector,
            competitor.input,
            data,
            defect,
            severity,
            layers,
            metric,
            told.value,
            told.low,
            told.high,
            self.scored.seeds(condition),
        )


def _by_defect(scored: Scored, writer: _Writer) -> Iterator[Row]:
    """Each defect at each severity."""
    lines = scored.lines()
    for (kind, severity, condition), courses in scored.results.items():
        if condition or not severity:
            continue
        for metric, layers, which in ((AUROC, 1, None), (AUROC_FIRST, 1, 0), (AUROC, _RUN, _RUN - 1)):
            yield writer("", kind, severity, layers, metric, scored.told(kind, severity, which=which).estimate)
        yield writer("", kind, severity, _RUN, FOUND, hits(courses, lines, _RUN))
        yield writer("", kind, severity, None, MEDIAN, delay(courses, lines, 0.5))
        yield writer("", kind, severity, None, NINETY, delay(courses, lines, 0.9))
        reached = [course.severity for course in courses]
        middle = sum(reached) / len(reached)
        yield writer("", kind, severity, None, REACHED, Estimate(middle, min(reached), max(reached)))


def _pooled(scored: Scored, writer: _Writer) -> Iterator[Row]:
    """Mean and worst of the paper's five, of the shelf's others, and of those that nobody listed."""
    for title, kinds, severity in _sets(scored):
        for layers, which in ((1, None), (_RUN, _RUN - 1)):
            several = [scored.told(kind, severity, which=which) for kind in kinds]
            yield writer("", f"{title}, mean", severity, layers, AUROC, mean_of(several).estimate)
            yield writer("", f"{title}, worst", severity, layers, AUROC, worst_of(several).estimate)
        courses = [course for kind in kinds for course in scored.results[kind, severity, ""]]
        yield writer("", title, severity, _RUN, FOUND, hits(courses, scored.lines(), _RUN))


def _sets(scored: Scored) -> Iterator[tuple[str, list[str], float]]:
    belongs: dict[str, Callable[[str], bool]] = {
        FIVE: lambda kind: kind in PAPERS,
        OTHERS: lambda kind: kind not in PAPERS and kind not in UNLISTED,
        NOBODYS: lambda kind: kind in UNLISTED,
    }
    for title, is_in in belongs.items():
        for severity in sorted({s for _, s, condition in scored.results if s and not condition}):
            kinds = [kind for kind, s, c in scored.results if s == severity and not c and is_in(kind)]
            if kinds:
                yield title, kinds, severity


def _healthy_rows(scored: Scored, writer: _Writer) -> Iterator[Row]:
    """Jobs with a false alarm."""
    for condition in ("", *scored.conditions):
        told = false_alarm_jobs(scored.healthy(condition), scored.lines(condition))
        yield writer(condition, HEALTHY, None, None, FALSE_JOBS, told)
    shifted = [scored.healthy(shift.name) for shift in SHIFTS if shift.name in scored.conditions]
    if shifted:
        every = false_alarm_jobs([course for own in shifted for course in own], scored.lines())
        yield writer(SHIFTED, HEALTHY, None, None, FALSE_JOBS, every)
        worst = max((false_alarm_jobs(own, scored.lines()) for own in shifted), key=lambda told: told.high)
        yield writer(f"{SHIFTED}, worst", HEALTHY, None, None, FALSE_JOBS, worst)


def _first(scored: Scored, writer: _Writer) -> Iterator[Row]:
    """The striation that is there from the first layer on: within five layers, and before the job ends."""
    courses = scored.results.get(("striation", MIDDLE, FROM_FIRST))
    if courses:
        for layers in (_RUN, scored.amounts.layers):
            yield writer(FROM_FIRST, "striation", MIDDLE, layers, FOUND, hits(courses, scored.lines(), layers))


def _by_condition(scored: Scored, writer: _Writer) -> Iterator[Row]:
    """The paper's five with plans that are off, and after learning from polluted jobs."""
    for condition in scored.conditions:
        kinds = [kind for kind, _, c in scored.results if c == condition and kind in PAPERS]
        if not kinds:
            continue
        several = [scored.told(kind, MIDDLE, condition) for kind in kinds]
        yield writer(condition, f"{FIVE}, mean", MIDDLE, 1, AUROC, mean_of(several).estimate)
        courses = [course for kind in kinds for course in scored.results[kind, MIDDLE, condition]]
        yield writer(condition, FIVE, MIDDLE, _RUN, FOUND, hits(courses, scored.lines(condition), _RUN))
