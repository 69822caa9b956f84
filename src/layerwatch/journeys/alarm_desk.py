"""What a person does with an alarm -> its new state in the journal, with a message to every sink."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from layerwatch.inspection.accounts import alarm_name
from layerwatch.inspection.alarm_acts import acted
from layerwatch.inspection.journal.entries import AlarmEntry
from layerwatch.journeys.serve import looked_into


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
    with looked_into(folder, url) as journal:
        return Listed(name, acted(journal, name, action, by=by, comment=comment, minutes=minutes))
