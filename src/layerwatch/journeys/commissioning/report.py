"""What commissioning found -> one HTML file: promises, what is found, the loudest layers, registration and drift."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from layerwatch.evaluation import commission_figures as draw
from layerwatch.evaluation.heat_figures import heat_figure
from layerwatch.evaluation.metrics import Estimate, clopper_pearson
from layerwatch.evaluation.pod import Curve, Trial
from layerwatch.evaluation.report import Card, Picture, Section, Table, html
from layerwatch.journeys.commissioning.injections import Kind
from layerwatch.journeys.commissioning.results import Commissioned

_LOUDEST = 3  # healthy layers that are shown
_PROMISES = (0.5, 0.2, 0.1, 0.05, 0.02, 0.01)


def report(done: Commissioned) -> bytes:
    """The whole report as one file."""
    lead = (
        f"{len(done.followed)} jobs taken as healthy, {done.layers} layers. Scores are those of detectors that have "
        "not learnt from the job; 0 is the median of healthy layers, 1 what 99 of 100 stay below."
    )
    sections = [_promise(done), _detected(done), _loudest(done), _still(done)]
    return html("Commissioned on your own layers", lead, _cards(done), sections)


def _cards(done: Commissioned) -> list[Card]:
    cards = [
        Card(
            f"{done.line.promise:.0%}",
            f"of healthy jobs at most raise an alarm: what {len(done.followed)} jobs promise",
        ),
        Card(f"{done.alarms} of {len(done.followed)}", "healthy jobs raise one, each judged by the others"),
    ]
    tried = [kind for kind in done.kinds if kind.name in done.found]
    return [*cards, *(Card(done.ninety(kind), f"{kind.name}{done.size(kind)}: in nine of ten jobs") for kind in tried)]


def _promise(done: Commissioned) -> Section:
    n = len(done.followed)
    share = clopper_pearson(done.alarms, n, confidence=0.9) if n > 1 else None
    seen = f"{done.alarms} of {n}" + (
        f", that is {share.value:.1%}, at most {share.high:.1%} with 95 %" if share else ""
    )
    rows = tuple(
        (f"{100 * p:g} %", str(math.ceil(1 / p - 1e-9) - 1), "yes" if n >= math.ceil(1 / p - 1e-9) - 1 else "no")
        for p in _PROMISES
    )
    scores = {f"{k} {one.history.job}": one.scores for k, one in enumerate(done.followed)}
    return Section(
        "False alarms and what can be promised",
        f"The line of alarm, {done.line.value:.2f}, is the split conformal one: at most {done.line.promise:.1%} of "
        f"further healthy jobs like these raise any alarm (wanted: {done.wanted:.0%}). Of these jobs, each judged by "
        f"the line of the others, raised one: {seen}.",
        (
            Picture(
                draw.healthy_scores(scores, done.line.value), "Scores of healthy layers, and the highest of each job."
            ),
            Table(("false-alarm jobs", "healthy jobs that are needed", "there are enough"), rows),
        ),
    )


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
    units = {kind.name: f"{done.unit_of(kind)}{done.size(kind)}" for kind in done.kinds}
    curves = {kind.name: _scaled(done, kind) for kind in done.kinds if kind.name in done.found}
    head = ("defect", "found in half of the jobs", "in nine of ten", "unit", "delay", "jobs")
    return Section(
        "What is found, and how soon",
        "Defects of known amounts were laid into healthy jobs that the detector had not learnt from, on five layers in "
        "a row. Found: an alarm within these. The delay is the median at the largest amount, the first layer counted "
        "in. What a defect leaves in the heat of later layers is not imitated.",
        (
            Picture(draw.detection_curves(curves, units), "Probability of detection; dotted: nine of ten."),
            Table(head, tuple(rows), "Amounts with 95 % intervals by job; the upper end of nine of ten is a90/95."),
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
    return f"below {high:.3g}" if low == 0 else f"{value:.3g} [{low:.3g}, {high:.3g}]"


def _loudest(done: Commissioned) -> Section:
    ranked = sorted(
        ((float(reading.score), one, k) for one in done.followed for k, reading in enumerate(one.readings)),
        key=lambda told: -told[0],
    )
    pictures = []
    for score, one, k in ranked[:_LOUDEST]:
        image, reading = one.history.images[k], one.readings[k]
        if reading.heat is None:
            continue
        text = reading.finding.text if reading.finding else ""
        title = f"{one.history.job} / {image.name}: score {score:.2f}\n{text}"
        pictures.append(
            Picture(heat_figure(image.pixels, image.plan, reading.heat, title), f"{one.history.job}: {text}.")
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
            [done.scale * v for v in one.history.bed],
            [done.scale * v for v in one.history.part],
        )
        for k, one in enumerate(done.followed)
    }
    parts.append(Picture(draw.drift(levels, done.unit), "Mean of bed and part, layer by layer."))
    rows = tuple((one.history.job, str(len(one.readings)), one.history.note) for one in done.followed)
    return Section("Registration and drift", said, (*parts, Table(("job", "layers", "plans"), rows), *_refused(done)))


def _refused(done: Commissioned) -> tuple[Table, ...]:
    rows = tuple((one.history.job, name, reason) for one in done.followed for name, reason in one.history.refused)
    return (Table(("job", "frame", "not used, because"), rows),) if rows else ()
