"""The facts of a job -> the pictures of its report: layer bar, course of the score, places and defects."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from layerwatch.evaluation.defect_figures import defect_figure
from layerwatch.evaluation.job_figures import Course, Place, defect_places, layer_bar, score_course
from layerwatch.evaluation.report import Picture
from layerwatch.inspection.job_end import Bed
from layerwatch.inspection.journal.job_record import JobLayer, JobRecord
from layerwatch.journeys.reporting.evidence import frame_of, heat_of
from layerwatch.journeys.reporting.facts import Facts, states_by_layer

MOST = 24  # defects with pictures, the largest first
_NO_LAYERS = "the layers of the job, one bar each"


def course_pictures(facts: Facts) -> tuple[tuple[Picture, ...], tuple[Picture, ...]]:
    """The layer bar, and the score against layer; nothing where no layer's number is known."""
    courses = [
        Course(layer, row["state"], _number(row["score"]), _number(row["threshold"]))
        for layer, row in states_by_layer(facts).items()
    ]
    if not courses:
        return (), ()
    bar = Picture(layer_bar(courses), f"{_NO_LAYERS}: {in_words(courses)}")
    text = "score of each layer; the axis is logarithmic above the line where a score is far beyond it"
    return (bar,), (Picture(score_course(courses), text),)


def in_words(courses: Sequence[Course]) -> str:
    """The same as text: runs of layers that are not OK."""
    runs: list[tuple[str, int, int]] = []
    for one in courses:
        if runs and runs[-1][0] == one.state and runs[-1][2] == one.layer - 1:
            runs[-1] = (one.state, runs[-1][1], one.layer)
        else:
            runs.append((one.state, one.layer, one.layer))
    told = [f"{state} {first}" + (f" to {last}" if last > first else "") for state, first, last in runs]
    shown = [text for text, run in zip(told, runs, strict=True) if run[0] != "OK"]
    more = f", and {len(shown) - MOST} more runs" if len(shown) > MOST else ""
    return ", ".join(shown[:MOST]) + more if shown else "all OK"


def bed_of(facts: Facts, bed: Bed | None, heat: Any) -> tuple[float, float] | None:
    """Width and depth that frames show, mm; None where nothing tells."""
    shape = bed.shape if bed is not None else None if heat is None else heat.shape
    scale = facts["mm_per_px"]
    return None if shape is None or scale is None else (shape[1] * scale, shape[0] * scale)


def defect_pictures(facts: Facts, record: JobRecord, bed: Bed | None, folder: Path) -> tuple[Picture, ...]:
    """Each defect at its worst layer, the largest volume first."""
    by_layer: dict[int, JobLayer] = {}
    for one in record.layers:
        if one.verdict is not None and one.verdict.word == "NOK":
            by_layer.setdefault(one.frame.identity.layer, one)
    wanted = sorted(facts["defects"], key=lambda one: (-(one["volume"] or 0), int(one["name"][1:])))[:MOST]
    shown = (_picture(one, facts, by_layer.get(one.get("worst_layer", -1)), bed, folder) for one in wanted)
    return tuple(picture for picture in shown if picture is not None)


def _picture(
    one: Mapping[str, Any], facts: Facts, layer: JobLayer | None, bed: Bed | None, folder: Path
) -> Picture | None:
    if layer is None:
        return None
    frame, heat = frame_of(layer, folder), heat_of(layer, folder)
    size, scale = bed_of(facts, bed, heat), facts["mm_per_px"]
    if size is None or (frame is None and heat is None):
        return None
    top, left, bottom, right = (scale * edge for edge in one["worst_box"])
    unit = facts["unit"]
    where = f"x {one['x']:.1f} mm, y {one['y']:.1f} mm"
    title = f"{one['name']} ({one['level']}) on layer {one['worst_layer']}, {where}"
    return Picture(defect_figure(frame, heat, (left, top, right, bottom), size, unit, title), f"{title}: its worst")


def place_pictures(facts: Facts, bed: Bed | None) -> tuple[Picture, ...]:
    """Where the defects lie, from above and from the side."""
    scale, height = facts["mm_per_px"], facts["layer_height"]
    if not facts["defects"] or scale is None or height is None:
        return ()
    places = [_place(one, scale, height) for one in facts["defects"]]
    size = bed_of(facts, bed, None) or (1.1 * max(p.right for p in places), 1.1 * max(p.far for p in places))
    text = "full frame and C: critical; dashed and m: minor. Boxes hold all of a defect, through all of its layers"
    return (Picture(defect_places(places, bed, *size), text),)


def _place(one: Mapping[str, Any], scale: float, height: float) -> Place:
    top, left, bottom, right = (scale * edge for edge in one["box"])
    low, high = one["first_layer"] * height, (one["last_layer"] + 1) * height
    return Place(one["name"], one["level"] == "critical", left, right, top, bottom, low, high)


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)
