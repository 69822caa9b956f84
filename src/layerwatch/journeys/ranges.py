"""Real layer images -> measured properties, learnt intervals in TOML, and a report; beside an archive's if wished."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from layerwatch.evaluation.agreement import Agreement
from layerwatch.evaluation.domain import Domain, Gap, compare
from layerwatch.images.properties import Look, RunProperties, look_of, measure_run
from layerwatch.images.texture_shape import radial_frequencies
from layerwatch.images.writing import check_writable, write_file
from layerwatch.job.machine import Machine, default_machine
from layerwatch.job.ranges import Ranges
from layerwatch.job.rangesfile import preset, write_ranges
from layerwatch.job.thermal import Kernel
from layerwatch.journeys.evaluate import triple
from layerwatch.journeys.files import open_machine
from layerwatch.journeys.layer_runs import Given, Source, open_source, random_runs, read_runs
from layerwatch.journeys.range_intervals import ONE_VALUE, Learnt, check_by, learn
from layerwatch.journeys.range_levels import needed_span
from layerwatch.journeys.ranges_report import report
from layerwatch.journeys.rank_agreement import rank_agreement as rank_agreement  # the command line's only door
from layerwatch.journeys.sources import is_archive
from layerwatch.records import Progress, UsageError, counted, silent

_AGES = 60  # layers of conducted heat


def given_by(
    frames: Path,
    plans: Path | None = None,
    mm_per_px: float | None = None,
    span: tuple[float, float] | None = None,
    machine: Path | None = None,
    good: Sequence[str] = (),
) -> Given:
    """What a user said of the images; errors as in ``open_machine``."""
    return Given(frames, plans, mm_per_px, span, None if machine is None else open_machine(machine), tuple(good))


@dataclass(frozen=True)
class Lesson:
    """How ranges are learnt."""

    preset: str = "paper"  # whose renderer is to print them
    sample: int = 200  # layers
    seed: int = 0
    by: str = "minmax"  # or "percentiles"


@dataclass(frozen=True, eq=False)
class Measured:
    """What a random sample of layers looks like."""

    name: str
    source: Source
    runs: tuple[RunProperties, ...]

    @property
    def layers(self) -> int:
        """How many were measured."""
        return sum(len(run.layers) for run in self.runs)


@dataclass(frozen=True, eq=False)
class Study:
    """Everything that came out."""

    real: Measured
    learnt: Learnt
    gaps: tuple[Gap, ...]
    synthetic: Measured | None
    agreement: Agreement | None
    ranges: Ranges  # the learnt intervals laid over the preset's
    machine: Machine

    @property
    def is_held(self) -> bool:
        """The machine's camera can see layers of these ranges."""
        low, high = needed_span(self.ranges, self.machine)
        return self.machine.span[0] <= low and high <= self.machine.span[1]

    @property
    def levels(self) -> str:
        """Which span a camera needs for layers of these ranges."""
        (low, high), (dark, bright) = needed_span(self.ranges, self.machine), self.machine.span
        held = f"the span of {dark:g} to {bright:g} degC of {self.machine.name} "
        more = f"does not; give synthesise a --machine with camera.low = {low} and camera.high = {high}"
        return f"printed layers need a camera from {low} to {high} degC; {held}{'is enough' if self.is_held else more}"

    @property
    def lines(self) -> tuple[str, ...]:
        """For the terminal."""
        lines = [*self.real.source.said]
        lines += [] if self.synthetic is None else [f"against: {line}" for line in self.synthetic.source.said]
        lines += [f"{key}: left out ({why})" for key, why in self.learnt.omitted.items()]
        lines += [f"{', '.join(self.learnt.narrow)}: {ONE_VALUE}"] if self.learnt.narrow else []
        lines += [self.levels] if not self.is_held else []
        lines += [f"{gap.name}: {100 * gap.covered:.0f} % covered; {gap.advice}" for gap in self.gaps if gap.advice]
        if self.agreement is not None:
            lines.append(f"order of detectors, real against synthetic: Kendall's tau {self.agreement.tau}")
        layers, runs = counted(self.real.layers, "layer"), counted(len(self.real.runs), "run")
        lines.append(f"{layers} in {runs}: {counted(len(self.learnt.intervals), 'interval')}")
        return tuple(lines)


def study(
    given: Given,
    out: Path,
    lesson: Lesson = Lesson(),
    *,
    against: Path | None = None,
    agreement: Agreement | None = None,
    progress: Progress = silent,
) -> Study:
    """Measure real images, learn their ranges, write ``ranges.toml``, ``ranges.json`` and ``report.html`` into ``out``.

    Args:
        given: the real images, and what is known of them.
        out: a folder, which must not lie in what is read.
        lesson: how to learn.
        against: an archive of synthetic images to hold against them.
        agreement: how detectors rank on both, if that was tried.
        progress: told while measuring.

    Raises:
        UsageError: a wrong path, option or name, or ``out`` cannot be written.
        DataError: no or one image, broken, constant or of mixed sizes.
    """
    ranges = preset(lesson.preset)
    check_by(lesson.by)
    _check_out(out, [given.folder, *([given.plans] if given.plans else []), *([against] if against else [])])
    machine = given.machine or default_machine()
    source, beside = open_source(given, machine), None if against is None else _counterpart(given, against, machine)
    real = measure(given.folder.resolve().name, source, ranges, machine, lesson, progress)
    learnt = learn(real.runs, ranges, machine, lesson.by, real.source.mm_per_px)
    synthetic, gaps = None, tuple[Gap, ...]()
    if against is not None and beside is not None:
        synthetic = measure(against.resolve().name, beside, ranges, machine, lesson, progress)
        in_mm = None not in (real.source.mm_per_px, synthetic.source.mm_per_px)
        gaps = compare(domain_of(real, "real", in_mm=in_mm), domain_of(synthetic, "synthetic", in_mm=in_mm))
    hot = ranges.hot_part if learnt.hot_part is None else learnt.hot_part
    printable = replace(ranges, hot_part=hot, **learnt.intervals)  # type: ignore[arg-type] # names are its own
    found = Study(real, learnt, gaps, synthetic, agreement, printable, machine)
    _write(out, found, lesson, machine)
    return found


def _counterpart(given: Given, against: Path, machine: Machine) -> Source:
    """The synthetic images, looked at in the same way as the real ones."""
    blind = given.plans is None and not is_archive(given.folder)
    source = open_source(Given(against, machine=given.machine, blind=blind), machine)
    if not blind or not is_archive(against):
        return source
    said = f"the plans of {against.name} are not looked at either, so that both sides are measured in the same way"
    return replace(source, said=(*source.said, said), layers_known=False)


def measure(
    name: str, source: Source, ranges: Ranges, machine: Machine, lesson: Lesson, progress: Progress = silent
) -> Measured:
    """Measure a random sample of runs of layers.

    Raises:
        DataError: a broken or constant image, or one of another size.
    """
    chosen, runs = random_runs(source, lesson.sample, lesson.seed), list[RunProperties]()
    total, done = sum(length for _, _, length in chosen), 0
    for run in read_runs(source, chosen):
        first = run.images[0].layer if source.layers_known else _AGES
        runs.append(measure_run(run.images, _look(source, ranges, machine, first), run.earlier))
        done += len(run.images)
        progress(f"measure {name[:20]}", done, total)
    return Measured(name, source, tuple(runs))


def domain_of(measured: Measured, name: str, *, in_mm: bool) -> Domain:
    """Values of every property, one a layer; lengths in mm or px."""
    unit = measured.source.mm_per_px if in_mm and measured.source.mm_per_px else 1.0
    layers = [layer for run in measured.runs for layer in run.layers]
    keys = ("bed", "part", "contrast", "bed_texture", "part_texture", "blur", "edge_width", "noise")
    values = {key: np.array([getattr(layer, key) for layer in layers], np.float64) for key in keys}
    shown = ("length_x", "length_y", "uneven_share")
    x, y, uneven = (np.array([getattr(layer, key) for layer in layers], np.float64) for key in shown)
    lags = np.array([run.lags for run in measured.runs])
    values |= {"length_x": x * unit, "length_y": y * unit, "lag_1": lags[:, 0], "uneven": uneven}
    spectra = np.concatenate([run.spectra for run in measured.runs if len(run.spectra)] or [np.zeros((0, 24))])
    known = {key: own[np.isfinite(own)] for key, own in values.items()}
    return Domain(name, known, radial_frequencies(), spectra, lags)


def _look(source: Source, ranges: Ranges, machine: Machine, first_layer: int) -> Look:
    if ranges.memory == "decay":
        return look_of(*source.size)
    kernel, creep = Kernel.conduction(machine.layer_time), (ranges.creep.low + ranges.creep.high) / 2
    ages = tuple(kernel.after(n) for n in range(min(first_layer + 1, _AGES)))
    return look_of(*source.size, ages, creep / (source.mm_per_px or machine.mm_per_px))


def _check_out(out: Path, inputs: Sequence[Path]) -> None:
    for folder in inputs:
        if out.resolve().is_relative_to(folder.resolve()):
            raise UsageError(f"{out} lies inside {folder}, which is read; give an --out elsewhere")
    check_writable(out)


def _write(out: Path, found: Study, lesson: Lesson, machine: Machine) -> None:
    toml = _toml(found, lesson)
    preset_of = {key: getattr(preset(lesson.preset), key) for key in found.learnt.intervals}
    in_mm = found.synthetic is not None and None not in (found.real.source.mm_per_px, found.synthetic.source.mm_per_px)
    domains = [domain_of(found.real, "real", in_mm=in_mm)]
    if found.synthetic is not None:
        domains.append(domain_of(found.synthetic, "synthetic", in_mm=in_mm))
    layers = counted(found.real.layers, "layer")
    lead = f"{layers} of {found.real.name}, preset {lesson.preset}, seed {lesson.seed}, by {lesson.by}."
    page = report(
        lead, found.real.source.said, found.learnt, preset_of, domains, found.gaps, found.agreement, in_mm=in_mm
    )
    write_file(out / "ranges.json", _json(found, lesson))
    write_file(out / "report.html", page)
    write_file(out / "ranges.toml", toml.encode())


def _toml(found: Study, lesson: Lesson) -> str:
    """The file that `layerwatch synthesise --ranges` takes."""
    layers = counted(found.real.layers, "layer")
    head = [
        f"# Learnt by `layerwatch ranges` from {layers} of {found.real.name!r}, for the preset "
        f"{lesson.preset}, by {lesson.by}, seed {lesson.seed}.",
        *(f"# {line}" for line in found.real.source.said),
        f"# {found.levels}",
        f"# noise = {found.learnt.noise:.4g}  # K, of the camera: belongs into the machine file, under [camera]",
        *(f"# {key}: the preset's, {why}" for key, why in found.learnt.omitted.items()),
    ]
    lines = [" ".join(line.split()) for line in head]
    own = found.learnt
    table = write_ranges(own.intervals, own.comments, preset=lesson.preset, hot_part=own.hot_part)
    return "\n".join([*lines, table])


def _json(found: Study, lesson: Lesson) -> bytes:
    told: dict[str, Any] = {
        "lesson": asdict(lesson),
        "real": _measurements(found.real),
        "intervals": {key: asdict(value) for key, value in found.learnt.intervals.items()},
        "comments": found.learnt.comments,
        "omitted": found.learnt.omitted,
        "noise": found.learnt.noise,
        "hot_part": found.learnt.hot_part,
        "camera_span": needed_span(found.ranges, found.machine),
    }
    if found.synthetic is not None:
        told["synthetic"] = _measurements(found.synthetic)
        told["gaps"] = [asdict(gap) | {"advice": gap.advice} for gap in found.gaps]
    if found.agreement is not None:
        sides = {side: getattr(found.agreement, side) for side in ("real", "synthetic")}
        told["agreement"] = {side: {k: triple(e) for k, e in own.items()} for side, own in sides.items()}
        told["agreement"]["kendall_tau"] = triple(found.agreement.tau)
    return (json.dumps(_plain(told), indent=1, sort_keys=True, allow_nan=False) + "\n").encode()


def _measurements(measured: Measured) -> dict[str, Any]:
    source = measured.source
    runs = [{key: value for key, value in vars(run).items() if key != "spectra"} for run in measured.runs]
    for told, run in zip(runs, measured.runs, strict=True):
        told["layers"] = [asdict(layer) for layer in run.layers]
        told["together"] = asdict(run.together)
        told["spectrum"] = run.spectra.mean(0) if len(run.spectra) else []
    facts = {"mm_per_px": source.mm_per_px, "span": source.span, "size": source.size, "said": source.said}
    return {"name": measured.name, **facts, "frequencies": radial_frequencies(), "runs": runs}


def _plain(value: Any) -> Any:
    """Values that JSON knows: numbers to six digits, null for what is unknown."""
    if isinstance(value, dict):
        return {str(key): _plain(own) for key, own in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [_plain(own) for own in value]
    if isinstance(value, (float, np.floating)):
        return float(f"{value:.6g}") if np.isfinite(value) else None
    return value.item() if isinstance(value, np.generic) else value
