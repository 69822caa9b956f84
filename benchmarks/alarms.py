"""Healthy and defective virtual jobs -> the alarms that the service would raise: proof A1, as a table and JSON.

python benchmarks/alarms.py --out results/proofs-alarms.json
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np

from layerwatch import catalogue
from layerwatch.detectors.plan_aware import PlanAware
from layerwatch.evaluation.courses import Course, line_of
from layerwatch.evaluation.metrics import clopper_pearson
from layerwatch.images.grey import to_grey
from layerwatch.images.plain_gate import plain_gate
from layerwatch.inspection.examiner import Examiner
from layerwatch.job.machine import default_machine
from layerwatch.job.printing import DefectOrder, JobSettings, print_job
from layerwatch.job.shots import shots_of
from layerwatch.journeys.examples import example_parts
from layerwatch.journeys.gates import learnt_gate
from layerwatch.journeys.plates import fill_beds, slice_part
from layerwatch.journeys.serving.virtual_plant import image_of
from layerwatch.journeys.synthesise import Wish, plan_plates
from layerwatch.records import LayerImage
from layerwatch.verdict.alarm import AlarmRules, JobAlarms, OpenAlarm
from layerwatch.verdict.judge import Judge
from layerwatch.verdict.localise import fit_spread
from layerwatch.verdict.objects import Tracker, sighted
from layerwatch.verdict.threshold import fit_threshold

LAYERS, ONSET, LASTS = 24, 14, 6
DEFECTS = ("agglomerate", "foreign_object", "porous", "shift", "striation")
SEVERITY = 2.0
FIT, CALIBRATION = 24, 59
PROMISE = 0.05
COMMAND = "python benchmarks/alarms.py"
GROUP = 600.0  # s in which one alarm at most may be raised


@dataclass(frozen=True)
class Heard:
    """The alarms of one job."""

    alarms: tuple[OpenAlarm, ...]

    @property
    def raised(self) -> tuple[int, ...]:
        """Layers on which an alarm was raised."""
        return tuple(alarm.raised_layer for alarm in self.alarms)


def main() -> None:
    """Print the table and write the JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--healthy", type=int, default=200)
    parser.add_argument("--defective", type=int, default=100)
    parser.add_argument("--faulty", type=int, default=4, help="jobs of each fault of a sensor")
    parser.add_argument("--out", type=Path, default=Path("proofs-alarms.json"))
    given = parser.parse_args()
    learn, test = (fill_beds([slice_part(part, MACHINE, at_least=LAYERS + 4)], MACHINE)[0] for part in example_parts())

    def jobs(plate: object, count: int, seed: int) -> list[JobSettings]:
        wish = Wish(count, 0, LAYERS, preset="physical", seed=seed)
        return list(plan_plates([plate], MACHINE, wish).values())  # type: ignore[list-item] # a plate

    examiner, line = calibrated([images(job) for job in jobs(learn, FIT, 11)], jobs(learn, CALIBRATION, 12))
    plain = Examiner(examiner.detector, examiner.judge, None, plain_gate(None))  # what a model without a gate gets
    healthy = [heard(job, plain, line) for job in jobs(test, given.healthy, 13)]
    gated = sum(bool(heard(job, examiner, line).alarms) for job in jobs(test, given.healthy, 13))
    spoiled = [with_defect(job, n) for n, job in enumerate(jobs(test, given.defective, 14))]
    found = [(job.orders[0], heard(job, plain, line)) for job in spoiled]
    faulty = [wrongly_named(kind, jobs(test, given.faulty, 15), examiner, line) for kind in fault_kinds()]
    rows = [*proofs(healthy, found, COMMAND), gated_row(gated, given.healthy), named_row(faulty)]
    for row in rows:
        print(f"{row['id']:4s} {row['figure']:70s} {row['target']:40s} {'pass' if row['pass'] else 'FAIL'}")
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


MACHINE = default_machine()


def images(job: JobSettings) -> list[LayerImage]:
    """The layers of a job."""
    return [image_of(layer, MACHINE) for layer in print_job(job)]


def with_defect(job: JobSettings, number: int) -> JobSettings:
    """The job with one of the paper's defects in it."""
    order = DefectOrder(DEFECTS[number % len(DEFECTS)], SEVERITY, job.first_layer + ONSET, LASTS)
    return replace(job, orders=(order,))


def calibrated(fit: list[list[LayerImage]], others: list[JobSettings]) -> tuple[Examiner, float]:
    """A detector with its judge and the line that is promised per job."""
    detector = PlanAware().fit([image for job in fit for image in job])
    scores, heats, plans = [], [], []
    for job in others:
        layers = images(job)
        readings = detector.follow(layers)
        scores.append(np.array([one.score for one in readings]))
        heats += [one.heat for one in readings[::6] if one.heat is not None]
        plans += [image.plan for image in layers[::6]]
    courses = [Course(str(n), 0, own, np.zeros(len(own), bool)) for n, own in enumerate(scores)]
    judge = Judge(fit_threshold(np.concatenate(scores), 0.01), fit_spread(heats, plans))
    learnt = learnt_gate([image for job in [*fit, *map(images, others[:12])] for image in job]).gate
    return Examiner(detector, judge, None, learnt), line_of(courses, PROMISE).value


def heard(job: JobSettings, examiner: Examiner, line: float) -> Heard:
    """The alarms of one job, as the service would raise them."""
    alarms = JobAlarms(AlarmRules(line, unit="K"), Tracker(MACHINE.mm_per_px, MACHINE.layer_height))
    examiner.begin(job.name)
    told: dict[int, OpenAlarm] = {}
    for image in images(job):
        for judged in examiner.take(replace(image, job=job.name)):
            z = (judged.verdict.layer + 1) * MACHINE.layer_height
            seen = sighted(judged.verdict.regions, z, MACHINE.mm_per_px, image.plan)
            kind = "" if judged.fault is None else judged.fault.kind
            for change in alarms.take(judged.verdict, seen, kind):
                told[change.alarm.number] = change.alarm
    return Heard(tuple(told.values()))


@dataclass(frozen=True)
class Named:
    """Frames with one kind of fault."""

    kind: str
    frames: int
    as_fault: int  # of them
    as_defect: int  # of them, those on which an alarm of a defect was raised


def fault_kinds() -> tuple[str, ...]:
    """Faults that show in the pictures of one job; times are not looked at here."""
    kinds = [(name, catalogue.load("job.faults", name)) for name in catalogue.names("job.faults")]
    return tuple(name for name, kind in kinds if not kind.needs_other and not kind.shifts_clock)


def wrongly_named(kind: str, jobs: list[JobSettings], examiner: Examiner, line: float) -> Named:
    """What becomes of the spoiled frames of some healthy jobs."""
    frames = as_fault = as_defect = 0
    for number, job in enumerate(jobs):
        layers = {layer.layer: layer for layer in print_job(job)}
        arrivals = catalogue.load("job.faults", kind)().spoil(
            shots_of(layers.values(), MACHINE), np.random.default_rng([16, number]), MACHINE
        )
        alarms = JobAlarms(AlarmRules(line), Tracker(MACHINE.mm_per_px, MACHINE.layer_height))
        examiner.begin(job.name)
        for arrival in arrivals:
            is_faulty, shot = bool(arrival.truth.fault), arrival.shot
            if shot is None:
                continue
            printed = layers[shot.layer]
            image = replace(image_of(printed, MACHINE), job=job.name, pixels=to_grey(shot.frame, kind), bits=shot.bits)
            for judged in examiner.take(image):
                seen = sighted(judged.verdict.regions, 0.0, MACHINE.mm_per_px, image.plan)
                told = alarms.take(judged.verdict, seen, "" if judged.fault is None else judged.fault.kind)
                raised = any(change.kind == "raised" and change.alarm.kind == "defect" for change in told)
                as_defect += is_faulty and raised
            frames, as_fault = frames + is_faulty, as_fault + (is_faulty and judged.fault is not None)
    print(f"{kind:20s} {frames:4d} frames, {as_fault:4d} a fault, {as_defect:3d} raised as a defect", flush=True)
    return Named(kind, frames, as_fault, as_defect)


def named_row(faulty: list[Named]) -> dict[str, object]:
    """Type 1 never raised as Type 2."""
    frames, as_defect = sum(one.frames for one in faulty), sum(one.as_defect for one in faulty)
    share = 1 - as_defect / max(frames, 1)
    worst = ", ".join(f"{one.kind} {one.as_defect} of {one.frames}" for one in faulty if one.as_defect)
    figure = f"{as_defect} of {frames} faulty frames raised as a defect ({share:.3f} not)" + (worst and f": {worst}")
    date, command = time.strftime("%Y-%m-%d"), COMMAND
    target = "Type 1 not raised as Type 2, 99 %"
    return {"id": "A1", "command": command, "figure": figure, "target": target, "pass": share >= 0.99, "date": date}


def gated_row(jobs: int, of: int) -> dict[str, object]:
    """Healthy jobs with any alarm where a gate judges that was learnt from another part's layers."""
    figure = f"{jobs} of {of} healthy jobs with an alarm under a gate learnt from {FIT + 12} jobs of another part"
    told = {"id": "A1", "command": COMMAND, "figure": figure, "target": "at most 5 % of healthy jobs"}
    return {**told, "pass": jobs <= PROMISE * of, "date": time.strftime("%Y-%m-%d")}


def proofs(healthy: list[Heard], found: list[tuple[DefectOrder, Heard]], command: str) -> list[dict[str, object]]:
    """Rows of results/proofs.json."""
    noisy = sum(bool(one.alarms) for one in healthy)
    told = clopper_pearson(noisy, len(healthy))
    layers = int(GROUP / MACHINE.layer_time)
    crowded = sum(_crowded(one.raised, layers) for one in [*healthy, *(one for _, one in found)])
    hits = [(order, _hit(order, one)) for order, one in found]
    delays = sorted(hit.raised_layer - order.first_layer for order, hit in hits if hit is not None)
    middle = delays[len(delays) // 2] if delays else -1
    share, wrong = noisy / len(healthy), sum(_is_wrong(one) for _, one in found)
    date = time.strftime("%Y-%m-%d")

    def row(figure: str, target: str, passed: bool) -> dict[str, object]:
        return {"id": "A1", "command": command, "figure": figure, "target": target, "pass": passed, "date": date}

    return [
        row(
            f"{noisy} of {len(healthy)} healthy jobs with an alarm ({share:.3f} [{told.low:.3f}, {told.high:.3f}])",
            "at most 5 % of healthy jobs",
            share <= PROMISE,
        ),
        row(f"{crowded} jobs with two alarms within 10 minutes", "at most one in 10 minutes", crowded == 0),
        row(
            f"{len(delays)} of {len(found)} jobs of severity {SEVERITY:g} alarmed, median delay {middle} layers",
            "reported",
            True,
        ),
        row(f"{wrong} of {len(found)} defective jobs with an alarm of a fault", "no defect named a fault", wrong == 0),
    ]


def _hit(order: DefectOrder, one: Heard) -> OpenAlarm | None:
    own = [alarm for alarm in one.alarms if alarm.kind == "defect" and alarm.raised_layer >= order.first_layer]
    return own[0] if own else None


def _is_wrong(one: Heard) -> bool:
    return any(alarm.kind == "fault" for alarm in one.alarms)


def _crowded(raised: tuple[int, ...], layers: int) -> bool:
    return any(b - a < layers for a, b in pairwise(raised))


if __name__ == "__main__":
    main()
