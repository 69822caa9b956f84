"""Part files, a machine and amounts -> an archive of virtual layers with plans and truth (section 4.2 of the paper)."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from layerwatch import catalogue
from layerwatch.crew.base import Crew
from layerwatch.crew.inline import Inline
from layerwatch.images.archive import Archive, Header, StoredLayer, begin_archive, finish_archive, write_job
from layerwatch.images.writing import check_writable
from layerwatch.job.machine import Machine
from layerwatch.job.printing import DefectOrder, JobSettings, print_job
from layerwatch.job.ranges import Ranges
from layerwatch.job.rangesfile import preset
from layerwatch.journeys.faulty_jobs import print_faulty_jobs, said_of
from layerwatch.journeys.plates import Plate, SlicedPart, fill_beds, read_plate, slice_part
from layerwatch.records import DataError, Progress, UsageError, silent

_BURN_IN = {"paper": 4, "physical": 12}  # layers under the first one kept, for the heat that shines through


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
    say: Callable[[str], None] = lambda line: None,
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
        say: told what a user should know of the parts: units taken, repairs, layer heights, leaks.

    Raises:
        UsageError: ``out`` cannot be written or holds other data, or an unknown preset.
        DataError: a part is broken, does not fit, or cannot be cut into so many layers.
    """
    _check(wish)
    check_writable(out)
    if layout is not None:
        plate, sliced = read_plate(layout, machine, at_least=wish.layers, unit=unit, progress=progress)
        plates = [plate]
    else:
        sliced = [slice_part(path, machine, unit=unit, at_least=wish.layers, progress=progress) for path in parts]
        plates = fill_beds(sliced, machine)
    for part in sliced:
        for line in part.said:
            say(f"{part.name}: {line}")
    settings = plan_plates(plates, machine, wish)
    archive = print_archive(out, sliced, machine, settings, _provenance(wish), crew=crew, progress=progress)
    if wish.faulty:
        like = replace(wish, healthy=max(wish.faulty * len(wish.fault_kinds), 2), defective=0)
        sound = list(plan_plates(plates, machine, like).values())
        print_faulty_jobs(out, sound, wish.fault_kinds, wish.faulty, crew=crew, progress=progress)
    return archive


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
    """Print jobs into an archive; those that are there already are kept. The bytes do not depend on the crew."""
    origin = {
        **provenance,
        "machine": machine.name,
        "layer_height": machine.layer_height,
        "parts": {part.name: part.sha256 for part in parts},
    }
    header = Header(machine.mm_per_px, machine.span, origin)
    missing = begin_archive(out, header, list(jobs))
    there, started, layers = len(jobs) - len(missing), time.monotonic(), 0
    for number, (name, _) in enumerate(crew.each(_PrintJob(out, dict(jobs)), missing), there + 1):
        layers += jobs[name].layers
        progress(step, number, len(jobs), f"{layers / max(time.monotonic() - started, 1e-9):.0f} layers/s")
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
    kind = catalogue.load("crew", "inline" if workers == 1 else name)
    crew: Crew = kind(workers) if "workers" in kind.__dataclass_fields__ else kind()
    return crew


def _job(plate: Plate, machine: Machine, wish: Wish, number: int, name: str, kind: str) -> JobSettings:
    """Settings of one job, all drawn from the seed and the job's number."""
    rng, burn_in = np.random.default_rng([wish.seed, number]), _BURN_IN.get(wish.preset, 4)
    last_start = plate.layers - wish.layers
    if last_start < 0:
        raise DataError(f"{plate.name} has {plate.layers} layers, a job wants {wish.layers}; lower --layers")
    first = int(rng.integers(min(burn_in, last_start), last_start + 1))
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
    onset = first + int(rng.integers(0, max(wish.layers // 2, 1)))
    return replace(settings, orders=(DefectOrder(kind, wish.severity, onset),))


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
