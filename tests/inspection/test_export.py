"""Export: one JSON document with all that the journal knows."""

from __future__ import annotations

import json

import pytest

from layerwatch.inspection.deliveries import Delivery, Identity
from layerwatch.inspection.journal import export, paging
from layerwatch.inspection.journal.entries import AlarmEntry, Entry, Outcome
from layerwatch.inspection.journal.export import PARTS, document, exported
from layerwatch.inspection.journal.journal import Journal
from layerwatch.inspection.messages import Message
from layerwatch.inspection.spool import Spooled
from layerwatch.records import Verdict


def live(journal: Journal) -> None:
    """Three frames: one judged, one that came twice, one that waits; and a layer that never came."""
    for layer, content in ((1, "a"), (2, "a"), (2, "b"), (3, "a")):
        delivery = Delivery(Identity("P1", "Träger", layer), b"x", ".png", "x.png")
        journal.receive(delivery, Spooled(f"frames/{layer}{content}.png", content * 64, 1), 1.5)
    alarm = AlarmEntry(1, "defect", "minor", {"at": "raised"}, True, {"text": "look"})
    for layer, number in ((1, 1), (4, None)):
        entry = Entry(Verdict("Träger", layer, "NOK", score=2.5), number, model="m")
        journal.record(Outcome("P1", "Träger", (entry,), (alarm,), (Message("verdict", {"layer": layer}, "P1"),)), 2.5)


def test_all_of_it_is_one_json_document(journal: Journal) -> None:
    live(journal)
    told = json.loads("".join(document(journal)))
    assert list(told) == ["schema", *PARTS]
    assert [(one["printer"], one["job"], one["began"], one["ended"]) for one in told["jobs"]] == [
        ("P1", "Träger", 1.5, None)
    ]
    assert [one["layer"] for one in told["layers"]] == [1, 2, 3, 4]
    first, second, third, fourth = told["layers"]
    assert (first["verdict"]["word"], first["verdict"]["body"]["score"], first["verdict"]["judged"]) == (
        "NOK",
        2.5,
        2.5,
    )
    assert (first["conflicts"], second["verdict"], third["verdict"]) == ([], None, None)
    assert second["conflicts"] == [{"sha256": "b" * 64, "path": "frames/2b.png", "received": 1.5}]
    assert (fourth["state"], fourth["path"]) == ("missing", "")
    assert [(one["number"], one["is_open"], one["state"]) for one in told["alarms"]] == [(1, True, {"at": "raised"})]
    assert [one["number"] for one in told["messages"]] == [message.number for message in journal.told()]


def test_every_row_of_a_part_has_the_same_keys(journal: Journal) -> None:
    live(journal)
    keys: dict[str, set[tuple[str, ...]]] = {}
    for row in exported(journal):
        keys.setdefault(row["part"], set()).add(tuple(row))
    assert tuple(keys) == PARTS
    assert all(len(found) == 1 for found in keys.values())


def test_an_empty_journal_is_a_document_too(journal: Journal) -> None:
    assert json.loads("".join(document(journal))) == {"schema": "layerwatch/1", **{part: [] for part in PARTS}}


def test_pages_neither_lose_nor_repeat(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    live(journal)
    whole = list(exported(journal))
    monkeypatch.setattr(export, "paged", lambda engine, query, key: paging.paged(engine, query, key, 1))
    assert list(exported(journal)) == whole


def test_what_comes_meanwhile_is_left_out(journal: Journal) -> None:
    live(journal)
    rows = exported(journal)
    first = next(rows)
    delivery = Delivery(Identity("P1", "later", 9), b"x", ".png", "x.png")
    number = journal.receive(delivery, Spooled("frames/9.png", "c" * 64, 1), 3.0).frame
    journal.record(Outcome("P1", "later", (Entry(Verdict("later", 9, "OK"), number),), (), (Message("verdict", {}),)))
    left = [first, *rows]
    assert {row["layer"] for row in left if row["part"] == "layers"} == {1, 2, 3, 4}
    assert len([row for row in left if row["part"] == "messages"]) == len(journal.told()) - 2


def test_what_is_exported_is_of_one_moment(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paging, "PAGE", 1)
    live(journal)
    rows = exported(journal)
    first = next(rows)
    second = Entry(Verdict("Träger", 3, "OK", score=1.0), 4, model="m")
    alarm = AlarmEntry(2, "defect", "minor", {"at": "raised"}, True, {"text": "new"})
    journal.record(Outcome("P1", "Träger", (second,), (alarm,), (Message("verdict", {"layer": 3}, "P1"),)), 3.5)
    journal.receive(Delivery(Identity("P1", "new", 1), b"x", ".png", "x.png"), Spooled("", "c" * 64, 1), 4.5)
    told = [first, *rows]
    assert [one["number"] for one in told if one["part"] == "alarms"] == [1]
    assert [(one["layer"], one["state"]) for one in told if one["part"] == "layers"][2] == (3, "waiting")
    assert {one["job"] for one in told} == {"Träger", ""}
    assert len([one for one in exported(journal) if one["part"] == "alarms"]) == 2
