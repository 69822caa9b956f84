"""A job of the journal with what is known beside it -> the facts of its report as plain JSON, and their SHA-256."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from layerwatch.inspection.accounts import alarm_name
from layerwatch.inspection.job_end import Bed, printed_on
from layerwatch.inspection.journal.entries import AlarmEntry, StoredVerdict
from layerwatch.inspection.journal.job_record import JobLayer, JobRecord
from layerwatch.inspection.messages import plain
from layerwatch.inspection.unpacking import cores_of
from layerwatch.journeys.reporting.surroundings import Surroundings

FORM = "layerwatch build report 1"
HASH = "sha256"
Facts = dict[str, Any]
_MOST_LAYERS = 100_000
_WORST = {"cannot be judged": 3, "critical": 2, "minor": 1, "OK": 0}


def facts_of(record: JobRecord, known: Surroundings) -> tuple[Facts, Bed | None]:
    """All that the report says, and all plans in one; None where no plan is known.

    The value of ``sha256`` is that of all others, written as ``sealed_text`` does.
    """
    verdicts = tuple(one.verdict for one in record.layers if one.verdict is not None)
    found, unplanned, bed = printed_on(verdicts, record.job, known.plans(record.job))
    defects = [_defect(alarm, one, verdicts) for alarm in record.alarms for one in alarm.body.get("objects", ())]
    facts: Facts = {
        "form": FORM,
        "printer": record.printer,
        "job": record.job,
        "began": when(record.began),
        "last_frame": when(record.last),
        "ended": None if record.ended is None else when(record.ended),
        "unit": unit_of(verdicts, known),
        "mm_per_px": scale_of(verdicts),
        "layer_height": height_of(verdicts),
        "models": _models(verdicts, known),
        "layers": [_layer(one, record.alarms) for one in record.layers],
        "defects": [{"name": f"D{number}", **one} for number, one in enumerate(defects, 1)],
        "faults": _faults(record.layers),
        "alarms": [_alarm(one, record) for one in record.alarms],
        "cores": [asdict(one) for one in cores_of(verdicts, record.alarms, found, unplanned)],
        "audit": [{"time": when(one.time), **one.body} for one in record.audits],
    }
    told: Facts = plain(facts)
    told["counts"] = _counts(told)
    return {**told, HASH: seal_of(told)}, bed


def sealed_text(facts: Mapping[str, Any]) -> str:
    """The facts without their SHA-256 as one line of JSON: sorted keys, no blanks, ASCII."""
    rest = {key: value for key, value in facts.items() if key != HASH}
    return json.dumps(rest, sort_keys=True, separators=(",", ":"), allow_nan=False)


def seal_of(facts: Mapping[str, Any]) -> str:
    """Their SHA-256."""
    return hashlib.sha256(sealed_text(facts).encode()).hexdigest()


def when(seconds: float) -> str:
    """A time in UTC, to the millisecond."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def unit_of(verdicts: Sequence[StoredVerdict], known: Surroundings) -> str:
    """K where the camera's span is known, else empty: the detector's own."""
    if known.printer is not None and known.printer.span is not None:
        return "K"
    models = [known.model(told) for told in sorted({one.model for one in verdicts})]
    return "K" if any(one is not None and one.provenance.get("span") for one in models) else ""


def scale_of(verdicts: Sequence[StoredVerdict]) -> float | None:
    """Size of a judged pixel in mm, as the regions tell by their boxes and extents; None: there is no region."""
    for one in verdicts:
        for region in one.body.get("regions", ()):
            top, left, bottom, right = region["box"]
            if region["extent"] and max(bottom - top, right - left) > 0:
                return float(round(float(region["extent"]) / max(bottom - top, right - left), 9))
    return None


def height_of(verdicts: Sequence[StoredVerdict]) -> float | None:
    """Height of a layer in mm, as the sightings tell by their z; None: there is no sighting."""
    for one in verdicts:
        for _, z in one.body.get("sightings", ()):
            if z is not None and one.layer >= 0:
                return round(float(z) / (one.layer + 1), 6)
    return None


def _layer(one: JobLayer, alarms: Sequence[AlarmEntry]) -> Facts:
    frame, verdict = one.frame, one.verdict
    body: Mapping[str, Any] = {} if verdict is None else verdict.body
    identity = frame.identity
    return {
        "layer": identity.layer,
        "phase": identity.phase,
        "shot": identity.shot,
        "state": _state(verdict, alarms),
        "word": "" if verdict is None else verdict.word,
        **{key: body.get(key) for key in ("score", "threshold", "p_value")},
        "fault": "" if verdict is None else verdict.fault,
        "reason": body.get("reason", "not judged yet"),
        "regions": body.get("regions", []),
        "model": "" if verdict is None else verdict.model,
        "judged": None if verdict is None else when(verdict.judged),
        "frame": frame.name,
        "frame_sha256": frame.sha256,
        "bytes": one.size,
        "received": when(frame.received) if frame.sha256 else None,
        "exposed": None if frame.exposed is None else when(frame.exposed),
        "others_sha256": list(one.others),
    }


def _state(verdict: StoredVerdict | None, alarms: Sequence[AlarmEntry]) -> str:
    """OK, minor, critical or cannot be judged; a NOK layer is as bad as the alarms of defects that it is part of."""
    if verdict is None or verdict.word == "FAULT":
        return "cannot be judged"
    if verdict.word == "OK":
        return "OK"
    levels = [
        one.level
        for one in alarms
        if one.kind == "defect" and one.body["first_layer"] <= verdict.layer <= one.body["last_layer"]
    ]
    return "critical" if "critical" in levels else "minor"


def states_by_layer(facts: Facts) -> dict[int, Facts]:
    """The worst frame of each layer whose number is known, and numbers between them of which there is none."""
    found: dict[int, Facts] = {}
    for row in facts["layers"]:
        old = found.get(row["layer"])
        if row["layer"] >= 0 and (old is None or _WORST[row["state"]] > _WORST[old["state"]]):
            found[row["layer"]] = row
    nothing = {"state": "cannot be judged", "score": None, "threshold": None}
    if not found or max(found) - min(found) > _MOST_LAYERS:  # a number that no job reaches
        return dict(sorted(found.items()))
    numbers = range(min(found), max(found) + 1)
    return {layer: found.get(layer, {"layer": layer, **nothing}) for layer in numbers}


def _defect(alarm: AlarmEntry, one: Mapping[str, Any], verdicts: Sequence[StoredVerdict]) -> Facts:
    kept = {key: value for key, value in one.items() if key != "number"}
    worst = worst_region(one, verdicts)
    told = {} if worst is None else {"worst_layer": worst[0], "worst_box": list(worst[1]["box"])}
    return {"alarm": alarm.number, "level": alarm.level, **kept, **told}


def worst_region(one: Mapping[str, Any], verdicts: Sequence[StoredVerdict]) -> tuple[int, Mapping[str, Any]] | None:
    """Layer and region of a defect where amplitude times area is largest; None where no verdict has one."""
    top, left, bottom, right = one["box"]
    found = [
        (verdict.layer, region)
        for verdict in verdicts
        if one["first_layer"] <= verdict.layer <= one["last_layer"]
        for region in verdict.body.get("regions", ())
        if top <= region["box"][0] and left <= region["box"][1]
        if region["box"][2] <= bottom and region["box"][3] <= right
    ]
    return max(
        found, key=lambda pair: (abs(pair[1]["amplitude"] or 0) * (pair[1]["area"] or 0), -pair[0]), default=None
    )


def _faults(layers: Sequence[JobLayer]) -> list[Facts]:
    """Layers that could not be judged, in runs of the same fault."""
    runs: list[Facts] = []
    for one in layers:
        if one.verdict is None or one.verdict.word != "FAULT":
            continue
        layer, kind = one.frame.identity.layer, one.verdict.fault
        if runs and runs[-1]["fault"] == kind and layer - runs[-1]["last_layer"] in {0, 1}:
            runs[-1]["last_layer"], runs[-1]["frames"] = layer, runs[-1]["frames"] + 1
            continue
        text = one.verdict.body.get("reason", "")
        runs.append({"fault": kind, "first_layer": layer, "last_layer": layer, "frames": 1, "text": text})
    return runs


def _alarm(one: AlarmEntry, record: JobRecord) -> Facts:
    keys = ("text", "first_layer", "raised_layer", "last_layer", "score")
    known = {"name": alarm_name(record.printer, record.job, one.number), "kind": one.kind, "level": one.level}
    state = {**one.state, "at": when(float(one.state.get("at") or 0))}
    return {**known, **{key: one.body.get(key) for key in keys}, "is_open": one.is_open, "state": state}


def _models(verdicts: Sequence[StoredVerdict], known: Surroundings) -> list[Facts]:
    """Each model with each line that it judged by."""
    found: dict[tuple[str, float | None], Facts] = {}
    for one in verdicts:
        line = one.body.get("threshold")
        model = known.model(one.model)
        name, full = one.model.rpartition("@")[0] or one.model, "" if model is None else model.sha256
        smallest = "" if model is None else model.smallest
        fresh = {"model": name, "told": one.model, "weights_sha256": full, "threshold": line, "smallest": smallest}
        row = found.setdefault((one.model, line), {**fresh, "first_layer": one.layer, "frames": 0})
        row["first_layer"], row["last_layer"] = (
            min(row["first_layer"], one.layer),
            max(row.get("last_layer", one.layer), one.layer),
        )
        row["frames"] += 1
    return [row for (_, line), row in found.items() if line is not None and not math.isnan(line)]


def _counts(facts: Facts) -> dict[str, int]:
    states = [one["state"] for one in states_by_layer(facts).values()]
    words = [one["word"] for one in facts["layers"]]
    cores = [one["word"] for one in facts["cores"]]
    return {
        "layers": len(states),
        **{f"layers {word}": words.count(word) for word in ("OK", "NOK", "FAULT")},
        "frames waiting": words.count(""),
        **{state: states.count(state) for state in _WORST},
        "alarms": len(facts["alarms"]),
        "alarms open": sum(one["is_open"] for one in facts["alarms"]),
        "defects": len(facts["defects"]),
        **{f"cores {word}": cores.count(word) for word in ("OK", "NOK", "not judged")},
    }
