"""What a person does with an alarm reaches the journal, the audit and every sink."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from layerwatch.inspection.alarm_states import AlarmState, as_json
from layerwatch.inspection.deliveries import Delivery, Identity
from layerwatch.inspection.journal.entries import AlarmEntry
from layerwatch.inspection.messages import Message
from layerwatch.inspection.receiver import Receiver
from layerwatch.inspection.sinks.console import Console
from layerwatch.inspection.spool import Spool
from layerwatch.journeys.alarm_desk import act, alarms
from layerwatch.journeys.serve import open_journal
from layerwatch.records import UsageError

NAME = "p/j/1"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder with one open alarm."""
    from threading import Event

    journal = open_journal(tmp_path, {"console": Console()})
    receiver = Receiver(Spool(tmp_path), journal, Event(), lambda text: None)
    assert receiver.take(Delivery(Identity("p", "j", 1), b"frame", ".png", "n"))
    state = as_json(AlarmState(at=time.time()))
    entry = AlarmEntry(1, "defect", "critical", state, True, {"text": "defect on part 1", "objects": []})
    journal.set_alarm("p", "j", entry, Message("alarm", {"event": "raised", "text": "x"}, "p", "j"))
    journal.engine.dispose()
    return tmp_path


def test_acknowledged_it_is_told_to_the_sinks_and_kept_in_the_audit(data: Path) -> None:
    assert [one.name for one in alarms(data)] == [NAME]
    done = act(data, NAME, "acknowledge", by="Kim", comment="seen")
    assert "acknowledged by Kim" in done.text
    journal = open_journal(data)
    told = [(one.kind, one.body.get("event")) for one in journal.told()]
    assert told[-2:] == [("alarm", "acknowledged"), ("audit", "acknowledge")]
    pending = [one.kind for one in journal.pending("console", time.time(), 100)]
    assert pending[-2:] == ["alarm", "audit"]
    assert json.dumps(alarms(data)[0].entry.state)


def test_shelved_it_has_an_end_and_what_cannot_be_is_refused(data: Path) -> None:
    shelved = act(data, NAME, "shelve", by="Kim", minutes=30)
    assert shelved.entry.state["until"] == pytest.approx(time.time() + 1800, abs=60)
    with pytest.raises(UsageError, match="acknowledge"):
        act(data, NAME, "acknowledge", by="Kim")
    with pytest.raises(UsageError, match="no alarm"):
        act(data, "p/j/2", "acknowledge", by="Kim")
    with pytest.raises(UsageError, match="--by"):
        act(data, NAME, "acknowledge", by=" ")
