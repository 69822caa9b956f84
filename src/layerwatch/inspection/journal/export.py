"""The journal -> plain JSON of all that it knows, a row at a time, so that its size does not matter."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, Table, select

from layerwatch.inspection.journal.journal import Journal
from layerwatch.inspection.journal.paging import paged
from layerwatch.inspection.journal.snapshot import snapshot
from layerwatch.inspection.journal.tables import alarms, conflicts, frames, jobs, messages, verdicts
from layerwatch.inspection.messages import SCHEMA, plain

PARTS = ("jobs", "layers", "alarms", "messages")
_FRAME = tuple(column.name for column in frames.columns)
_VERDICT = ("word", "fault", "body", "heat", "model", "judged", "message")


def exported(journal: Journal) -> Iterator[dict[str, Any]]:
    """Every job, layer, alarm and message, in this order; the key ``part`` says which of ``PARTS`` a row is of.

    All of it is of one moment; what comes while it runs is left out. A layer's ``verdict`` is null where it has none;
    numbers are the journal's.

    Raises:
        StorageError: the journal cannot be read.
        DataError: there is no room for a copy of it, where one is needed.
    """
    with snapshot(journal.engine) as view:
        yield from ({"part": "jobs", **row} for row in _whole(view, jobs))
        second = _conflicts(view)
        for row in paged(view, _layers(), frames.c.number):
            yield {"part": "layers", **_layer(row), "conflicts": second.get(row.number, [])}
        yield from ({"part": "alarms", **row} for row in _whole(view, alarms))
        for row in paged(view, select(messages), messages.c.number):
            yield {"part": "messages", **_named(row, messages)}


def document(journal: Journal) -> Iterator[str]:
    """The same as pieces of one JSON text: an object with a list for each of ``PARTS``; raises as ``exported``."""
    yield f'{{"schema": {json.dumps(SCHEMA)}'
    left = list(PARTS)
    for part, rows in groupby(exported(journal), key=lambda row: row["part"]):
        while left[0] != part:
            yield f',\n"{left.pop(0)}": []'
        yield f',\n"{left.pop(0)}": ['
        for number, row in enumerate(rows):
            del row["part"]
            yield (",\n" if number else "\n") + json.dumps(row, sort_keys=True, allow_nan=False)
        yield "]"
    yield "".join(f',\n"{part}": []' for part in left) + "}\n"


def _whole(view: Connection, table: Table) -> list[dict[str, Any]]:
    """A short table, in order of its key."""
    return [_named(row, table) for row in view.execute(select(table).order_by(*table.primary_key))]


def _named(row: Any, table: Table) -> dict[str, Any]:
    told: dict[str, Any] = plain({column.name: row._mapping[column.name] for column in table.columns})
    if "is_open" in told:
        told["is_open"] = bool(told["is_open"])
    return told


def _layers() -> Any:
    """Frames beside their verdicts."""
    found = [verdicts.c[name].label(f"verdict_{name}") for name in _VERDICT]
    return select(frames, *found).outerjoin_from(frames, verdicts, verdicts.c.frame == frames.c.number)


def _layer(row: Any) -> dict[str, Any]:
    told = plain({name: row._mapping[name] for name in _FRAME})
    found = plain({name: row._mapping[f"verdict_{name}"] for name in _VERDICT})
    return {**told, "verdict": None if found["message"] is None else found}


def _conflicts(view: Connection) -> dict[int, list[dict[str, Any]]]:
    """Frames that came again with other pixels, by number of the first; few, so all at once."""
    found: dict[int, list[dict[str, Any]]] = {}
    for row in paged(view, select(conflicts), conflicts.c.number):
        found.setdefault(row.frame, []).append({"sha256": row.sha256, "path": row.path, "received": row.received})
    return found
