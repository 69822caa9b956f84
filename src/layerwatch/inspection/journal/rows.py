"""Rows of the journal's tables <-> the records that the other files speak of."""

from __future__ import annotations

from typing import Any

from layerwatch.inspection.deliveries import Delivery, Identity
from layerwatch.inspection.journal.entries import AlarmEntry, Entry, Frame, StoredVerdict
from layerwatch.inspection.messages import Message, as_json, plain
from layerwatch.inspection.spool import Spooled


def of_delivery(delivery: Delivery, spooled: Spooled, now: float) -> dict[str, Any]:
    """The row of a frame that waits."""
    one = delivery.identity
    named = {"printer": one.printer, "job": one.job, "layer": one.layer, "phase": one.phase, "shot": one.shot}
    kept = {"sha256": spooled.sha256, "path": spooled.path, "size": spooled.size}
    known = {"name": delivery.name, "received": now, "exposed": delivery.exposed, "note": delivery.unidentified}
    return {**named, **kept, **known, "state": "waiting"}


def frame_of(row: Any) -> Frame:
    """A row of frames."""
    identity = Identity(row.printer, row.job, row.layer, row.phase, row.shot)
    return Frame(row.number, identity, row.sha256, row.path, row.name, row.received, row.exposed, row.note, row.state)


def of_entry(entry: Entry, printer: str, message: int, now: float) -> dict[str, Any]:
    """The row of a verdict, but for its frame."""
    verdict = entry.verdict
    return {
        "printer": printer,
        "job": verdict.job,
        "layer": verdict.layer,
        "word": verdict.word,
        "fault": entry.fault,
        "body": {**as_json(verdict), **plain(entry.told)},
        "heat": entry.heat,
        "model": entry.model,
        "judged": now,
        "message": message,
    }


def verdict_of_row(row: Any) -> StoredVerdict:
    """A row of verdicts."""
    return StoredVerdict(
        row.frame, row.printer, row.word, row.layer, row.fault, row.body, row.heat, row.model, row.judged
    )


def of_alarm(alarm: AlarmEntry, now: float) -> dict[str, Any]:
    """The row of an alarm, but for its key."""
    told = {"kind": alarm.kind, "level": alarm.level, "state": plain(alarm.state), "body": plain(alarm.body)}
    return {**told, "is_open": int(alarm.is_open), "changed": now}


def alarm_of(row: Any) -> AlarmEntry:
    """A row of alarms."""
    return AlarmEntry(row.number, row.kind, row.level, row.state, bool(row.is_open), row.body)


def of_message(message: Message, now: float) -> dict[str, Any]:
    """The row of a message that gets its number there."""
    told = {"kind": message.kind, "printer": message.printer, "job": message.job}
    return {**told, "time": now, "body": plain(message.body), "blobs": dict(message.blobs)}


def message_of(row: Any) -> Message:
    """A row of messages."""
    return Message(row.kind, row.body, row.printer, row.job, row.number, row.time, row.blobs)
