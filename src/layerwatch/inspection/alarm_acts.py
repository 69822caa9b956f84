"""What a person does with an alarm -> its new state in the journal, a message to every sink, a line of the audit."""

from __future__ import annotations

import time
from dataclasses import replace

from layerwatch.inspection.accounts import alarm_name, alarm_told
from layerwatch.inspection.alarm_states import AlarmState, as_json, moved, state_from
from layerwatch.inspection.journal.entries import AlarmEntry
from layerwatch.inspection.journal.journal import Journal
from layerwatch.inspection.journal.overview import SeenAlarm, seen_alarms
from layerwatch.inspection.messages import Message
from layerwatch.records import UsageError

EVENTS = {"acknowledge": "acknowledged", "shelve": "shelved", "unshelve": "raised"}


def found_alarm(journal: Journal, name: str) -> SeenAlarm:
    """The alarm that the outside knows by this name.

    Raises:
        UsageError: there is none.
    """
    for one in seen_alarms(journal):
        if alarm_name(one.printer, one.job, one.entry.number) == name:
            return one
    raise UsageError(f"no alarm {name!r}; `layerwatch alarms list --all` names them")


def acted(journal: Journal, name: str, action: str, *, by: str, comment: str = "", minutes: float = 0.0) -> AlarmEntry:
    """Acknowledge, shelve, unshelve or comment an alarm.

    Args:
        journal: that has it.
        name: of the alarm, such as ``printer-1/job-7/1``.
        action: acknowledge, shelve, unshelve or comment.
        by: who does it.
        comment: why; a comment alone leaves the alarm in its state.
        minutes: for which it is shelved.

    Returns:
        The alarm after it.

    Raises:
        UsageError: no such alarm, nothing that can be done with it now, or nobody did it.
        StorageError: the journal cannot be written.
    """
    if not by.strip():
        raise UsageError(f"{action} without a name; say who does it with --by")
    found, now = found_alarm(journal, name), time.time()
    before = state_from(found.entry.state)
    state = _after(before, action, now, by, comment, minutes)
    entry = replace(found.entry, state=as_json(state))
    what = {"event": action, "who": by, "what": name, "before": before.state, "after": state.state}
    audit = Message("audit", {**what, "text": comment or f"{by}: {action}"}, found.printer, found.job)
    if action in EVENTS:
        told = alarm_told(EVENTS[action], entry, found.printer, found.job)
        journal.set_alarm(found.printer, found.job, entry, told, now)
    journal.say([audit], now)
    return entry


def _after(before: AlarmState, action: str, now: float, by: str, comment: str, minutes: float) -> AlarmState:
    if action == "comment":
        if not comment.strip():
            raise UsageError("a comment without words; say something")
        return before  # kept by the audit alone: who moved the alarm, and when, stays as it is
    if action not in EVENTS:
        raise UsageError(f"no action {action!r}; there are: {', '.join(EVENTS)}, comment")
    return moved(before, action, at=now, by=by, comment=comment, until=now + 60 * minutes)
