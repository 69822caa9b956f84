"""Part files, a machine and amounts -> an archive of virtual layers with plans and truth (section 4.2 of the paper)."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from layerwatch import catalogue
from layerwatch.crew.base import Crew
from layerwatch.crew.inline import Inline
from layerwatch.images.archive import (
    Archive,
    Header,
    StoredLayer,
    abandon_archive,
    begin_archive,
    check_claimable,
    finish_archive,
    write_job,
)
from layerwatch.job.machine import Machine
from layerwatch.job.printing import DefectOrder, JobSettings, check_job, print_job
from layerwatch.job.ranges import Ranges
from layerwatch.job.rangesfile import preset
from layerwatch.job.severity import MOST
from layerwatch.journeys.faulty_jobs import check_faulty_jobs, print_faulty_jobs, said_of
from layerwatch.journeys.plates import Plate, Say, SlicedPart, fill_beds, read_plate, slice_part, unheard, well_printed
from layerwatch.journeys.settings_hash import settings_hash
from layerwatch.records import DataError, Progress, UsageError, silent

_BURN_IN = {"paper": 4, "physical": 12}  # layers under the first one kept, for the heat that shines through
_REACHED = 0.95  # of the severity asked, from which on nothing is said


@dataclass(frozen=True)
class Wish:
    """How many jobs are to be printed, and how they are spoiled."""

    healthy: int = 20  # jobs
    defective: int = 4  # jobs of each defect
    layers: int = 10  # of each job
    severity: float = 4.0  # d' / 10 of each defect
    preset: str = "paper"
    seed: int = 0
    defects: tuple[str, ...] = ()  # names on the shelf; none: all of them
    variability: float = 1.0  # width of all intervals, as a multiple of the preset's
    learnt: Ranges | None = None  # instead of the preset's
    faulty: int = 0  # jobs of each fault, beside the others
    faults: tuple[str, ...] = ()  # names on the shelf; none: all of them

    @property
    def ranges(self) -> Ranges:
        """What is randomised.

        Raises:
            UsageError: there is no such preset.
        """
        ranges = self.learnt or preset(self.preset)
        return ranges if self.variability == 1 else ranges.widened(self.variability)

    @property
    def fault_kinds(self) -> tuple[str, ...]:
        """Names of the faults to print."""
        return self.faults or catalogue.names("job.faults")

    @property
    def kinds(self) -> tuple[str, ...]:
        """Names of the defects to print."""
        return self.defects or catalogue.names("job.defects")


def synthesise(
    parts: Sequence[Path],
    out: Path,
    machine: Machine,
    wish: Wish = Wish(),
    *,
    unit: str | None = None,
    layout: Path | None = None,
    crew: Crew = Inline(),
    progress: Progress = silent,
    say: Say = unheard,
) -> Archive:
    """Slice the parts and print every wished job; an interrupted call goes on where it was.

    Args:
        parts: files, printed in turn; each fills the bed with copies of itself.
        out: folder of the archive.
        machine: the printer.
        wish: how many jobs, and how they are spoiled.
        unit: of the part files, instead of what they say or what is guessed.
        layout: a job layout in TOML, printed in every job instead of ``parts``.
        crew: who prints.
        progress: told while slicing and printing.
        say: told at once what a user should know of the parts: units taken, repairs, layer heights, leaks; at the end
            of defects whose severity was not reached.

    Raises:
        UsageError: ``out`` cannot be written or holds other data, or an unknown preset.
        DataError: a part is broken, does not fit, or cannot be cut into so many layers.
    """
    _check(wish)
    check_claimable(out)
    if layout is not None:
        plate, sliced = read_plate(layout, machine, at_least=wish.layers, unit=unit, progress=progress, say=say)
        plates = [plate]
    else:
        cut = partial(slice_part, unit=unit, at_least=wish.layers, progress=progress, say=say)
        sliced = [cut(path, machine) for path in parts]
        plates = fill_beds(sliced, machine)
    settings, sound = plan_plates(plates, machine, wish), _sound_jobs(plates, machine, wish)
    check_faulty_jobs(sound, wish.fault_kinds, wish.faulty)
    archive = print_archive(out, sliced, machine, settings, _provenance(wish), crew=crew, progress=progress)
    if wish.faulty:
        print_faulty_jobs(out, sound, wish.fault_kinds, wish.faulty, crew=crew, progress=progress)
    unreached = _unreached(archive, [name for name, job in settings.items() if job.orders], wish.severity)
    if unreached:
        say(unreached)
    return archive


def _sound_jobs(plates: Sequence[Plate], machine: Machine, wish: Wish) -> list[JobSettings]:
    """The healthy jobs whose frames faults will spoil; none where no fault is wished."""
    if not wish.faulty:
        return []
    like = replace(wish, healthy=max(wish.faulty * len(wish.fault_kinds), 2), defective=0)
    return list(plan_plates(plates, machine, like).values())


def _unreached(archive: Archive, jobs: Sequence[str], asked: float) -> str:
    """What to say of defects that stayed below the severity asked; empty where none did."""
    reached: dict[str, list[float]] = {}
    for defect in (defect for job in jobs for defect in archive.defects(job)):
        reached.setdefault(defect.defect, []).append(defect.severity)
    low = [
        f"{name} (asked {asked:g}, reached {' to '.join(dict.fromkeys((f'{min(own):.2g}', f'{max(own):.2g}')))})"
        for name, own in reached.items()
        if min(own) < _REACHED * asked
    ]
    limits = " or ".join(f"{most:g} {unit}" for unit, most in MOST.items())
    return f"severity not reached, since no defect has more than {limits}: {', '.join(low)}" if low else ""


def plan_jobs(parts: Sequence[SlicedPart], machine: Machine, wish: Wish) -> dict[str, JobSettings]:
    """Settings of every job of parts that each fill the bed; see ``plan_plates``."""
    return plan_plates(fill_beds(parts, machine), machine, wish)


def plan_plates(plates: Sequence[Plate], machine: Machine, wish: Wish) -> dict[str, JobSettings]:
    """Name and settings of every job: plates in turn, each job a run of layers that begins at random.

    Raises:
        DataError: a plate has fewer layers than a job.
        UsageError: an amount is below what makes sense.
    """
    _check(wish)
    amounts = [("healthy", wish.healthy), *((defect, wish.defective) for defect in wish.kinds)]
    numbered = [(kind, number) for kind, count in amounts for number in range(count)]
    return {
        f"{kind}-{number:04d}": _job(plates[place % len(plates)], machine, wish, place, f"{kind}-{number:04d}", kind)
        for place, (kind, number) in enumerate(numbered)
    }


def _check(wish: Wish) -> None:
    """Refuse amounts that make no sense before anything is sliced."""
    if not 0 <= wish.variability <= 10:
        raise UsageError(f"variability {wish.variability:g}; give one from 0 (all jobs alike) to 10, 1 is the preset's")
    _ = wish.ranges
    for shelf, names in (("job.defects", wish.defects), ("job.faults", wish.faults)):
        for name in names:
            catalogue.load(shelf, name)
    if wish.layers < 1 or wish.healthy < 0 or wish.defective < 0 or wish.healthy + wish.defective < 1:
        raise UsageError("at least one job of at least one layer must be printed; raise --jobs or --layers")
    if wish.faulty and wish.layers < 3:
        raise UsageError(f"a fault of frames needs a job of 3 layers to begin in, not {wish.layers}; raise --layers")
    if not 0 < wish.severity <= 100:
        raise UsageError(f"severity {wish.severity:g}; give one above 0 and up to 100, such as 4")


def print_archive(
    out: Path,
    parts: Sequence[SlicedPart],
    machine: Machine,
    jobs: Mapping[str, JobSettings],
    provenance: Mapping[str, Any],
    *,
    crew: Crew = Inline(),
    progress: Progress = silent,
    step: str = "print jobs",
) -> Archive:
    """Print jobs into an archive; those that are there already are kept. The bytes do not depend on the crew.

    Raises:
        UsageError: ``out`` holds other data, or cannot be written.
        DataError: a job cannot be printed; nothing is left behind where none is finished.
    """
    origin = {
        **provenance,
        "machine": machine.name,
        "layer_height": machine.layer_height,
        "parts": {part.name: part.sha256 for part in parts},
        "settings_sha256": settings_hash(machine, jobs.values()),
    }
    header = Header(machine.mm_per_px, machine.span, origin)
    for job in jobs.values():
        check_job(job)
    missing = begin_archive(out, header, list(jobs))
    there, started, layers = len(jobs) - len(missing), time.monotonic(), 0
    try:
        for number, (name, _) in enumerate(crew.each(_PrintJob(out, dict(jobs)), missing), there + 1):
            layers += jobs[name].layers
            progress(step, number, len(jobs), f"{layers / max(time.monotonic() - started, 1e-9):.0f} layers/s")
    except DataError:
        abandon_archive(out, list(jobs))
        raise
    return finish_archive(out, header, list(jobs))


@dataclass(frozen=True, eq=False)
class _PrintJob:
    """The work of a crew: print one job into the archive."""

    out: Path
    jobs: dict[str, JobSettings]

    def __call__(self, name: str) -> None:
        layers = (StoredLayer(p.layer, p.z, p.frame, p.plan, p.truth, p.coverage) for p in print_job(self.jobs[name]))
        write_job(self.out, name, layers)


def crew_of(name: str, workers: int) -> Crew:
    """The crew of that name; ``workers`` 1 means inline whatever the name.

    Raises:
        UsageError: there is none.
    """
    asked = catalogue.load("crew", name)
    kind = catalogue.load("crew", "inline") if workers == 1 else asked
    crew: Crew = kind(workers) if "workers" in kind.__dataclass_fields__ else kind()
    return crew


def _job(plate: Plate, machine: Machine, wish: Wish, number: int, name: str, kind: str) -> JobSettings:
    """Settings of one job, all drawn from the seed and the job's number."""
    rng, burn_in = np.random.default_rng([wish.seed, number]), _BURN_IN.get(wish.preset, 4)
    last_start = plate.layers - wish.layers
    if last_start < 0:
        raise DataError(f"{plate.name} has {plate.layers} layers, a job wants {wish.layers}; lower --layers")
    first = int(rng.integers(min(burn_in, last_start), last_start + 1))
    onset = first + int(rng.integers(0, max(wish.layers // 2, 1)))
    if kind != "healthy":
        first, onset = _where_printed(plate, machine, first, onset, wish.layers)
    settings = JobSettings(
        name=name,
        seed=(wish.seed, number),
        machine=machine,
        instances=plate.instances,
        first_layer=first,
        layers=wish.layers,
        ranges=wish.ranges,
        burn_in=min(burn_in, first),
    )
    if kind == "healthy":
        return settings
    return replace(settings, orders=(DefectOrder(kind, wish.severity, onset),))


def _where_printed(plate: Plate, machine: Machine, first: int, onset: int, layers: int) -> tuple[int, int]:
    """First layer of a job and of its defect, moved to where the parts fill some pixels."""
    fit = well_printed(plate.areas, machine)
    if onset in fit:
        return first, onset
    inside = fit[(fit >= first) & (fit < first + layers)]
    among = inside if len(inside) else fit
    onset = int(among[np.argmin(np.abs(among - onset))])
    return (first if len(inside) else min(max(onset - layers // 2, 0), plate.layers - layers)), onset


def _provenance(wish: Wish) -> dict[str, Any]:
    return {
        "preset": wish.preset,
        "ranges": asdict(wish.ranges),
        "seed": wish.seed,
        "severity": wish.severity,
        "layers": wish.layers,
        "defects": list(wish.kinds),
        **said_of(wish.fault_kinds, wish.faulty),
    }
