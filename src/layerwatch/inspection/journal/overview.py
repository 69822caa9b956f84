"""A journal -> what a page shows of it: jobs with their counts, one layer, alarms, the last words; one query each.

Nothing is copied and nobody who writes waits for longer than one query.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, and_, case, func, select
from sqlalchemy.exc import DBAPIError

from layerwatch.inspection.journal import rows
from layerwatch.inspection.journal.entries import AlarmEntry, Frame, StoredVerdict
from layerwatch.inspection.journal.journal import Journal
from layerwatch.inspection.journal.tables import alarms, frames, jobs, messages, verdicts
from layerwatch.inspection.messages import Message
from layerwatch.inspection.spool import StorageError


@dataclass(frozen=True)
class JobCounts:
    """A job in one line."""

    printer: str
    job: str
    began: float  # s since 1970 in UTC
    last: float  # the same, of the last frame
    ended: float | None  # None: it runs
    ok: int
    nok: int
    fault: int
    alarms: int
    unpack: str = ""  # place of the unpack list in the data folder; empty while the job runs

    @property
    def layers(self) -> int:
        """That have a verdict."""
        return self.ok + self.nok + self.fault


@dataclass(frozen=True)
class SeenLayer:
    """A frame, or a layer whose frame never came, with its verdict if it has one."""

    frame: Frame
    verdict: StoredVerdict | None


@dataclass(frozen=True)
class SeenAlarm:
    """An alarm with the job that it is of."""

    printer: str
    job: str
    raised: float  # s since 1970 in UTC
    entry: AlarmEntry


def job_counts(journal: Journal, printer: str = "", job: str | None = None) -> tuple[JobCounts, ...]:
    """Jobs with the newest first: of all printers, of one, or the one of that name."""
    words = {word: func.sum(case((verdicts.c.word == word, 1), else_=0)) for word in ("OK", "NOK", "FAULT")}
    own, raised = [jobs.c.printer == printer] if printer else [], (alarms.c.printer, alarms.c.job)
    own += [] if job is None else [jobs.c.job == job]
    judged = select(verdicts.c.printer, verdicts.c.job, *words.values()).group_by(verdicts.c.printer, verdicts.c.job)
    judged = judged.where(verdicts.c.printer == printer) if printer else judged
    judged = judged if job is None else judged.where(verdicts.c.job == job)
    with _looking(journal) as view:
        count = {(one[0], one[1]): tuple(map(int, one[2:])) for one in view.execute(judged)}
        told = {(one[0], one[1]): one[2] for one in view.execute(select(*raised, func.count()).group_by(*raised))}
        found = view.execute(select(jobs).where(*own).order_by(jobs.c.began.desc(), jobs.c.printer)).all()
    return tuple(
        _counted(one, count.get((one.printer, one.job), (0, 0, 0)), told.get((one.printer, one.job), 0))
        for one in found
    )


def _counted(one: Any, words: tuple[int, ...], raised: int) -> JobCounts:
    """The row of a job with its verdicts by word, OK, NOK and FAULT."""
    ok, nok, fault = words
    unpack = str(one.body.get("unpack", ""))
    return JobCounts(one.printer, one.job, one.began, one.last, one.ended, ok, nok, fault, raised, unpack)


def layers_of_job(journal: Journal, printer: str, job: str) -> tuple[SeenLayer, ...]:
    """Every frame and missing layer of a job, by layer."""
    own = and_(frames.c.printer == printer, frames.c.job == job)
    of_job = and_(verdicts.c.printer == printer, verdicts.c.job == job)
    order = (frames.c.layer, frames.c.phase, frames.c.shot, frames.c.number)
    with _looking(journal) as view:
        judged = {row.frame: rows.verdict_of_row(row) for row in view.execute(select(verdicts).where(of_job))}
        found = [rows.frame_of(row) for row in view.execute(select(frames).where(own).order_by(*order))]
    return tuple(SeenLayer(one, judged.get(one.number)) for one in found)


def layer_of_job(journal: Journal, printer: str, job: str, layer: int) -> SeenLayer | None:
    """One layer of a job; where several frames are of it, the last that came. None where there is none."""
    own = and_(frames.c.printer == printer, frames.c.job == job, frames.c.layer == layer)
    with _looking(journal) as view:
        found = view.execute(select(frames).where(own).order_by(frames.c.number.desc()).limit(1)).first()
        if found is None:
            return None
        told = view.execute(select(verdicts).where(verdicts.c.frame == found.number)).first()
    return SeenLayer(rows.frame_of(found), None if told is None else rows.verdict_of_row(told))


def last_verdicts(journal: Journal, printer: str, job: str, most: int = 1) -> tuple[StoredVerdict, ...]:
    """The last verdicts of a job, the latest first."""
    of_job = and_(verdicts.c.printer == printer, verdicts.c.job == job)
    query = select(verdicts).where(of_job).order_by(verdicts.c.message.desc()).limit(most)
    with _looking(journal) as view:
        return tuple(rows.verdict_of_row(row) for row in view.execute(query))


def frame_counts(journal: Journal, printer: str) -> dict[str, int]:
    """Frames of a printer by state: waiting, judged, missing."""
    query = select(frames.c.state, func.count()).where(frames.c.printer == printer).group_by(frames.c.state)
    with _looking(journal) as view:
        return {str(one[0]): int(one[1]) for one in view.execute(query)}


def seen_alarms(
    journal: Journal, printer: str = "", job: str | None = None, *, every: bool = True
) -> tuple[SeenAlarm, ...]:
    """Alarms of all printers, of one, or of one job, the newest first; without ``every`` the open ones."""
    own = [alarms.c.printer == printer] if printer else []
    own += [] if job is None else [alarms.c.job == job]
    own += [] if every else [alarms.c.is_open == 1]
    query = select(alarms).where(*own).order_by(alarms.c.raised.desc(), alarms.c.number.desc())
    with _looking(journal) as view:
        return tuple(SeenAlarm(row.printer, row.job, row.raised, rows.alarm_of(row)) for row in view.execute(query))


def audits_of(journal: Journal, printer: str = "", job: str | None = None) -> tuple[Message, ...]:
    """What people did, in order: to everything, to a printer and its jobs, or to one job."""
    own = [messages.c.printer == printer] if printer else []
    own += [] if job is None else [messages.c.job == job]
    with _looking(journal) as view:
        found = view.execute(select(messages).where(messages.c.kind == "audit", *own).order_by(messages.c.number))
        return tuple(rows.message_of(row) for row in found)


def last_number(journal: Journal) -> int:
    """Of the journal's last message; 0 where there is none."""
    with _looking(journal) as view:
        return int(view.execute(select(func.max(messages.c.number))).scalar() or 0)


@contextmanager
def _looking(journal: Journal) -> Iterator[Connection]:
    try:
        with journal.engine.connect() as connection:
            yield connection
    except DBAPIError as error:
        raise StorageError(f"the journal cannot be read ({error.orig}); mend the database") from None
