"""The journal -> plain JSON of all that it knows, a row at a time, so that its size does not matter."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import groupby
from typing import Any

from sqlalchemy import Table, func, select

from layerwatch.inspection.journal.journal import Journal
from layerwatch.inspection.journal.paging import paged, reading
from layerwatch.inspection.journal.tables import alarms, conflicts, frames, jobs, messages, verdicts
from layerwatch.inspection.messages import SCHEMA, plain

PARTS = ("jobs", "layers", "alarms", "messages")
_FRAME = tuple(column.name for column in frames.columns)
_VERDICT = ("word", "fault", "body", "heat", "model", "judged", "message")


def exported(journal: Journal) -> Iterator[dict[str, Any]]:
    """Every job, layer, alarm and message, in this order; the key ``part`` says which of ``PARTS`` a row is of.

    What comes while it runs is left out. A layer's ``verdict`` is null where it has none; numbers are the journal's.

    Raises:
        StorageError: the journal cannot be read.
    """
    last_frame, last_message, last_conflict = _ends(journal)
    yield from ({"part": "jobs", **row} for row in _whole(journal, jobs))
    second = _conflicts(journal, last_conflict)
    for row in paged(journal.engine, _layers().where(frames.c.number <= last_frame), frames.c.number):
        yield {"part": "layers", **_layer(row, last_message), "conflicts": second.get(row.number, [])}
    yield from ({"part": "alarms", **row} for row in _whole(journal, alarms))
    for row in paged(journal.engine, select(messages).where(messages.c.number <= last_message), messages.c.number):
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


def _ends(journal: Journal) -> tuple[int, ...]:
    """Last numbers of frames, messages and conflicts at one moment."""
    columns = (frames.c.number, messages.c.number, conflicts.c.number)
    with reading(journal.engine) as connection:
        ends = [select(func.coalesce(func.max(column), 0)).scalar_subquery() for column in columns]
        return tuple(connection.execute(select(*ends)).one())


def _whole(journal: Journal, table: Table) -> list[dict[str, Any]]:
    """A short table, in order of its key."""
    with reading(journal.engine) as connection:
        return [_named(row, table) for row in connection.execute(select(table).order_by(*table.primary_key))]


def _named(row: Any, table: Table) -> dict[str, Any]:
    told: dict[str, Any] = plain({column.name: row._mapping[column.name] for column in table.columns})
    if "is_open" in told:
        told["is_open"] = bool(told["is_open"])
    return told


def _layers() -> Any:
    """Frames beside their verdicts."""
    found = [verdicts.c[name].label(f"verdict_{name}") for name in _VERDICT]
    return select(frames, *found).outerjoin_from(frames, verdicts, verdicts.c.frame == frames.c.number)


def _layer(row: Any, last: int) -> dict[str, Any]:
    told = plain({name: row._mapping[name] for name in _FRAME})
    found = plain({name: row._mapping[f"verdict_{name}"] for name in _VERDICT})
    is_there = found["message"] is not None and found["message"] <= last
    return {**told, "verdict": found if is_there else None}


def _conflicts(journal: Journal, last: int) -> dict[int, list[dict[str, Any]]]:
    """Frames that came again with other pixels, by number of the first; few, so all at once."""
    found: dict[int, list[dict[str, Any]]] = {}
    for row in paged(journal.engine, select(conflicts).where(conflicts.c.number <= last), conflicts.c.number):
        found.setdefault(row.frame, []).append({"sha256": row.sha256, "path": row.path, "received": row.received})
    return found
