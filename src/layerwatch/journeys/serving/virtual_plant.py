"""A part file -> the jobs of a virtual printer: healthy ones to learn from, and one with a defect and a fault in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from layerwatch import catalogue
from layerwatch.images.archive import encode_png
from layerwatch.images.grey import to_grey
from layerwatch.inspection.cameras.virtual import VirtualFrame
from layerwatch.inspection.reading import Planned
from layerwatch.job.faults.base import Arrival, healthy
from layerwatch.job.machine import Machine
from layerwatch.job.printing import DefectOrder, JobSettings, PrintedLayer, print_job
from layerwatch.job.shots import shots_of
from layerwatch.journeys.plates import Plate, fill_beds, slice_part, well_printed
from layerwatch.journeys.synthesise import Wish, plan_plates
from layerwatch.records import DataError, LayerImage, ShotTruth, Truth, UsageError

JOB = "virtual-job"
_FEWEST = 24  # layers of the virtual job: before the defect the detector gets to know the job
_ONSET, _LASTS, _FAULTY = 0.4, 0.12, 0.75  # shares of the job's layers: defect begins, lasts; no fault before
_SEVERITY = 4.0  # of the defect, d' / 10
_TRIES = 200  # seeds, until a fault lies where nothing else is


@dataclass(frozen=True)
class PlantWish:
    """What the virtual printer prints."""

    part: Path
    machine: Machine
    layers: int = 60
    seed: int = 0
    defect: str = "agglomerate"
    fault: str = "frozen"

    def check(self) -> None:
        """Refuse what cannot be printed.

        Raises:
            UsageError: too few layers, no such defect or fault.
        """
        if self.layers < _FEWEST:
            raise UsageError(f"--layers {self.layers}; a virtual job with defect and fault needs {_FEWEST} at least")
        catalogue.load("job.defects", self.defect)
        catalogue.load("job.faults", self.fault)


@dataclass(frozen=True, eq=False)
class VirtualJob:
    """A job with all that is known of it, and what is really wrong."""

    frames: tuple[VirtualFrame, ...]
    plans: dict[int, Planned]
    truths: tuple[Truth, ...]
    shots: tuple[ShotTruth, ...]  # of the frames, in the same order

    @property
    def is_faulty(self) -> tuple[bool, ...]:
        """Which frames were spoiled on their way."""
        return tuple(bool(shot.fault) for shot in self.shots)

    def planned(self, job: str, layer: int) -> Planned | None:
        """The plan of a layer, as a PlanOf."""
        return self.plans.get(layer) if job == JOB else None

    @property
    def printed(self) -> dict[int, tuple[int, ...]]:
        """Layers of each part instance."""
        found: dict[int, list[int]] = {}
        for layer, planned in self.plans.items():
            for part in np.unique(planned.plan[planned.plan > 0]).tolist():
                found.setdefault(int(part), []).append(layer)
        return {part: tuple(layers) for part, layers in found.items()}


def plate_of(wish: PlantWish) -> Plate:
    """The bed of the virtual printer, filled with the part."""
    part = slice_part(wish.part, wish.machine, at_least=wish.layers + 4)
    return fill_beds([part], wish.machine)[0]


def healthy_jobs(wish: PlantWish, plate: Plate, count: int, layers: int) -> list[list[LayerImage]]:
    """Healthy jobs of the same printer, other than the one that is served."""
    planned = plan_plates([plate], wish.machine, Wish(count, 0, layers, preset="physical", seed=1000 + wish.seed))
    return [[image_of(layer, wish.machine) for layer in print_job(job)] for job in planned.values()]


def image_of(printed: PrintedLayer, machine: Machine) -> LayerImage:
    """A printed layer as a detector gets it."""
    name = f"{printed.truth.job}/{printed.layer}"
    grey = to_grey(printed.frame, name)
    plan, cover = printed.plan, printed.coverage
    return LayerImage(printed.truth.job, printed.layer, grey, machine.mm_per_px, plan, name, machine.span, cover)


def virtual_job(wish: PlantWish, plate: Plate) -> VirtualJob:
    """The job that is served.

    Raises:
        DataError: the part has too few layers, or nothing is printed where the defect should begin.
    """
    settings = _spoiled(wish, plate)
    layers = list(print_job(settings))
    arrivals = _arrivals(wish, settings, layers)
    frames = tuple(
        VirtualFrame(JOB, arrival.shot.layer, encode_png(arrival.shot.frame))
        for arrival in arrivals
        if arrival.shot is not None
    )
    plans = {layer.layer: Planned(layer.plan, layer.coverage) for layer in layers}
    shots = tuple(arrival.truth for arrival in arrivals if arrival.shot is not None)
    return VirtualJob(frames, plans, tuple(layer.truth for layer in layers), shots)


def _spoiled(wish: PlantWish, plate: Plate) -> JobSettings:
    """A healthy job, with the defect beginning where something is printed."""
    planned = plan_plates([plate], wish.machine, Wish(1, 0, wish.layers, preset="physical", seed=wish.seed))
    job = replace(next(iter(planned.values())), name=JOB)
    onset, lasts = job.first_layer + int(_ONSET * wish.layers), max(int(_LASTS * wish.layers), 5)
    fit = well_printed(plate.areas, wish.machine)
    first = int(fit[np.argmin(np.abs(fit - onset))])
    return replace(job, orders=(DefectOrder(wish.defect, _SEVERITY, first, lasts),))


def _arrivals(wish: PlantWish, settings: JobSettings, layers: Sequence[PrintedLayer]) -> list[Arrival]:
    """All shots as they arrive, with the fault after everything that the defect leaves behind."""
    shots, fault = shots_of(layers, wish.machine), catalogue.load("job.faults", wish.fault)()
    late = settings.first_layer + int(_FAULTY * wish.layers)
    if fault.needs_other:
        raise UsageError(f"{wish.fault} needs a second printer; choose another fault, such as frozen or defocus")
    for number in range(_TRIES):
        rng = np.random.default_rng([wish.seed, 7, number])
        arrivals = list(fault.spoil(shots[len(shots) // 2 :], rng, wish.machine))
        spoiled = [arrival.truth.layer for arrival in arrivals if arrival.truth.fault]
        if spoiled and min(spoiled) >= late and max(spoiled) < settings.last_layer - 2:
            return [*map(healthy, shots[: len(shots) // 2]), *arrivals]
    raise DataError(f"{wish.fault} does not fit into {wish.layers} layers beside the defect; give more --layers")
