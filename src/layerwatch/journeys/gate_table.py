"""A part and amounts -> how well the gate tells faults of frames from healthy and from defective layers, as a table.

Virtual jobs are printed with each preset. The gate learns on healthy ones; others, of other seeds, are spoiled by each
fault at each strength, carry each defect at each severity, or are left as they are. A detector that knows the plan says
which spoiled frames would have been called NOK where the gate let them pass.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from layerwatch import catalogue
from layerwatch.crew.base import Crew
from layerwatch.crew.inline import Inline
from layerwatch.detectors.plan_residual import PlanResidual
from layerwatch.images.gating import Gate
from layerwatch.images.grey import to_grey
from layerwatch.images.writing import check_result, write_file
from layerwatch.job.faults.base import Arrival
from layerwatch.job.machine import Machine
from layerwatch.job.printing import JobSettings, PrintedLayer, print_job
from layerwatch.job.shots import shots_of
from layerwatch.journeys.fault_strengths import fault_of, strengths_of
from layerwatch.journeys.plates import fill_beds, slice_part
from layerwatch.journeys.synthesise import Wish, plan_plates
from layerwatch.records import LayerImage, Progress, Shot, UsageError, silent
from layerwatch.verdict.threshold import fit_threshold

_LEARN, _HEALTHY, _SPOILED, _OTHER, _DEFECTS = range(5)  # streams of seeds
_DETECTOR_IMAGES, _DETECTOR_RATE = 150, 0.01


@dataclass(frozen=True)
class Amounts:
    """How much is printed for a table."""

    learn: int = 60  # healthy jobs of each preset, to learn from
    healthy: int = 60  # healthy jobs of each preset, to count false faults in
    spoiled: int = 8  # jobs of each preset, fault and strength
    defective: int = 3  # jobs of each preset, defect and severity
    layers: int = 25  # of each job
    severities: tuple[float, ...] = (1.0, 4.0, 16.0)
    presets: tuple[str, ...] = ("paper", "physical")
    faults: tuple[str, ...] = ()  # names on the shelf; none: all of them
    defects: tuple[str, ...] = ()  # the same
    seed: int = 0


@dataclass(frozen=True)
class GateRow:
    """One line of the table."""

    fault: str
    strength: str
    detected: float  # share of n; of the last rows the figure itself
    named: float  # share of those detected that were given the right name
    n: int  # spoiled frames, or layers


@dataclass(frozen=True)
class Count:
    """What became of the frames of one job."""

    kind: str  # of frames: "healthy", "other part", a fault, "defect"
    strength: str = ""
    n: int = 0
    detected: int = 0
    named: int = 0
    defects: int = 0  # passed the gate and were called NOK
    false: tuple[str, ...] = ()  # kinds of fault given to sound frames


def gate_table(
    part: Path,
    machine: Machine,
    amounts: Amounts = Amounts(),
    *,
    other: Path | None = None,
    crew: Crew = Inline(),
    progress: Progress = silent,
) -> tuple[GateRow, ...]:
    """Measure the gate.

    Args:
        part: that is printed to learn from and to judge.
        machine: with its own camera.
        amounts: how much is printed.
        other: another part, of which false faults are counted apart.
        crew: who prints and judges; the figures do not depend on it.
        progress: told after every job.

    Raises:
        UsageError: no such file or preset, or too few jobs.
        DataError: a part that cannot be printed, or too few layers for a fault to begin in.
    """
    if amounts.learn < 8 or amounts.layers < 4:
        raise UsageError(f"{amounts.learn} jobs of {amounts.layers} layers to learn from; give 8 of 4 at least")
    counts: list[Count] = []
    for preset in amounts.presets:
        bench = Bench.of(part, machine, amounts, preset, other, progress)
        names = list(bench.items)
        for done, (_, count) in enumerate(crew.each(bench, names), 1):
            counts.append(count)
            progress(f"judge frames, {preset}", done, len(names))
    return rows_of(counts)


@dataclass(frozen=True, eq=False)
class Item:
    """One job to print and judge."""

    kind: str
    strength: str
    settings: JobSettings
    beside: JobSettings | None = None  # the job that runs at the same time


@dataclass(frozen=True, eq=False)
class Bench:
    """The work of a crew: print one job, spoil it if that is wanted, and have the gate judge it."""

    gate: Gate
    detector: PlanResidual
    line: float  # score above which a layer is NOK
    items: dict[str, Item]

    @classmethod
    def of(
        cls, part: Path, machine: Machine, amounts: Amounts, preset: str, other: Path | None, progress: Progress
    ) -> Bench:
        """Teach gate and detector on healthy jobs of one preset, and lay out what is to be judged."""
        printer = _Printer(machine, amounts, preset, progress)
        learn = printer.jobs(part, _LEARN, healthy=amounts.learn)
        gate = Gate().fit(_shots(job) for job in _told(learn, f"learn, {preset}", progress))
        detector, line = _detector_of(learn)
        items = {
            f"healthy-{n}": Item("healthy", "", job)
            for n, job in enumerate(printer.jobs(part, _HEALTHY, healthy=amounts.healthy))
        }
        if other is not None:
            apart = printer.jobs(other, _OTHER, healthy=max(amounts.healthy // 2, 1))
            items |= {f"other-{n}": Item("other part", "", job) for n, job in enumerate(apart)}
        sound = printer.jobs(part, _SPOILED, healthy=amounts.spoiled + 1)
        for name in amounts.faults or catalogue.names("job.faults"):
            for strength in strengths_of(name):
                for n, job in enumerate(sound[:-1]):
                    items[f"{name}-{strength}-{n}"] = Item(name, strength, job, sound[n + 1])
        for severity in amounts.severities:
            bad = printer.jobs(part, _DEFECTS, defective=amounts.defective, severity=severity)
            items |= {f"{job.name}-{severity:g}": Item("defect", f"{severity:g}", job) for job in bad}
        return cls(gate, detector, line, items)

    def __call__(self, name: str) -> Count:
        """Print and judge one job."""
        item = self.items[name]
        layers = list(print_job(item.settings))
        shots = _shots_of(layers, item.settings)
        if item.kind not in catalogue.names("job.faults"):
            return self._sound(item, layers, shots)
        other = _shots(item.beside) if item.beside is not None else ()
        rng = np.random.default_rng([*item.settings.seed, *name.encode()])
        arrivals = tuple(fault_of(item.kind, item.strength).spoil(shots, rng, item.settings.machine, other))
        return self._spoiled(item, layers, shots, arrivals)

    def _sound(self, item: Item, layers: Sequence[PrintedLayer], shots: Sequence[Shot]) -> Count:
        """Layers whose frames are sound, whatever was printed."""
        self.gate.begin(item.settings.name)
        answers = [self.gate.judge(shot, layer.plan) for shot, layer in zip(shots, layers, strict=True)]
        wanted = [item.kind != "defect" or layer.truth.is_defective for layer in layers]
        told = [
            answer.fault.kind if answer.fault else answer.others[0].kind
            for answer, is_wanted in zip(answers, wanted, strict=True)
            if is_wanted and (answer.fault or answer.others)
        ]
        return Count(item.kind, item.strength, sum(wanted), len(told), false=tuple(told))

    def _spoiled(
        self, item: Item, layers: Sequence[PrintedLayer], shots: Sequence[Shot], arrivals: Sequence[Arrival]
    ) -> Count:
        """Frames of a spoiled job; those that are bit for bit what should have come at their place are left out."""
        kinds, later = _answers(self.gate, item, layers, arrivals)
        planned = {layer.layer: layer for layer in layers}
        n = detected = named = defects = 0
        false: list[str] = []
        for number, (arrival, kind) in enumerate(zip(arrivals, kinds, strict=True)):
            shot, truth = arrival.shot, arrival.truth
            told = kind or later.get(shot.layer if shot else truth.layer, "")
            if not truth.fault:
                false += [kind] if kind else []
            elif shot is None or not _is_as_ever(shot, number, shots):
                n, detected, named = n + 1, detected + bool(told), named + (told == item.kind)
                if shot is not None and not told:
                    defects += self._is_nok(shot, planned[shot.layer])
        return Count(item.kind, item.strength, n, detected, named, defects, tuple(false))

    def _is_nok(self, shot: Shot, layer: PrintedLayer) -> bool:
        if shot.frame.shape != layer.plan.shape or shot.share < 1:
            return False
        return self.detector.read([_image(shot, layer)])[0].score > self.line


def _answers(
    gate: Gate, item: Item, layers: Sequence[PrintedLayer], arrivals: Sequence[Arrival]
) -> tuple[list[str], dict[int, str]]:
    """The kind given to each arrival, empty for none, and what was said of layers when others came."""
    plans = {layer.layer: layer.plan for layer in layers}
    gate.begin(item.settings.name)
    kinds, later = list[str](), dict[int, str]()
    for arrival in arrivals:
        if arrival.shot is None:
            kinds.append("")
            continue
        shot = replace(arrival.shot, job=item.settings.name)
        answer = gate.judge(shot, plans.get(shot.layer))
        kinds.append(answer.fault.kind if answer.fault else "")
        if later.get(shot.layer) == "dropped":
            del later[shot.layer]
        later |= {fault.layer: fault.kind for fault in answer.others}
    return kinds, later


def _is_as_ever(shot: Shot, number: int, shots: Sequence[Shot]) -> bool:
    """Nothing tells the frame from the sound one that should have come at its place."""
    if number >= len(shots):
        return False
    sound = shots[number]
    same = (shot.layer, shot.time, shot.bits, shot.share) == (sound.layer, sound.time, sound.bits, sound.share)
    return same and np.array_equal(shot.frame, sound.frame)


@dataclass(frozen=True)
class _Printer:
    """Settings of jobs of one preset."""

    machine: Machine
    amounts: Amounts
    preset: str
    progress: Progress

    def jobs(
        self, part: Path, stream: int, *, healthy: int = 0, defective: int = 0, severity: float = 4.0
    ) -> list[JobSettings]:
        """Jobs of a part from a stream of seeds of their own."""
        plates = fill_beds([slice_part(part, self.machine, at_least=self.amounts.layers)], self.machine)
        seed = 1000 * self.amounts.seed + stream
        wish = Wish(healthy, defective, self.amounts.layers, severity, self.preset, seed, self.amounts.defects)
        return list(plan_plates(plates, self.machine, wish).values())


def _told(jobs: Sequence[JobSettings], step: str, progress: Progress) -> Iterator[JobSettings]:
    for number, job in enumerate(jobs, 1):
        yield job
        progress(step, number, len(jobs))


def _shots(job: JobSettings) -> tuple[Shot, ...]:
    return _shots_of(list(print_job(job)), job)


def _shots_of(layers: Sequence[PrintedLayer], job: JobSettings) -> tuple[Shot, ...]:
    return shots_of(layers, job.machine, np.random.default_rng([*job.seed, 1]))


def _image(shot: Shot, layer: PrintedLayer) -> LayerImage:
    levels = shot.frame.astype(np.uint8) if shot.bits == 8 else shot.frame
    return LayerImage(shot.job, layer.layer, to_grey(levels, shot.job), plan=layer.plan, coverage=layer.coverage)


def _detector_of(jobs: Sequence[JobSettings]) -> tuple[PlanResidual, float]:
    """Fitted to layers of half of the jobs, its line set by the other half at 1 % false alarms."""
    halves = []
    for half in (jobs[::2], jobs[1::2]):
        layers = [(job, layer) for job in half for layer in print_job(job)]
        chosen = layers[:: max(len(layers) // _DETECTOR_IMAGES, 1)]
        halves.append([_image(Shot(job.name, layer.layer, 0.0, layer.frame), layer) for job, layer in chosen])
    detector = PlanResidual().fit(halves[0])
    scores = np.array([reading.score for reading in detector.read(halves[1])], np.float64)
    return detector, fit_threshold(scores, max(_DETECTOR_RATE, 1.01 / (len(scores) + 1))).value


def rows_of(counts: Sequence[Count]) -> tuple[GateRow, ...]:
    """The table: a line a fault and strength, then false faults and both confusions."""
    faults = catalogue.names("job.faults")
    there = [(f, s) for f in faults for s in strengths_of(f) if any((c.kind, c.strength) == (f, s) for c in counts)]
    rows = [_row([c for c in counts if (c.kind, c.strength) == (f, s)], f, s) for f, s in there]
    for kind, title in (("healthy", "false faults per 1,000"), ("other part", "false faults per 1,000, another part")):
        own = [c for c in counts if c.kind == kind]
        if own:
            rows.append(_share(title, 1000 * sum(c.detected for c in own), sum(c.n for c in own)))
    bad = [c for c in counts if c.kind == "defect"]
    for severity in dict.fromkeys(c.strength for c in bad):
        own = [c for c in bad if c.strength == severity]
        part = _share("defects called faults", sum(c.detected for c in own), sum(c.n for c in own))
        rows.append(replace(part, strength=f"severity {severity}"))
    rows.append(_share("defects called faults", sum(c.detected for c in bad), sum(c.n for c in bad)))
    spoiled = [c for c in counts if c.kind in faults]
    rows.append(_share("faults called defects", sum(c.defects for c in spoiled), sum(c.n for c in spoiled)))
    return tuple(rows)


def _row(own: Sequence[Count], fault: str, strength: str) -> GateRow:
    n, detected, named = sum(c.n for c in own), sum(c.detected for c in own), sum(c.named for c in own)
    return GateRow(fault, strength, detected / max(n, 1), named / max(detected, 1), n)


def _share(title: str, part: int, n: int) -> GateRow:
    return GateRow(title, "", part / max(n, 1), float("nan"), n)


def write_table(rows: Sequence[GateRow], out: Path) -> None:
    """Write the table as CSV.

    Raises:
        UsageError: the file cannot be written.
    """
    check_result(out, [])
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(["fault", "strength", "detected", "named", "n"])
    for row in rows:
        named = "" if np.isnan(row.named) else f"{row.named:.4f}"
        lines.writerow([row.fault, row.strength, f"{row.detected:.4f}", named, row.n])
    write_file(out, text.getvalue().encode())


def lines_of(rows: Sequence[GateRow]) -> tuple[str, ...]:
    """The table for a terminal."""
    told = [f"{'fault':38s} {'strength':12s} detected  named      n"]
    for row in rows:
        named = "     -" if np.isnan(row.named) else f"{row.named:6.3f}"
        told.append(f"{row.fault:38s} {row.strength:12s} {row.detected:8.4f} {named} {row.n:6d}")
    return tuple(told)
