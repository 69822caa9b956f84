"""One job of the journal -> all that is known of it at one moment: frames with verdicts, alarms, what people did."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, and_, select

from layerwatch.inspection.journal import rows
from layerwatch.inspection.journal.entries import AlarmEntry, Frame, StoredVerdict
from layerwatch.inspection.journal.journal import Journal
from layerwatch.inspection.journal.snapshot import snapshot
from layerwatch.inspection.journal.tables import alarms, conflicts, frames, jobs, messages, verdicts
from layerwatch.inspection.messages import Message
from layerwatch.records import UsageError

_SHOWN = 20  # jobs in an error


@dataclass(frozen=True)
class JobLayer:
    """A frame, or a layer whose frame never came, with its verdict."""

    frame: Frame
    size: int  # bytes
    verdict: StoredVerdict | None  # None: it waits
    others: tuple[str, ...] = ()  # SHA-256 of frames that came under the same name with other pixels


@dataclass(frozen=True)
class JobRecord:
    """A job as the journal has it."""

    printer: str
    job: str
    began: float  # s since 1970 in UTC
    last: float  # the same, of the last frame
    ended: float | None  # None: it runs
    layers: tuple[JobLayer, ...]  # by layer
    alarms: tuple[AlarmEntry, ...]  # by number
    audits: tuple[Message, ...]  # what people did to the job's alarms, and to the printer's model before its end


def job_record(journal: Journal, job: str, printer: str = "") -> JobRecord:
    """Look a job up.

    Args:
        journal: that has it.
        job: its name.
        printer: that printed it; empty: whichever did, if only one has a job of that name.

    Raises:
        UsageError: there is no such job, or several printers have one; the message says which there are.
        StorageError: the journal cannot be read.
        DataError: there is no room for a copy of it, where one is needed.
    """
    with snapshot(journal.engine) as view:
        known = view.execute(select(jobs).order_by(jobs.c.began, jobs.c.printer)).all()
        found = [one for one in known if one.job == job and printer in {"", one.printer}]
        if len(found) != 1:
            raise UsageError(_none(job, printer, known) if not found else _several(job, found))
        return _record(view, found[0])


def _record(view: Connection, one: Any) -> JobRecord:
    own = and_(alarms.c.printer == one.printer, alarms.c.job == one.job)
    raised = view.execute(select(alarms).where(own).order_by(alarms.c.number))
    layers, found = _layers(view, one.printer, one.job), tuple(rows.alarm_of(row) for row in raised)
    until = one.last if one.ended is None else one.ended
    did = and_(messages.c.kind == "audit", messages.c.printer == one.printer)
    told = [rows.message_of(row) for row in view.execute(select(messages).where(did).order_by(messages.c.number))]
    audits = tuple(m for m in told if m.job == one.job or (not m.job and m.time <= until))
    return JobRecord(one.printer, one.job, one.began, one.last, one.ended, layers, found, audits)


def _layers(view: Connection, printer: str, job: str) -> tuple[JobLayer, ...]:
    own = and_(frames.c.printer == printer, frames.c.job == job)
    of_job = and_(verdicts.c.printer == printer, verdicts.c.job == job)
    judged = {row.frame: rows.verdict_of_row(row) for row in view.execute(select(verdicts).where(of_job))}
    both = conflicts.join(frames, conflicts.c.frame == frames.c.number)
    others = dict[int, list[str]]()
    for row in view.execute(select(conflicts).select_from(both).where(own).order_by(conflicts.c.number)):
        others.setdefault(row.frame, []).append(row.sha256)
    order = (frames.c.layer, frames.c.phase, frames.c.shot, frames.c.number)
    return tuple(
        JobLayer(rows.frame_of(row), row.size, judged.get(row.number), tuple(others.get(row.number, ())))
        for row in view.execute(select(frames).where(own).order_by(*order))
    )


def _none(job: str, printer: str, known: Any) -> str:
    names = [f"{one.job!r} of {one.printer}" for one in known]
    more = f" and {len(names) - _SHOWN} earlier ones" if len(names) > _SHOWN else ""
    there = "; ".join(names[-_SHOWN:]) + more if names else "none"
    return f"no job {job!r}{f' of the printer {printer!r}' if printer else ''}; jobs of this journal are: {there}"


def _several(job: str, found: Any) -> str:
    return f"{job!r} was printed by {', '.join(one.printer for one in found)}; say which with --printer"
