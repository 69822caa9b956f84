"""Part files and a recipe -> the demo's three archives: jobs to learn from, jobs to judge, and the one to inspect."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from layerwatch.images.archive import Archive
from layerwatch.images.grey import to_grey
from layerwatch.images.writing import check_writable
from layerwatch.job.machine import Machine, default_machine
from layerwatch.job.printing import DefectOrder, JobSettings, print_job
from layerwatch.journeys.plates import SlicedPart, slice_part
from layerwatch.journeys.synthesise import Wish, crew_of, plan_jobs, print_archive
from layerwatch.recipes import Recipe
from layerwatch.records import DataError, LayerImage, Progress

_SPAN = 5  # layers of each defect in the inspected job
INSPECTED = "inspected"


@dataclass(frozen=True, eq=False)
class DemoData:
    """Everything that was printed."""

    parts: tuple[SlicedPart, ...]
    machine: Machine
    train: Archive  # healthy jobs
    test: Archive  # healthy jobs and jobs with each defect
    job: Archive  # one job with every defect, at layers of its own
    settings: dict[str, JobSettings]  # of the jobs of ``test``

    @property
    def spans(self) -> tuple[tuple[str, int, int], ...]:
        """Defect, first and last layer of each defect of the inspected job."""
        found = {d for truth in self.job.truths() for d in truth.defects}
        return tuple(sorted(((d.defect, d.first_layer, d.last_layer) for d in found), key=lambda span: span[1]))


def print_demo(
    paths: Sequence[Path], out: Path, recipe: Recipe, seed: int, progress: Progress, *, workers: int = 1
) -> DemoData:
    """Slice the parts and print all jobs; what is there already is kept.

    Raises:
        UsageError: ``out`` cannot be written or holds a demo of other settings.
        DataError: a part is broken, or too short for the inspected job.
    """
    check_writable(out)
    machine, amounts = default_machine(), recipe.amounts
    parts = tuple(slice_part(path, machine, progress=progress) for path in paths)
    learn = Wish(amounts.healthy_jobs, 0, amounts.layers, amounts.severity, seed=3 * seed)
    judge = Wish(amounts.test_jobs, amounts.defective_jobs, amounts.layers, amounts.severity, seed=3 * seed + 1)
    judge = replace(judge, defects=amounts.defects)
    planned = plan_jobs(parts, machine, judge)
    inspected = {INSPECTED: _inspected(parts[0], machine, recipe, 3 * seed + 2)}

    crew = crew_of("processes", workers)

    def printed(name: str, jobs: dict[str, JobSettings]) -> Archive:
        told = {"preset": "paper", "seed": seed, "recipe": recipe.name}
        return print_archive(
            out / name, parts, machine, jobs, told, crew=crew, progress=progress, step=f"print jobs: {name}"
        )

    train = printed("train", plan_jobs(parts, machine, learn))
    return DemoData(parts, machine, train, printed("test", planned), printed("job", inspected), planned)


def healthy_twin(settings: JobSettings, layer: int, like: LayerImage) -> LayerImage:
    """The same layer of the same job, printed without its defect."""
    for printed in print_job(replace(settings, orders=())):
        if printed.layer == layer:
            return replace(like, pixels=to_grey(printed.frame, like.name))
    raise DataError(f"{settings.name} has no layer {layer}")


def _inspected(part: SlicedPart, machine: Machine, recipe: Recipe, seed: int) -> JobSettings:
    """One long job in which every defect is printed once, with healthy layers between."""
    defects, layers = recipe.amounts.defects, recipe.amounts.inspected_layers
    stride = layers // (len(defects) + 1)
    if stride <= _SPAN or len(part.layers) < layers:
        raise DataError(
            f"{part.name} has {len(part.layers)} layers; the inspected job needs {layers}, give a taller part"
        )
    rng = np.random.default_rng([seed, 0])
    first = int(rng.integers(0, len(part.layers) - layers + 1))
    plain = plan_jobs([part], machine, Wish(1, 0, layers, seed=seed))["healthy-0000"]
    order = [defects[i] for i in rng.permutation(len(defects))]
    onsets = [first + stride * (i + 1) - int(rng.integers(0, stride - _SPAN)) for i in range(len(defects))]
    orders = tuple(
        DefectOrder(defect, recipe.amounts.severity, onset, _SPAN) for defect, onset in zip(order, onsets, strict=True)
    )
    burn_in = min(first, plain.burn_in or 4)
    return replace(plain, name=INSPECTED, first_layer=first, burn_in=burn_in, orders=orders)
