"""Healthy jobs and names of faults -> jobs whose frames were spoiled on their way, beside the jobs of an archive."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from layerwatch import catalogue
from layerwatch.crew.base import Crew
from layerwatch.crew.inline import Inline
from layerwatch.images.archive import StoredLayer
from layerwatch.images.shots import spoiled_jobs, write_shots
from layerwatch.job.faults.base import Fault
from layerwatch.job.printing import JobSettings, check_job, print_job
from layerwatch.job.shots import shots_of
from layerwatch.records import Progress, Shot, silent

_TRIGGER, _SPOIL = 0, 1  # streams of a job's own randomness


def print_faulty_jobs(
    out: Path,
    healthy: Sequence[JobSettings],
    kinds: Sequence[str],
    each: int,
    *,
    crew: Crew = Inline(),
    progress: Progress = silent,
) -> tuple[str, ...]:
    """Print ``each`` jobs of each fault below ``out/faults``; those that are there already are kept.

    Args:
        out: folder of the archive, finished or not.
        healthy: settings of healthy jobs, taken in turn for their part and layers; every spoiled job is printed anew
            from a seed of its own, so none is a copy of a healthy job of the archive.
        kinds: names on the shelf ``job.faults``.
        each: jobs of each kind.
        crew: who prints; the bytes do not depend on it.
        progress: told after every job.

    Returns:
        Names of all spoiled jobs, such as ``frozen-0001``.

    Raises:
        UsageError: no such fault, or ``out`` cannot be written.
        DataError: the jobs have too few layers for a fault to begin in.
    """
    for kind in kinds:
        catalogue.load("job.faults", kind)
    names = [(kind, number) for kind in kinds for number in range(each)]
    jobs = {f"{kind}-{number:04d}": (kind, place) for place, (kind, number) in enumerate(names)}
    missing = [name for name in jobs if name not in set(spoiled_jobs(out))]
    for done, _ in enumerate(crew.each(_SpoilJob(out, tuple(healthy), jobs), missing), len(jobs) - len(missing) + 1):
        progress("spoil frames", done, len(jobs))
    return tuple(jobs)


def check_faulty_jobs(healthy: Sequence[JobSettings], kinds: Sequence[str], each: int) -> None:
    """Refuse the jobs of ``print_faulty_jobs`` before any of them is printed; errors as in ``check_job``."""
    work = _SpoilJob(Path(), tuple(healthy), {})
    for place, kind in enumerate(kind for kind in kinds for _ in range(each)):
        check_job(work.settings(place, "", 1))
        if catalogue.load("job.faults", kind).needs_other:
            check_job(work.settings(place + 1, "", 2))


@dataclass(frozen=True, eq=False)
class _SpoilJob:
    """The work of a crew: print one job, spoil its shots, store what arrives."""

    out: Path
    healthy: tuple[JobSettings, ...]
    jobs: dict[str, tuple[str, int]]  # fault and place of each

    def __call__(self, name: str) -> None:
        kind, place = self.jobs[name]
        fault: Fault = catalogue.load("job.faults", kind)()
        settings = self.settings(place, name, 1)
        layers = list(print_job(settings))
        shots = shots_of(layers, settings.machine, self._rng(settings, _TRIGGER))
        other = self._other(place) if fault.needs_other else ()
        arrivals = list(fault.spoil(shots, self._rng(settings, _SPOIL), settings.machine, other))
        stored = [StoredLayer(p.layer, p.z, p.frame, p.plan, p.truth, p.coverage) for p in layers]
        came = [arrival.shot for arrival in arrivals if arrival.shot is not None]
        write_shots(self.out, name, came, [arrival.truth for arrival in arrivals], stored)

    def settings(self, place: int, name: str, stream: int) -> JobSettings:
        """A healthy job like one that was given, from a seed of its own."""
        like = self.healthy[place % len(self.healthy)]
        return replace(like, name=name, seed=(*like.seed, stream, place), orders=())

    def _other(self, place: int) -> tuple[Shot, ...]:
        """The shots of the job that runs beside it."""
        beside = self.settings(place + 1, f"other-{place:04d}", 2)
        return shots_of(print_job(beside), beside.machine)

    @staticmethod
    def _rng(settings: JobSettings, stream: int) -> np.random.Generator:
        return np.random.default_rng([*settings.seed, 3, stream])


def said_of(kinds: Sequence[str], each: int) -> dict[str, Any]:
    """What the archive's description says of them."""
    return {"faults": list(kinds), "faulty": each} if kinds and each else {}
