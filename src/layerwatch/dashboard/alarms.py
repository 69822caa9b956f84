"""Alarms of the journal -> what a page shows of them, and what a person does with them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from layerwatch.dashboard.desk import Desk, NotThereError
from layerwatch.inspection.accounts import alarm_name
from layerwatch.inspection.alarm_acts import EVENTS, acted, found_alarm
from layerwatch.inspection.journal.overview import SeenAlarm, audits_of, seen_alarms
from layerwatch.inspection.messages import Message, plain
from layerwatch.records import UsageError

ACTS = (*EVENTS, "comment")
_OBJECT = ("x", "y", "area", "volume", "amplitude", "part", "layers", "extent", "first_layer", "last_layer")


def listed(desk: Desk, *, every: bool) -> list[dict[str, Any]]:
    """Alarms of all printers, the newest first; without ``every`` the open ones."""
    return shown(desk, seen_alarms(desk.journal, every=every), audits_of(desk.journal))


def shown(desk: Desk, found: Sequence[SeenAlarm], audits: Iterable[Message]) -> list[dict[str, Any]]:
    """Alarms as plain JSON, each with what people did to it."""
    acts = dict[str, list[dict[str, Any]]]()
    for one in audits:
        if one.body.get("event") in ACTS:
            told = {"action": one.body["event"], "by": one.body.get("who", ""), "at": one.time}
            acts.setdefault(str(one.body.get("what")), []).append({**told, "text": one.body.get("text", "")})
    return [_told(desk, one, acts) for one in found]


def _told(desk: Desk, one: SeenAlarm, acts: Mapping[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """One alarm as plain JSON; objects with z0 and z1, mm, from the first layer's bottom to the last one's top."""
    entry, body, state = one.entry, one.entry.body, one.entry.state
    height = next((p.inspected().layer_height for p in desk.printers if p.name == one.printer), None)
    known = {key: body.get(key) for key in ("text", "first_layer", "raised_layer", "last_layer", "score")}
    moved = {key: state.get(key) for key in ("state", "by", "comment", "at", "until")}
    name = alarm_name(one.printer, one.job, entry.number)
    place = {"name": name, "acts": acts.get(name, []), "printer": one.printer, "job": one.job}
    kinds = {"number": entry.number, "level": entry.level, "cause": body.get("cause", entry.kind)}
    objects = [_object(found, height) for found in body.get("objects", ())]
    told: dict[str, Any] = plain(
        {**place, **kinds, **moved, **known, "raised": one.raised, "is_open": entry.is_open, "objects": objects}
    )
    return told


def act(desk: Desk, name: str, action: str, by: str, comment: str, minutes: float) -> dict[str, Any]:
    """Do it; returns the alarm after it.

    Raises:
        NotThereError: no such alarm.
        UsageError: it cannot be done with it now.
    """
    with desk.acting:
        try:
            found = found_alarm(desk.journal, name)
        except UsageError:
            raise NotThereError(f"no alarm {name!r}; it may be of another journal") from None
        entry = acted(desk.journal, name, action, by=by, comment=comment, minutes=minutes)
    audits = audits_of(desk.journal, found.printer, found.job)
    return shown(desk, [replace(found, entry=entry)], audits)[0]


def _object(found: dict[str, Any], height: float | None) -> dict[str, Any]:
    known = {key: found.get(key) for key in _OBJECT}
    if height is None:
        return {**known, "z0": None, "z1": None}
    return {**known, "z0": found["first_layer"] * height, "z1": (found["last_layer"] + 1) * height}
