"""What a person does with an alarm -> its new state in the journal, with a message to every sink."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path

from layerwatch.inspection.accounts import alarm_name, alarm_told
from layerwatch.inspection.alarm_states import as_json, moved, state_from
from layerwatch.inspection.journal.entries import AlarmEntry
from layerwatch.inspection.journal.journal import Journal
from layerwatch.inspection.messages import Message
from layerwatch.journeys.serve import looked_into
from layerwatch.records import UsageError

_EVENTS = {"acknowledge": "acknowledged", "shelve": "shelved", "unshelve": "raised"}


@dataclass(frozen=True)
class Listed:
    """One alarm as a person sees it."""

    name: str
    entry: AlarmEntry

    @property
    def text(self) -> str:
        """In one line."""
        state, body = self.entry.state, self.entry.body
        who = f" by {state['by']}" if state.get("by") else ""
        return f"{self.name}  {self.entry.level}, {state['state']}{who}: {body['text']}"


def alarms(folder: Path, url: str = "", *, every: bool = False) -> tuple[Listed, ...]:
    """The open alarms, or all.

    Args:
        folder: of the data.
        url: of the database; empty: ``journal.db`` in the folder.
        every: cleared ones as well.

    Raises:
        UsageError: no service has run there.
    """
    with looked_into(folder, url) as journal:
        found = [(p, j, entry) for p, j, _ in journal.jobs_of() for entry in journal.alarms_of(p, j)]
    return tuple(Listed(alarm_name(p, j, entry.number), entry) for p, j, entry in found if every or entry.is_open)


def act(
    folder: Path, name: str, action: str, *, by: str, comment: str = "", minutes: float = 0.0, url: str = ""
) -> Listed:
    """Acknowledge, shelve or unshelve an alarm; the audit says who did.

    Args:
        folder: of the data.
        name: of the alarm, as ``alarms`` gives it.
        action: acknowledge, shelve or unshelve.
        by: who does it.
        comment: why.
        minutes: for which it is shelved.
        url: of the database; empty: ``journal.db`` in the folder.

    Raises:
        UsageError: no such alarm, or nothing that can be done with it now.
    """
    if not by.strip():
        raise UsageError(f"{action} without a name; say who does it with --by")
    with looked_into(folder, url) as journal:
        return _acted(journal, name, action, by, comment, minutes)


def _acted(journal: Journal, name: str, action: str, by: str, comment: str, minutes: float) -> Listed:
    now = time.time()
    for printer, job, _ in journal.jobs_of():
        for entry in journal.alarms_of(printer, job):
            if alarm_name(printer, job, entry.number) == name:
                before = state_from(entry.state)
                state = moved(before, action, at=now, by=by, comment=comment, until=now + 60 * minutes)
                after = replace(entry, state=as_json(state))
                what = {"event": action, "who": by, "what": name, "before": before.state, "after": state.state}
                journal.set_alarm(printer, job, after, alarm_told(_EVENTS[action], after, printer, job), now)
                journal.say([Message("audit", {**what, "text": comment or f"{by}: {action}"}, printer, job)], now)
                return Listed(name, after)
    raise UsageError(f"no alarm {name!r}; `layerwatch alarms list --all` names them")
