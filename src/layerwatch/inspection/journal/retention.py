"""Rules, the time and the free space -> old pictures go, the least telling first, and nothing that is still needed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, Select, and_, exists, func, not_, or_, select, update
from sqlalchemy.exc import DBAPIError

from layerwatch.inspection.journal.paging import paged, reading
from layerwatch.inspection.journal.tables import alarms, conflicts, frames, verdicts
from layerwatch.inspection.spool import FRAMES, HEAT, Spool, StorageError

_DAY = 86400.0  # s
_GB = 1e9  # bytes
_BATCH = 500  # frames in one transaction
_SETTLED = 3600.0  # s after which a file has its row, if it ever gets one
_PLACES = (  # column that names a file, the frame's number, the row's own
    (frames.c.path, frames.c.number, frames.c.number),
    (verdicts.c.heat, verdicts.c.frame, verdicts.c.frame),
    (conflicts.c.path, conflicts.c.frame, conflicts.c.number),
)


@dataclass(frozen=True)
class Retention:
    """How long pictures are kept; rows of the journal stay, and so does every frame that is not judged."""

    ok_days: float = 30.0
    nok_days: float = 365.0  # frames that are NOK, FAULT or came twice with different pixels
    free_gb: float = 5.0  # below it the oldest frames go, all that are OK before any other


@dataclass(frozen=True)
class Expired:
    """What has gone."""

    files: int = 0
    bytes: int = 0

    def __add__(self, other: Expired) -> Expired:
        """Both."""
        return Expired(self.files + other.files, self.bytes + other.bytes)


def expire(engine: Engine, spool: Spool, rules: Retention, now: float, free: Callable[[], int]) -> Expired:
    """Remove frames and heat maps by age, then by need; never those of a job with an open alarm.

    Args:
        engine: of the journal.
        spool: where the files are.
        rules: how long they stay.
        now: s since 1970 in UTC.
        free: bytes that are free on the disk at the moment.

    Raises:
        StorageError: the journal cannot be written or a file cannot be removed; no file goes that a row still names.
    """
    is_ok = _is_ok()
    kinds = ((is_ok, rules.ok_days), (not_(is_ok), rules.nok_days))
    done = Expired()
    for kind, days in kinds:
        done += _remove(engine, spool, and_(kind, _received() < now - days * _DAY), lambda: inf)
    for kind, _ in kinds:
        done += _remove(engine, spool, kind, lambda: rules.free_gb * _GB - free())
    return done


def orphans(engine: Engine, spool: Spool, now: float | None = None, settled: float = _SETTLED) -> tuple[str, ...]:
    """Places of files that no row names, such as a crash leaves; those younger than ``settled`` s may get a row yet.

    Raises:
        StorageError: the journal cannot be read.
    """
    before = (time.time() if now is None else now) - settled
    left = {place for place, changed in _files(spool) if changed <= before}
    for place in _named(engine) if left else ():  # after the files: what came meanwhile has a row
        left.discard(place)
    return tuple(sorted(left))


def _remove(engine: Engine, spool: Spool, which: ColumnElement[bool], short: Callable[[], float]) -> Expired:
    """Oldest first, as long as bytes are short."""
    done, last = Expired(), -1
    while (need := short()) > 0:
        places, last = _forget(engine, which, last, need)
        if last < 0:
            return done
        done += _unlinked(spool, places - _still_named(engine, places))
    return done


def _forget(engine: Engine, which: ColumnElement[bool], after: int, need: float) -> tuple[set[str], int]:
    """Take the files of the next frames out of their rows; returns the places and the last frame, -1 where none is."""
    try:
        with engine.connect().execution_options(writes=True) as connection, connection.begin():
            found = connection.execute(_next(which, after)).all()
            chosen = _enough(found, need)
            return _forgotten(connection, chosen), max((row.number for row in chosen), default=-1)
    except DBAPIError as error:
        raise StorageError(f"the journal cannot be written ({error.orig}); make room or mend the database") from None


def _next(which: ColumnElement[bool], after: int) -> Select[Any]:
    """Frames that may go and still have a file."""
    printers = (frames.c.printer, verdicts.c.printer)
    open_alarm = exists().where(
        alarms.c.printer.in_(printers), alarms.c.job.in_((frames.c.job, verdicts.c.job)), alarms.c.is_open != 0
    )
    second = exists().where(conflicts.c.frame == frames.c.number, conflicts.c.path != "")
    has_file = or_(frames.c.path != "", verdicts.c.heat != "", second)
    query = select(frames.c.number, frames.c.size).join(verdicts, verdicts.c.frame == frames.c.number)
    may_go = and_(frames.c.state == "judged", which, has_file, not_(open_alarm))
    return query.where(frames.c.number > after, may_go).order_by(frames.c.number).limit(_BATCH)


def _is_ok() -> ColumnElement[bool]:
    """Judged OK and sent once; whatever else is evidence."""
    return and_(verdicts.c.word == "OK", not_(exists().where(conflicts.c.frame == frames.c.number)))


def _received() -> ColumnElement[float]:
    """When the last picture of a frame came."""
    second = select(conflicts.c.received).where(conflicts.c.frame == frames.c.number)
    latest = second.order_by(conflicts.c.received.desc()).limit(1).scalar_subquery()
    return func.coalesce(latest, frames.c.received)


def _enough(found: Sequence[Any], need: float) -> list[Any]:
    """As many as hold the bytes that are short, at least one."""
    chosen: list[Any] = []
    for row in found:
        if need <= 0:
            break
        chosen.append(row)
        need -= row.size
    return chosen


def _forgotten(connection: Connection, chosen: Sequence[Any]) -> set[str]:
    numbers = [row.number for row in chosen]
    places: set[str] = set()
    for column, frame, _ in _PLACES:
        these = frame.in_(numbers)
        places.update(connection.execute(select(column).where(these)).scalars())
        connection.execute(update(column.table).where(these).values({column.name: ""}))
    return places - {""}


def _still_named(engine: Engine, places: set[str]) -> set[str]:
    """Files that a row of another frame shares."""
    with reading(engine) as connection:
        queries = (select(column).where(column.in_(places)) for column, _, _ in _PLACES)
        return {place for query in queries for place in connection.execute(query).scalars()}


def _named(engine: Engine) -> Iterator[str]:
    for column, _, key in _PLACES:
        yield from (row[0] for row in paged(engine, select(column).where(column != ""), key))


def _unlinked(spool: Spool, places: set[str]) -> Expired:
    done = Expired()
    for place in sorted(places):
        path = spool.path(place)
        try:
            size = path.stat().st_size
            path.unlink()
        except FileNotFoundError:
            continue
        except OSError as error:
            raise StorageError(f"{place} cannot be removed: {error.strerror}; give the service the right to") from None
        done += Expired(1, size)
    return done


def _files(spool: Spool) -> Iterator[tuple[str, float]]:
    """Places and the times of their last change, s since 1970."""
    for part in (FRAMES, HEAT):
        for path in (spool.folder / part).rglob("*"):
            try:
                told = path.stat()
            except OSError:
                continue  # gone meanwhile
            if path.is_file():
                yield path.relative_to(spool.folder).as_posix(), told.st_mtime
