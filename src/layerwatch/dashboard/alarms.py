"""Alarms of the journal -> what a page shows of them, and what a person does with them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from layerwatch.dashboard.desk import Desk, NotThereError
from layerwatch.inspection.accounts import alarm_name
from layerwatch.inspection.alarm_acts import acted, found_alarm
from layerwatch.inspection.journal.overview import SeenAlarm, seen_alarms
from layerwatch.inspection.messages import plain
from layerwatch.records import UsageError

_OBJECT = ("x", "y", "area", "volume", "amplitude", "part", "layers", "extent", "first_layer", "last_layer")


def listed(desk: Desk, *, every: bool) -> list[dict[str, Any]]:
    """Alarms of all printers, the newest first; without ``every`` the open ones."""
    return [told(desk, one) for one in seen_alarms(desk.journal, every=every)]


def told(desk: Desk, one: SeenAlarm) -> dict[str, Any]:
    """One alarm as plain JSON; objects with z0 and z1, mm, from the first layer's bottom to the last one's top."""
    entry, body, state = one.entry, one.entry.body, one.entry.state
    height = next((p.inspected().layer_height for p in desk.printers if p.name == one.printer), None)
    known = {key: body.get(key) for key in ("text", "first_layer", "raised_layer", "last_layer", "score")}
    moved = {key: state.get(key) for key in ("state", "by", "comment", "at", "until")}
    place = {"name": alarm_name(one.printer, one.job, entry.number), "printer": one.printer, "job": one.job}
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
    return told(desk, replace(found, entry=entry))


def _object(found: dict[str, Any], height: float | None) -> dict[str, Any]:
    known = {key: found.get(key) for key in _OBJECT}
    if height is None:
        return {**known, "z0": None, "z1": None}
    return {**known, "z0": found["first_layer"] * height, "z1": (found["last_layer"] + 1) * height}
