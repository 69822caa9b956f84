"""Plates and amounts -> groups of jobs to print and read, the pieces of work that a comparison is made of."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from layerwatch.job.machine import Machine
from layerwatch.job.printing import DefectOrder, JobSettings, check_job
from layerwatch.journeys.comparison.amounts import MIDDLE, PAPERS, Amounts
from layerwatch.journeys.comparison.plan_errors import PlanError
from layerwatch.journeys.comparison.shifts import SHIFTS
from layerwatch.journeys.comparison.unlisted import UNLISTED
from layerwatch.journeys.plates import Plate, well_printed
from layerwatch.journeys.synthesise import Wish, plan_plates
from layerwatch.records import DataError

HEALTHY, CALIBRATION = "healthy", "calibration"
FROM_FIRST = "from layer 1"
_SPARE_JOBS = 2  # jobs drawn for each that is wanted, where the camera's span may not hold all
_WEAK_TO_STRONG = (1.0, 2.0, 4.0)  # of what pollutes, in turn


@dataclass(frozen=True, eq=False)
class Group:
    """Jobs of one kind, of one seed, read in one way."""

    kind: str  # a defect, HEALTHY or CALIBRATION
    severity: float  # 0 where healthy
    seed: int
    jobs: tuple[JobSettings, ...]
    number: int = 0  # of the healthy jobs' groups
    error: PlanError = field(default_factory=PlanError)
    polluted: float = 0.0  # share of the layers learnt from that was defective
    variant: str = ""  # FROM_FIRST, the name of a shift, or empty
    ages: range = range(0)  # layers that an unlisted defect spoils

    @property
    def condition(self) -> str:
        """What differs from the usual; empty if nothing."""
        polluted = f"{100 * self.polluted:g} % of fitting layers defective" if self.polluted else ""
        return self.variant or self.error.name or polluted

    @property
    def name(self) -> str:
        """Of the piece of work, fit for a file."""
        told = [self.kind, f"{self.severity:g}", str(self.seed), str(self.number), self.condition]
        return "-".join(word.replace(" ", "_").replace("%", "percent") for word in told if word)


@dataclass(frozen=True, eq=False)
class Planner:
    """Settings of jobs of some parts."""

    plates: tuple[Plate, ...]
    machine: Machine
    amounts: Amounts
    variability: float = 1.0

    def jobs(self, role: str, seed: int, count: int, order: DefectOrder | None = None) -> tuple[JobSettings, ...]:
        """Jobs of a stream of their own; an order's first layer counts within the job.

        The same role and seed give the same jobs, so severities and plan errors are compared on them.
        """
        stream = zlib.crc32(f"{role}/{seed}".encode())
        wish = Wish(
            count, 0, self.amounts.layers, preset=self.amounts.preset, seed=stream, variability=self.variability
        )
        planned = plan_plates(self.plates, self.machine, wish).values()
        named = [replace(job, name=f"{role}-{seed}-{number:04d}") for number, job in enumerate(planned)]
        if order is None:
            return tuple(named)
        return tuple(self._spoiled(job, order, number) for number, job in enumerate(named))

    def _spoiled(self, job: JobSettings, order: DefectOrder, number: int) -> JobSettings:
        """The job with the defect, moved to where something is printed at its onset."""
        plate = self.plates[number % len(self.plates)]
        fit = well_printed(plate.areas, self.machine) - order.first_layer
        fit = fit[(fit >= 0) & (fit <= plate.layers - job.layers)]
        first = int(fit[np.argmin(np.abs(fit - job.first_layer))]) if len(fit) else job.first_layer
        onset = replace(order, first_layer=first + order.first_layer)
        return replace(job, first_layer=first, burn_in=min(job.burn_in, first), orders=(onset,))


def groups_of(planner: Planner, calibration: Planner) -> list[Group]:
    """All groups of a comparison.

    Args:
        planner: of the parts to test on.
        calibration: of the parts to learn from.
    """
    amounts, groups = planner.amounts, list[Group]()
    errors = (*(PlanError(px) for px in amounts.plan_errors_px), *(PlanError(0, t) for t in amounts.plan_turns_deg))
    for seed in amounts.all_seeds:
        lines = _in_groups(CALIBRATION, seed, calibration.jobs(CALIBRATION, seed, amounts.calibration), amounts.jobs)
        sound = _in_groups(HEALTHY, seed, planner.jobs(HEALTHY, seed, amounts.healthy), amounts.jobs)
        groups += [*lines, *sound]
        groups += _listed(planner, seed)
        groups += _unlisted(planner, seed)
        if seed in amounts.conditioned_seeds:
            both = [*sound, *(group for group in _listed(planner, seed, (MIDDLE,)) if group.kind in PAPERS)]
            groups += [replace(group, error=error) for error in errors for group in both]
            groups += [replace(group, polluted=share) for share in amounts.polluted for group in (*lines, *both)]
        groups += _from_first(planner, seed)
        groups += _shifted(planner, calibration, seed)
    return groups


def polluted_jobs(planner: Planner, seed: int, share: float) -> tuple[JobSettings, ...]:
    """Jobs to learn from, some with a defect of the paper's five so that a share of all layers is defective."""
    amounts = planner.amounts
    sound = planner.jobs("fit", seed, amounts.fit)
    lasting, left = len(amounts.ages), max(round(share * len(sound) * amounts.layers), 1) if share else 0
    chosen = np.linspace(0, len(sound) - 1, min(-(-left // lasting), len(sound))).round().astype(int).tolist()
    jobs = list(sound)
    for place, number in enumerate(chosen):
        kind, severity = PAPERS[place % len(PAPERS)], _WEAK_TO_STRONG[place % len(_WEAK_TO_STRONG)]
        order = DefectOrder(kind, severity, amounts.onset, min(lasting, left))
        jobs[number] = planner.jobs("fit", seed, amounts.fit, order)[number]
        left -= lasting
    return tuple(jobs)


def _in_groups(kind: str, seed: int, jobs: Sequence[JobSettings], size: int) -> list[Group]:
    """Healthy jobs, so many at a time."""
    starts = range(0, len(jobs), size)
    return [Group(kind, 0.0, seed, tuple(jobs[s : s + size]), number) for number, s in enumerate(starts)]


def _listed(planner: Planner, seed: int, severities: Sequence[float] = ()) -> Iterator[Group]:
    """Defects of the shelf."""
    amounts = planner.amounts
    for kind in amounts.kinds:
        for severity in severities or amounts.severities:
            order = DefectOrder(kind, severity, amounts.onset, len(amounts.ages))
            yield Group(kind, severity, seed, planner.jobs(kind, seed, amounts.jobs, order))


def _unlisted(planner: Planner, seed: int) -> Iterator[Group]:
    """Defects that nobody listed, laid into healthy frames."""
    amounts = planner.amounts
    nothing = DefectOrder("", 0.0, amounts.onset)  # moves jobs to where something is printed
    for kind in UNLISTED:
        jobs = tuple(replace(job, orders=()) for job in planner.jobs(kind, seed, amounts.jobs, nothing))
        yield Group(kind, MIDDLE, seed, jobs, ages=amounts.ages)


def _from_first(planner: Planner, seed: int) -> Iterator[Group]:
    """A striation that is there in all layers of a job."""
    amounts = planner.amounts
    if "striation" in amounts.kinds:
        order = DefectOrder("striation", MIDDLE, 0, amounts.layers)
        jobs = planner.jobs("striation first", seed, amounts.jobs, order)
        yield Group("striation", MIDDLE, seed, jobs, variant=FROM_FIRST)


def _shifted(planner: Planner, calibration: Planner, seed: int) -> Iterator[Group]:
    """Healthy jobs unlike those that the line was set by."""
    amounts = planner.amounts
    for shift in SHIFTS if amounts.shifted else ():
        among = calibration if shift.learnt_parts else planner
        shifted = replace(among, machine=shift.machine(among.machine), variability=shift.variability)
        jobs = _seen_by_the_camera(shifted, f"shifted {SHIFTS.index(shift)}", seed, amounts.shifted)
        yield from (replace(group, variant=shift.name) for group in _in_groups(HEALTHY, seed, jobs, amounts.jobs))


def _seen_by_the_camera(planner: Planner, role: str, seed: int, count: int) -> tuple[JobSettings, ...]:
    """The first so many jobs whose layers the camera's span holds; a wide variability draws others, too."""
    jobs = [job for job in planner.jobs(role, seed, _SPARE_JOBS * count) if _is_seen(job)]
    if len(jobs) < count:
        raise DataError(f"{role}: the camera's span holds {len(jobs)} of {_SPARE_JOBS * count} jobs; widen its span")
    return tuple(jobs[:count])


def _is_seen(job: JobSettings) -> bool:
    try:
        check_job(job)
    except DataError:
        return False
    return True
