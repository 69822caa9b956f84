"""Parts to learn from and parts never seen -> detectors side by side on the same virtual jobs, as one table.

Each seed has jobs, fits and a line of its own. Jobs are printed one after the other and only scores are kept; what was
measured stays in a folder, by detector, defect, severity and seed, so a comparison that was broken off goes on.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from layerwatch.crew.base import Crew
from layerwatch.crew.inline import Inline
from layerwatch.detectors.base import Detector
from layerwatch.evaluation.metrics import Estimate
from layerwatch.images.writing import check_result, check_writable
from layerwatch.job.machine import Machine
from layerwatch.journeys.comparison.amounts import Amounts
from layerwatch.journeys.comparison.bench import Bench, Fit, images_of, scores_of
from layerwatch.journeys.comparison.competitors import DEFAULT, Competitor, competitors_of
from layerwatch.journeys.comparison.fitting import fitted, jobs_key
from layerwatch.journeys.comparison.groups import Group, Planner, groups_of, polluted_jobs
from layerwatch.journeys.comparison.kept import Kept, key_of
from layerwatch.journeys.comparison.report import write_report
from layerwatch.journeys.comparison.rows import Row, Scored, read_rows, rows_of
from layerwatch.journeys.plates import Plate, fill_beds, slice_part
from layerwatch.records import Progress, UsageError, silent

_PROMISE = 0.05  # of healthy jobs that may raise an alarm
_SPARE = 12  # layers beyond a job's, so that jobs can begin at different heights
_PACED, _WARM = 40, 5  # layers whose time is taken; the first ones are left out


@dataclass(frozen=True)
class Contest:
    """What is compared, and where."""

    fit_parts: tuple[Path, ...]
    test_parts: tuple[Path, ...]  # none of them among the others
    out: Path  # the CSV file; page and figures go beside it
    work: Path  # folder of what was measured
    detectors: tuple[str, ...] = DEFAULT
    recipe: str = "quick"
    also: tuple[Path, ...] = ()  # tables of detectors that were measured elsewhere, with the same columns
    amounts: Amounts = field(default_factory=Amounts)


@dataclass(frozen=True)
class Comparison:
    """What came out."""

    rows: tuple[Row, ...]
    said: tuple[str, ...]
    files: tuple[Path, ...]


def compare(contest: Contest, machine: Machine, *, crew: Crew = Inline(), progress: Progress = silent) -> Comparison:
    """Measure every detector, and write table, page and figures.

    Args:
        contest: parts, detectors, amounts and places.
        machine: the printer with its camera.
        crew: who prints and reads; the figures do not depend on it, but for times.
        progress: told after every group of jobs.

    Raises:
        UsageError: a part is learnt from and tested on, no such file or detector, or an amount that makes no sense.
        DataError: a part that cannot be printed.
    """
    amounts = contest.amounts.checked()
    competitors = competitors_of(contest.detectors, contest.recipe)
    _check(contest)
    learn, test = (
        Planner(tuple(plates_of(parts, machine, amounts)), machine, amounts)
        for parts in (contest.fit_parts, contest.test_parts)
    )
    scored, models = _measured(groups_of(test, learn), competitors, learn, Kept(contest.work), crew, progress)
    rows = [row for one in scored for row in rows_of(one, _pace(models[one.competitor], one.competitor, test))]
    rows += [row for path in contest.also for row in read_rows(path)]
    said = _said(contest)
    return Comparison(tuple(rows), said, write_report(rows, amounts, contest.out, said))


def _measured(
    groups: Sequence[Group],
    competitors: Sequence[Competitor],
    learn: Planner,
    kept: Kept,
    crew: Crew,
    progress: Progress,
) -> tuple[list[Scored], dict[Competitor, Detector]]:
    """The scores of all groups, those that are kept and those that were missing, and the first seed's detectors."""
    keys = _keys(groups, competitors, learn)
    there = {
        (group.name, one): kept.courses(f"{one.name}/{group.name}", keys[group.name, one])
        for group in groups
        for one in competitors
    }
    missing = {
        group.name: tuple(one for one in competitors if there[group.name, one] is None and one.reads(group.condition))
        for group in groups
    }
    wanted = [Fit.of(one, group.seed, group.polluted) for group in groups for one in missing[group.name]]
    wanted += [Fit.of(one, learn.amounts.first_seed) for one in competitors]
    models = fitted(learn, competitors, list(dict.fromkeys(wanted)), kept, progress)
    bench = Bench({group.name: group for group in groups}, missing, models)
    names = [name for name, absent in missing.items() if absent]
    for done, (name, reads) in enumerate(crew.each(bench, names), len(groups) - len(names) + 1):
        for read in reads:
            place, key = f"{read.competitor.name}/{name}", keys[name, read.competitor]
            kept.keep_courses(place, key, read.courses)
            there[name, read.competitor] = kept.courses(place, key)
        progress("print and read jobs", done, len(groups), name)
    scored = [Scored(one, learn.amounts) for one in competitors]
    for group in groups:
        for own in scored:
            if own.competitor.reads(group.condition):
                own.add(group, there[group.name, own.competitor] or ())
    return scored, {one: models[Fit.of(one, learn.amounts.first_seed)] for one in competitors}


def _check(contest: Contest) -> None:
    """Refuse what would spoil the comparison before anything is sliced."""
    both = {path.resolve() for path in contest.fit_parts} & {path.resolve() for path in contest.test_parts}
    if both:
        names = ", ".join(sorted(path.name for path in both))
        raise UsageError(f"{names}: learnt from and tested on; give --parts and --test-parts that differ")
    if not contest.fit_parts or not contest.test_parts:
        raise UsageError("a part to learn from and another one to test on are needed; give --parts and --test-parts")
    check_result(contest.out, [*contest.fit_parts, *contest.test_parts, *contest.also])
    for path in contest.also:
        read_rows(path)
    check_writable(contest.work)


def plates_of(parts: Sequence[Path], machine: Machine, amounts: Amounts) -> list[Plate]:
    """Sliced parts, each filling the bed."""
    return fill_beds([slice_part(part, machine, at_least=amounts.layers + _SPARE) for part in parts], machine)


def _keys(
    groups: Sequence[Group], competitors: Sequence[Competitor], learn: Planner
) -> dict[tuple[str, Competitor], str]:
    """For each group and competitor what its scores depend on."""
    settings = {one: one.settings for one in competitors}
    fits = dict.fromkeys((group.seed, group.polluted) for group in groups)
    origins = {fit: jobs_key(polluted_jobs(learn, *fit)) for fit in fits}
    keys = dict[tuple[str, Competitor], str]()
    for group in groups:
        jobs, ages = jobs_key(group.jobs), [group.ages.start, group.ages.stop]
        told = [
            jobs,
            group.kind,
            group.severity,
            asdict(group.error),
            group.polluted,
            ages,
            origins[group.seed, group.polluted],
        ]
        keys |= {(group.name, one): key_of(settings[one], told) for one in competitors}
    return keys


def _pace(detector: Detector, competitor: Competitor, test: Planner) -> Estimate:
    """Milliseconds of processor time a layer, the median, and from the 10th to the 90th percentile."""
    job = test.jobs("pace", 0, 1)[0]
    images = [layer.image for layer in images_of(job)]
    running, took = detector.begin(job.name), list[float]()
    if competitor.view:
        begun = time.process_time()
        scores_of(detector, competitor, images)
        each = 1e3 * (time.process_time() - begun) / len(images)
        return Estimate(each, each, each)
    for image in images[:_PACED]:
        begun = time.process_time()
        if competitor.follows:
            running.update(image)
        else:
            scores_of(detector, competitor, [image])
        took.append(1e3 * (time.process_time() - begun))
    low, middle, high = np.quantile(took[min(_WARM, len(took) - 1) :], (0.1, 0.5, 0.9)).tolist()
    return Estimate(middle, low, high)


def _said(contest: Contest) -> tuple[str, ...]:
    """What a reader must know of the figures."""
    amounts, needed = contest.amounts, round(1 / _PROMISE) - 1
    learnt, tested = (", ".join(path.name for path in parts) for parts in (contest.fit_parts, contest.test_parts))
    parts = f"Learnt from {learnt}; tested on {tested}."
    if amounts.calibration >= needed:
        return parts, (
            f"Alarms are raised above the line that promises at most {100 * _PROMISE:g} % of healthy jobs one."
        )
    return parts, (
        f"{amounts.calibration} healthy jobs cannot promise {100 * _PROMISE:g} % false-alarm jobs ({needed} needed): "
        f"the line promises {100 / (amounts.calibration + 1):.0f} % only; give --calibration {needed}."
    )
