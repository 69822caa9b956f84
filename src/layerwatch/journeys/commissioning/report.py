"""What commissioning found -> one HTML file: promises, what is found, the loudest layers, registration and drift."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from layerwatch.evaluation import commission_figures as draw
from layerwatch.evaluation.heat_figures import heat_figure
from layerwatch.evaluation.metrics import Estimate
from layerwatch.evaluation.pod import Curve, Trial
from layerwatch.evaluation.report import Card, Picture, Section, Table, html
from layerwatch.journeys.commissioning.injections import Kind
from layerwatch.journeys.commissioning.results import Commissioned
from layerwatch.journeys.commissioning.trials import Followed
from layerwatch.records import counted

_LOUDEST = 3  # healthy layers that are shown
_PROMISES = (0.5, 0.2, 0.1, 0.05, 0.02, 0.01)


def report(done: Commissioned) -> bytes:
    """The whole report as one file."""
    jobs, layers = counted(len(done.followed), "job"), counted(done.layers, "layer")
    lead = (
        f"{jobs} taken as healthy, {layers}. Scores are those of detectors that have "
        "not learnt from the job; 0 is the median of healthy layers, 1 what 99 of 100 stay below."
    )
    sections = [_promise(done), _detected(done), _loudest(done), _still(done)]
    return html("Commissioned on your own layers", lead, _cards(done), sections)


def _cards(done: Commissioned) -> list[Card]:
    cards = [
        Card(f"{done.line.promise:.0%}", f"of healthy jobs at most raise an alarm: what {len(done.followed)} promise"),
        Card(f"{done.above_one} of {done.layers}", "healthy layers score above 1; one in a hundred should"),
    ]
    tried = [kind for kind in done.kinds if kind.name in done.found]
    return [*cards, *(Card(done.ninety(kind), f"{kind.name}{done.size(kind)}: in nine of ten jobs") for kind in tried)]


def _promise(done: Commissioned) -> Section:
    n = len(done.followed)
    rows = tuple(
        (f"{100 * p:g} %", str(math.ceil(1 / p - 1e-9) - 1), "yes" if n >= math.ceil(1 / p - 1e-9) - 1 else "no")
        for p in _PROMISES
    )
    layers = {f"{k} {one.history.job}": (_numbers(one), one.scores) for k, one in enumerate(done.followed)}
    notes = (Table(("to be known",), tuple((note,) for note in done.notes)),) if done.notes else ()
    return Section(
        "False alarms and what can be promised",
        f"The line of alarm, {done.line.value:.2f}, is the split conformal one: at most {done.line.promise:.1%} of "
        f"further healthy jobs like these raise any alarm (wanted: {done.wanted:.0%}). Of "
        f"{counted(done.layers, 'layer')} {done.above_one} score above 1, where one in a hundred should. "
        f"`layerwatch inspect` has the same line with "
        f"--false-alarm-rate {done.rate!r}.",
        (
            *notes,
            Picture(
                draw.healthy_scores(layers, done.line.value),
                "Left: scores of healthy layers, a line a job. Right: how many jobs have no higher score.",
            ),
            Table(("false-alarm jobs", "healthy jobs that are needed", "there are enough"), rows),
        ),
    )


def _numbers(one: Followed) -> list[int]:
    return [image.layer for image in one.history.images]


def _detected(done: Commissioned) -> Section:
    rows = []
    for kind in done.kinds:
        if kind.name not in done.found:
            continue
        trials, told = done.found[kind.name]
        unit, delay = done.unit_of(kind), told.delay
        rows.append(
            (
                f"{kind.name}{done.size(kind)}",
                _interval(done, kind, told.half),
                _interval(done, kind, told.ninety),
                unit,
                f"{delay:g}" if math.isfinite(delay) else "never",
                str(len({trial.job for trial in trials})),
            )
        )
    units = {kind.name: done.unit_of(kind) for kind in done.kinds}
    curves = {kind.name: _scaled(done, kind) for kind in done.kinds if kind.name in done.found}
    head = ("defect", "found in half of the jobs", "in nine of ten", "unit", "delay", "jobs")
    return Section(
        "What is found, and how soon",
        "Defects of known amounts were laid into healthy jobs that the detector had not learnt from, on five layers in "
        "a row, and judged by the line of the other jobs. Found: an alarm within these, on a layer that raises none "
        "without the defect. The delay is the median at the largest amount, the first layer counted in. What a defect "
        "leaves in the heat of later layers is not imitated.",
        (
            Picture(draw.detection_curves(curves, units), "Probability of detection; dotted: nine of ten."),
            Table(
                head,
                tuple(rows),
                "Amounts were doubled and halved. In brackets two-sided 95 % intervals by job, from five jobs on.",
            ),
        )
        if rows
        else (),
    )


def _scaled(done: Commissioned, kind: Kind) -> tuple[Sequence[Trial], Curve | None]:
    """Trials and curve in the user's unit."""
    trials, told = done.found[kind.name]
    factor = done.told(kind, 1.0)
    scaled = [Trial(trial.job, trial.amount * factor, trial.delay) for trial in trials]
    curve = told.curve
    return scaled, None if curve is None else Curve(curve.middle + math.log(factor), curve.width)


def _interval(done: Commissioned, kind: Kind, estimate: Estimate) -> str:
    low, value, high = (done.told(kind, one) for one in (estimate.low, estimate.value, estimate.high))
    if not math.isfinite(value):
        return f"above {low:.3g}"
    largest = done.largest(kind)
    if math.isfinite(low) and high > largest * (1 + 1e-9):
        return f"{value:.3g} [{low:.3g}, above {largest:.3g}]"
    if not math.isfinite(low) or not math.isfinite(high):
        return f"{value:.3g}"
    return f"below {high:.3g}" if low == 0 == value - high else f"{value:.3g} [{low:.3g}, {high:.3g}]"


def _loudest(done: Commissioned) -> Section:
    ranked = sorted(
        ((float(reading.score), one, k) for one in done.followed for k, reading in enumerate(one.readings)),
        key=lambda told: -told[0],
    )
    pictures, px, unit = [], done.mm_per_px or 1.0, "mm" if done.mm_per_px else "px"
    for score, one, k in ranked[:_LOUDEST]:
        image, reading = one.history.images[k], one.readings[k]
        if reading.heat is None:
            continue
        text = reading.finding.text if reading.finding else ""
        where = f"{one.history.job} / {image.name}, layer {image.layer}"
        title = f"{where}: score {score:.2f}\n{text}"
        pictures.append(
            Picture(
                heat_figure(image.pixels, image.plan, reading.heat, title, px, unit),
                f"{where}: {text}; heat in standard deviations.",
            )
        )
    return Section(
        "The loudest layers: are they healthy?",
        "These layers were taken as healthy and are the most conspicuous ones. If one shows a defect, leave its job "
        "out and commission again: the line comes down.",
        tuple(pictures),
    )


def _still(done: Commissioned) -> Section:
    mm, parts = done.mm_per_px or 1.0, []
    moved = {
        f"{k} {one.history.job}": ([mm * p.x for p in one.history.places], [mm * p.y for p in one.history.places])
        for k, one in enumerate(done.followed)
        if one.history.places
    }
    if moved:
        xy = np.array([(x, y) for xs, ys in moved.values() for x, y in zip(xs, ys, strict=True)])
        sigma = float(np.median([mm * p.sigma for one in done.followed for p in one.history.places]))
        spread = np.hypot(*(xy - np.median(xy, axis=0)).T)
        said = (
            f"Prints lie {np.hypot(*np.median(xy, axis=0)):.2g} {done.length} beside their plans in the median, and "
            f"within {np.quantile(spread, 0.95):.2g} {done.length} of that in 95 % of the layers looked at; one "
            f"layer tells it to {sigma:.2g} {done.length}."
        )
        parts.append(Picture(draw.places(moved, done.length), "A point a layer, registered on its own."))
    else:
        said = "The frames do not tell where the prints lie; plans were taken as they are."
    levels = {
        f"{k} {one.history.job}": (
            [float(number) for number in _numbers(one)],
            [done.level(grey) for grey in one.history.bed],
            [done.level(grey) for grey in one.history.part],
        )
        for k, one in enumerate(done.followed)
    }
    parts.append(Picture(draw.drift(levels, done.level_unit), "Mean of bed and part, layer by layer."))
    rows = tuple((one.history.job, str(len(one.readings)), one.history.note or "as they are") for one in done.followed)
    return Section("Registration and drift", said, (*parts, Table(("job", "layers", "plans"), rows), *_refused(done)))


def _refused(done: Commissioned) -> tuple[Table, ...]:
    return (Table(("job", "frame", "not used, because"), done.refused),) if done.refused else ()
