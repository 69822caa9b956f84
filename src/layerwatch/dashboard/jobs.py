"""Jobs of the journal -> a list of them, and one with all its layers, alarms and cores."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

from layerwatch.dashboard import alarms
from layerwatch.dashboard.desk import Desk, NotThereError, SeenPrinter
from layerwatch.inspection.journal.overview import (
    JobCounts,
    SeenAlarm,
    SeenLayer,
    audits_of,
    job_counts,
    layers_of_job,
    seen_alarms,
)
from layerwatch.inspection.messages import plain
from layerwatch.inspection.reading import no_plans

Level = Literal["ok", "minor", "critical", "unjudged"]
_TOLD = ("score", "threshold", "p_value", "reason", "regions")


def listed(desk: Desk, printer: str) -> list[dict[str, Any]]:
    """Jobs of a printer, or of all, the newest first."""
    return [{**asdict(one), "layers": one.layers} for one in job_counts(desk.journal, printer)]


def shown(desk: Desk, printer: str, job: str) -> dict[str, Any]:
    """One job as plain JSON.

    Raises:
        NotThereError: there is none of that name.
    """
    counts = found_job(desk, printer, job)
    layers, raised = layers_of_job(desk.journal, printer, job), seen_alarms(desk.journal, printer, job)
    seen = next((one for one in desk.printers if one.name == printer), None)
    grave = _grave(raised)
    rows = [_layer(one, grave, has_plan=seen is not None and _has_plans(seen)) for one in layers]
    judged = [one.verdict for one in layers if one.verdict is not None]
    about = {"model": judged[-1].model if judged else "", "threshold": judged[-1].verdict.threshold if judged else None}
    told: dict[str, Any] = plain(
        {
            "printer": printer,
            "job": job,
            "began": counts.began,
            "last": counts.last,
            "ended": counts.ended,
            **about,
            **_scales(seen),
            "size": _size(seen),
            "layers": rows,
            "alarms": alarms.shown(desk, raised[::-1], audits_of(desk.journal, printer, job)),
            "cores": _cores(desk.folder, counts.unpack),
        }
    )
    return told


def found_job(desk: Desk, printer: str, job: str) -> JobCounts:
    """A job in one line; errors as in ``shown``."""
    found = job_counts(desk.journal, printer, job)
    if not found:
        raise NotThereError(f"no job {job!r} of the printer {printer!r}")
    return found[0]


def level_of(one: SeenLayer, grave: Iterable[tuple[int, int]]) -> Level:
    """How bad a layer is: critical where a critical alarm goes over it."""
    if one.verdict is None or one.verdict.word == "FAULT":
        return "unjudged"
    if one.verdict.word == "OK":
        return "ok"
    layer = one.frame.identity.layer
    return "critical" if any(first <= layer <= last for first, last in grave) else "minor"


def _grave(raised: Sequence[SeenAlarm]) -> list[tuple[int, int]]:
    """First and last layer of each critical alarm."""
    found = [one.entry.body for one in raised if one.entry.level == "critical"]
    return [(body["first_layer"], body["last_layer"]) for body in found]


def _layer(one: SeenLayer, grave: list[tuple[int, int]], *, has_plan: bool) -> dict[str, Any]:
    frame, stored = one.frame, one.verdict
    body = {} if stored is None else stored.body
    told = {key: body.get(key) for key in _TOLD}
    kinds = {"word": "" if stored is None else stored.word, "fault": "" if stored is None else stored.fault}
    has = {"has_frame": bool(frame.path), "has_heat": stored is not None and bool(stored.heat), "has_plan": has_plan}
    place = {"layer": frame.identity.layer, "phase": frame.identity.phase, "shot": frame.identity.shot}
    known = {**place, **kinds, "level": level_of(one, grave), **told, **has, "time": frame.exposed or frame.received}
    return {**known, "regions": told["regions"] or [], "reason": told["reason"] or ("waits" if stored is None else "")}


def _has_plans(seen: SeenPrinter) -> bool:
    return seen.inspected().reader.plans is not no_plans


def _scales(seen: SeenPrinter | None) -> dict[str, Any]:
    """Line and scales of the printer as it is now; nothing is known of one that is served no more."""
    if seen is None:
        return {"line": None, "promise": "", "mm_per_px": None, "layer_height": None, "unit": ""}
    now = seen.inspected()
    known = {"line": now.rules.line, "promise": seen.promise, "unit": now.rules.unit}
    return {**known, "mm_per_px": now.reader.judged_mm_per_px, "layer_height": now.layer_height}


def _size(seen: SeenPrinter | None) -> list[int] | None:
    """Width and height in px that are judged, where the model says them."""
    size = None if seen is None else seen.inspected().examiner.size
    return None if size is None else [size[1], size[0]]


def _cores(folder: Path, unpack: str) -> list[dict[str, Any]]:
    """The unpack list of a job that is over."""
    if not unpack:
        return []
    try:
        with (folder / unpack).open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
    except OSError:
        return []
    return [
        {
            "part": int(row["part"]),
            "word": row["word"],
            "worst": row.get("worst", ""),
            "level": row.get("level", ""),
            "x": _number(row.get("x")),
            "y": _number(row.get("y")),
        }
        for row in rows
    ]


def _number(text: str | None) -> float | None:
    try:
        return float(text or "nan")
    except ValueError:
        return None
