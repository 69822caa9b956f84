"""What was said of frames and alarms -> rows of the journal and messages to the outside, the same facts in both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from layerwatch.images.archive import encode_png
from layerwatch.inspection.alarm_states import AlarmState
from layerwatch.inspection.alarm_states import as_json as state_json
from layerwatch.inspection.examiner import Judged
from layerwatch.inspection.journal.entries import AlarmEntry, Entry
from layerwatch.inspection.messages import Message, as_json
from layerwatch.verdict.alarm import Change, OpenAlarm
from layerwatch.verdict.objects import Sighting

_MIDDLE, _MOST = 32768, 32767  # level of no deviation in a heat map, and levels to either side


@dataclass(frozen=True)
class HeatMap:
    """A signed heat map as a picture of 16 bits."""

    png: bytes
    unit: float  # detector's unit a level; the middle level, 32768, is 0


def heat_map(heat: np.ndarray) -> HeatMap:
    """Encode; one part in 32767 of the largest deviation is lost at most."""
    largest = float(np.abs(heat).max())
    unit = largest / _MOST if largest > 0 else 1.0
    return HeatMap(encode_png(np.asarray(np.rint(heat / unit) + _MIDDLE, np.uint16)), unit)


def entry_of(judged: Judged, frame: int | None, told: Mapping[str, Any], heat: str, model: str) -> Entry:
    """The row of a verdict."""
    fault = "" if judged.fault is None else judged.fault.kind
    return Entry(judged.verdict, frame, fault, told, heat, model)


def verdict_told(entry: Entry, printer: str, file: str, folder: Path) -> Message:
    """The message of the same; ``folder`` is that of the data."""
    body = {**as_json(entry.verdict), "fault": entry.fault, "model": entry.model, "file": file, "heat": entry.heat}
    seen = {key: value for key, value in entry.told.items() if key != "sightings"}
    places = {"frame": file, "heat": entry.heat}
    blobs = {what: str((folder / place).absolute()) for what, place in places.items() if place}
    return Message("verdict", {**body, **seen}, printer, entry.verdict.job, blobs=blobs)


def alarm_name(printer: str, job: str, number: int) -> str:
    """By which the outside knows an alarm."""
    return f"{printer}/{job}/{number}"


def alarm_body(alarm: OpenAlarm) -> dict[str, Any]:
    """An alarm as plain JSON."""
    told = {key: value for key, value in asdict(alarm).items() if key not in {"objects", "number", "kind"}}
    return {**told, "cause": alarm.kind, "delay": alarm.delay, "objects": [asdict(one) for one in alarm.objects]}


def alarm_entry(change: Change, state: AlarmState) -> AlarmEntry:
    """The row of an alarm after a change."""
    alarm = change.alarm
    return AlarmEntry(
        alarm.number, alarm.kind, alarm.level, state_json(state), change.kind != "cleared", alarm_body(alarm)
    )


def alarm_told(event: str, entry: AlarmEntry, printer: str, job: str) -> Message:
    """The message of an alarm after a change."""
    known = {"event": event, "alarm": alarm_name(printer, job, entry.number), "level": entry.level}
    return Message("alarm", {**entry.body, **known, "state": entry.state}, printer, job)


def sightings_told(sightings: tuple[Sighting, ...]) -> list[list[float]]:
    """What cannot be told from the regions alone: distance to the outline and height of each, in mm."""
    return [[one.edge_mm, one.z] for one in sightings]
