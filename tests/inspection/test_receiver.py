"""Whatever a frame is called, it is kept, judged once, and never ends the receiver."""

from __future__ import annotations

from pathlib import Path
from threading import Event

import pytest
from tests.inspection.crash_child import journal_in

from layerwatch.inspection.deliveries import UNKNOWN, Delivery, Identity
from layerwatch.inspection.receiver import Receiver
from layerwatch.inspection.spool import Spool

STRANGE = {
    "a byte that is no text": (Identity("p", "j", 0), "a\udcff.png"),
    "a zero": (Identity("p", "j", 0), "a\0.png"),
    "a printer that is no text": (Identity("p\udcff", "j", 0), "a.png"),
    "a job with a zero": (Identity("p", "j\0", 0), "a.png"),
    "a layer beyond all numbers": (Identity("p", "j", 2**70), "a.png"),
    "a layer below zero": (Identity("p", "j", -7), "a.png"),
}


@pytest.mark.parametrize("what", STRANGE)
def test_a_frame_with_a_strange_name_is_kept_once(tmp_path: Path, what: str) -> None:
    identity, name = STRANGE[what]
    journal, heard = journal_in(tmp_path), list[str]()
    receiver = Receiver(Spool(tmp_path), journal, Event(), lambda text: None)
    for _ in range(2):
        assert receiver.take(Delivery(identity, b"pixels", ".png", name, acknowledge=lambda r: heard.append(r.word)))
    assert heard == ["new", "duplicate"]
    (kept,) = journal.waiting(identity.printer.replace("\udcff", "\\udcff"), 5)
    assert (tmp_path / kept.path).read_bytes() == b"pixels"
    assert kept.identity.layer in (0, UNKNOWN)
    assert (kept.identity.layer == UNKNOWN) == ("layer" in kept.note)
