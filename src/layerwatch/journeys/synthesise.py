"""Part files, a machine and amounts -> an archive of virtual layers with plans and truth (section 4.2 of the paper)."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from layerwatch import catalogue
from layerwatch.crew.base import Crew
from layerwatch.crew.inline import Inline
from layerwatch.images.archive import Archive, Header, StoredLayer, begin_archive, finish_archive, write_job
from layerwatch.images.writing import check_writable
from layerwatch.job.layout import Instance, fill_bed
from layerwatch.job.machine import Machine
from layerwatch.job.printing import DefectOrder, JobSettings, print_job
from layerwatch.job.ranges import Ranges, paper_ranges
from layerwatch.journeys.files import open_part
from layerwatch.part.slicing import slice_mesh
from layerwatch.records import DataError, Layer, Progress, UsageError, silent

PRESETS = {"paper": paper_ranges}
_BURN_IN = 4  # layers under the first one kept, for the heat that shines through


@dataclass(frozen=True, eq=False)
class SlicedPart:
    """A part with all its layers."""

    name: str
    layers: tuple[Layer, ...]
    said: tuple[str, ...]
    sha256: str


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
    crew: Crew = Inline(),
    progress: Progress = silent,
) -> Archive:
    """Slice the parts and print every wished job; an interrupted call goes on where it was.

    Raises:
        UsageError: ``out`` cannot be written or holds other data, or an unknown preset.
        DataError: a part is broken, or shorter than a job.
    """
    _check(wish)
    check_writable(out)
    sliced = [slice_part(path, machine, unit=unit, progress=progress) for path in parts]
    settings = plan_jobs(sliced, machine, wish)
    return print_archive(out, sliced, machine, settings, _provenance(wish), crew=crew, progress=progress)


def slice_part(path: Path, machine: Machine, *, unit: str | None = None, progress: Progress = silent) -> SlicedPart:
    """All layers of a part file at the machine's layer height.

    Raises:
        UsageError: no such file, or an unknown unit.
        DataError: the part is broken, does not fit the job box or is thinner than a layer.
    """
    part = open_part(path, machine, unit)

    def told(step: str, done: int, total: int, note: str = "") -> None:
        progress(f"{step} {part.name[:20]}", done, total, note)

    layers = slice_mesh(part.mesh, machine.layer_height, progress=told)
    return SlicedPart(part.name, layers, part.said, part.sha256)


def plan_jobs(parts: Sequence[SlicedPart], machine: Machine, wish: Wish) -> dict[str, JobSettings]:
    """Name and settings of every job: parts in turn, each job a run of layers that begins at random.

    Raises:
        DataError: a part has fewer layers than a job.
        UsageError: an amount is below what makes sense.
    """
    _check(wish)
    amounts = [("healthy", wish.healthy), *((defect, wish.defective) for defect in wish.kinds)]
    laid_out = [(part, fill_bed(part.layers, machine)) for part in parts]
    numbered = [(kind, number) for kind, count in amounts for number in range(count)]
    return {
        f"{kind}-{number:04d}": _job(laid_out[place % len(parts)], machine, wish, place, f"{kind}-{number:04d}", kind)
        for place, (kind, number) in enumerate(numbered)
    }


def _check(wish: Wish) -> None:
    """Refuse amounts that make no sense before anything is sliced."""
    ranges_of(wish.preset)
    for defect in wish.defects:
        catalogue.load("job.defects", defect)
    if wish.layers < 1 or wish.healthy < 0 or wish.defective < 0 or wish.healthy + wish.defective < 1:
        raise UsageError("at least one job of at least one layer must be printed; raise --jobs or --layers")
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


def ranges_of(preset: str) -> Ranges:
    """The ranges of a preset.

    Raises:
        UsageError: there is none of that name.
    """
    if preset not in PRESETS:
        raise UsageError(f"no preset {preset!r}; there are: {', '.join(PRESETS)}")
    return PRESETS[preset]()


def _job(
    laid_out: tuple[SlicedPart, tuple[Instance, ...]], machine: Machine, wish: Wish, number: int, name: str, kind: str
) -> JobSettings:
    """Settings of one job, all drawn from the seed and the job's number."""
    (part, instances), rng = laid_out, np.random.default_rng([wish.seed, number])
    last_start = len(part.layers) - wish.layers
    if last_start < 0:
        raise DataError(f"{part.name} has {len(part.layers)} layers, a job wants {wish.layers}; lower --layers")
    first = int(rng.integers(min(_BURN_IN, last_start), last_start + 1))
    settings = JobSettings(
        name=name,
        seed=(wish.seed, number),
        machine=machine,
        instances=instances,
        first_layer=first,
        layers=wish.layers,
        ranges=ranges_of(wish.preset),
        burn_in=min(_BURN_IN, first),
    )
    if kind == "healthy":
        return settings
    onset = first + int(rng.integers(0, max(wish.layers // 2, 1)))
    return replace(settings, orders=(DefectOrder(kind, wish.severity, onset),))


def _provenance(wish: Wish) -> dict[str, Any]:
    return {
        "preset": wish.preset,
        "seed": wish.seed,
        "severity": wish.severity,
        "layers": wish.layers,
        "defects": list(wish.kinds),
    }
