"""Frames, verdicts, alarms and messages -> a database that has each exactly once, whatever is killed in between."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from sqlalchemy import Connection, Engine, and_, func, insert, select, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from layerwatch.inspection.deliveries import Delivery, Identity, Receipt
from layerwatch.inspection.failpoints import reached
from layerwatch.inspection.journal import rows, spans
from layerwatch.inspection.journal.entries import AlarmEntry, Entry, Frame, Outcome, StoredVerdict
from layerwatch.inspection.journal.tables import alarms, conflicts, frames, jobs, messages, outbox, verdicts
from layerwatch.inspection.messages import Kind, Message, plain
from layerwatch.inspection.spool import Spooled, StorageError
from layerwatch.records import Verdict

_EXPOSED_WITHIN = 60.0  # s after a machine began a layer, by which its frame has come


@dataclass(eq=False)
class Journal:
    """One writer at a time; readers never wait for it in WAL, and for one commit at most elsewhere."""

    engine: Engine
    sinks: Mapping[str, tuple[Kind, ...]] = field(default_factory=dict)  # by name, and what each wants
    _lock: Lock = field(default_factory=Lock)

    def receive(self, delivery: Delivery, spooled: Spooled, now: float | None = None) -> Receipt:
        """Take a frame whose bytes are safe; when this returns, the journal has it.

        Raises:
            StorageError: the database cannot be written.
        """
        now = time.time() if now is None else now
        with self._writing("receive") as connection:
            known = connection.execute(select(frames).where(_is(delivery.identity))).first()
            if known is None:
                number = connection.execute(insert(frames).values(**rows.of_delivery(delivery, spooled, now)))
                if _meet(connection, delivery.identity, now):
                    self._say_began(connection, delivery.identity.printer, delivery.identity.job, now)
                return Receipt("new", _key(number), spooled.sha256)
            if known.sha256 == spooled.sha256:
                return Receipt("duplicate", known.number, spooled.sha256)
            if known.state == "missing" or _is_unreadable(connection, known.number):
                if known.path:
                    _keep_beside(connection, known.number, known.sha256, known.path, now)
                late = rows.of_delivery(delivery, spooled, now)
                connection.execute(update(frames).where(frames.c.number == known.number).values(**late))
                _meet(connection, delivery.identity, now)
                return Receipt("late", known.number, spooled.sha256)
            self._conflict(connection, known.number, delivery, spooled, now)
            return Receipt("conflict", known.number, spooled.sha256)

    def _conflict(self, connection: Connection, frame: int, delivery: Delivery, spooled: Spooled, now: float) -> None:
        """Another frame of the same name: kept beside, and said once."""
        same = and_(conflicts.c.frame == frame, conflicts.c.sha256 == spooled.sha256)
        if connection.execute(select(conflicts.c.number).where(same)).first() is None:
            _keep_beside(connection, frame, spooled.sha256, spooled.path, now)
            identity = delivery.identity
            text = f"layer {identity.layer} came twice with different pixels; the first is judged, both are kept"
            body = {"event": "conflict", "layer": identity.layer, "text": text, "file": spooled.path}
            self._send(connection, [Message("printer", body, identity.printer, identity.job)], now)

    def waiting(self, printer: str, most: int = 1) -> tuple[Frame, ...]:
        """Frames that are still to be judged, in order of arrival."""
        which = and_(frames.c.printer == printer, frames.c.state == "waiting")
        return self._frames(select(frames).where(which).order_by(frames.c.number).limit(most))

    def judged(self, printer: str, job: str) -> tuple[Frame, ...]:
        """Frames of a job that were judged, in the order in which they were; layers that never came are not among."""
        which = and_(frames.c.printer == printer, frames.c.job == job, frames.c.state == "judged")
        both = frames.join(verdicts, verdicts.c.frame == frames.c.number)
        return self._frames(select(frames).select_from(both).where(which).order_by(verdicts.c.message))

    def _frames(self, query: Any) -> tuple[Frame, ...]:
        with self._reading() as connection:
            return tuple(rows.frame_of(row) for row in connection.execute(query))

    def record(self, outcome: Outcome, now: float | None = None) -> tuple[int, ...]:
        """Write what one frame led to, its alarms and messages, in one transaction.

        Returns:
            Numbers of the messages.

        Raises:
            StorageError: the database cannot be written; nothing of it is.
        """
        now = time.time() if now is None else now
        with self._writing("record") as connection:
            numbers = self._send(connection, outcome.messages, now)
            for entry, number in zip(outcome.entries, numbers, strict=False):
                _enter(connection, entry, outcome.printer, number, now)
            for alarm in outcome.alarms:
                _raise(connection, outcome.printer, outcome.job, alarm, now)
            return numbers

    def say(self, told: Sequence[Message], now: float | None = None) -> tuple[int, ...]:
        """Messages that no frame led to; errors as in ``record``."""
        with self._writing("record") as connection:
            return self._send(connection, told, time.time() if now is None else now)

    def set_alarm(
        self, printer: str, job: str, alarm: AlarmEntry, told: Message, now: float | None = None
    ) -> tuple[int, ...]:
        """What an operator did to an alarm, with its message; errors as in ``record``."""
        now = time.time() if now is None else now
        with self._writing("record") as connection:
            _raise(connection, printer, job, alarm, now)
            return self._send(connection, [told], now)

    def began(self, printer: str, job: str, layers: Sequence[int], now: float | None = None) -> None:
        """The machine has begun these layers, whether their frames come or not; errors as in ``record``."""
        now = time.time() if now is None else now
        with self._writing("record") as connection:
            if _meet(connection, Identity(printer, job, 0), now):
                self._say_began(connection, printer, job, now)
            which = and_(jobs.c.printer == printer, jobs.c.job == job)
            body = dict(connection.execute(select(jobs.c.body).where(which)).scalar_one())
            body["layers"] = spans.united(body.get("layers", []), layers)
            connection.execute(update(jobs).where(which).values(body=body))

    def without_frame(self, printer: str, job: str) -> tuple[int, ...]:
        """Layers that the machine began and of which the journal has no row, in order.

        None where no frame of the job came but some of another one did meanwhile: then camera and machine give the
        job different names.
        """
        of_printer, which = frames.c.printer == printer, and_(jobs.c.printer == printer, jobs.c.job == job)
        with self._reading() as connection:
            known = connection.execute(select(jobs).where(which)).first()
            spoken = [] if known is None else known.body.get("layers", [])
            if known is None or not spoken:
                return ()
            came = set(connection.execute(select(frames.c.layer).where(of_printer, frames.c.job == job)).scalars())
            meanwhile = (frames.c.received >= known.began, frames.c.received <= known.last + _EXPOSED_WITHIN)
            other = select(frames.c.number).where(of_printer, *meanwhile).limit(1)
            if not came and connection.execute(other).first() is not None:
                return ()
        return tuple(layer for layer in spans.layers_of(spoken) if layer not in came)

    def _say_began(self, connection: Connection, printer: str, job: str, now: float) -> None:
        text = f"job {job or 'without a name'} began"
        self._send(connection, [Message("job", {"event": "began", "text": text}, printer, job)], now)

    def end(self, printer: str, job: str, body: Mapping[str, Any], told: Sequence[Message], now: float) -> None:
        """A job is over; errors as in ``record``."""
        with self._writing("record") as connection:
            which = and_(jobs.c.printer == printer, jobs.c.job == job)
            connection.execute(update(jobs).where(which).values(ended=now, body=plain(body)))
            self._send(connection, told, now)

    def _send(self, connection: Connection, told: Sequence[Message], now: float) -> tuple[int, ...]:
        numbers = []
        for message in told:
            number = _key(connection.execute(insert(messages).values(**rows.of_message(message, now))))
            for sink, wants in self.sinks.items():
                if message.kind in wants:
                    row = {"sink": sink, "message": number, "tries": 0, "again": 0.0, "reason": ""}
                    connection.execute(insert(outbox).values(**row))
            numbers.append(number)
        return tuple(numbers)

    def verdicts_of(self, printer: str, job: str) -> tuple[StoredVerdict, ...]:
        """Verdicts of a job, in the order in which they were given."""
        which = and_(verdicts.c.printer == printer, verdicts.c.job == job)
        with self._reading() as connection:
            found = connection.execute(select(verdicts).where(which).order_by(verdicts.c.message))
            return tuple(rows.verdict_of_row(row) for row in found)

    def alarms_of(self, printer: str, job: str) -> tuple[AlarmEntry, ...]:
        """Alarms of a job, by number."""
        which = and_(alarms.c.printer == printer, alarms.c.job == job)
        with self._reading() as connection:
            found = connection.execute(select(alarms).where(which).order_by(alarms.c.number))
            return tuple(rows.alarm_of(row) for row in found)

    def jobs_of(self, printer: str | None = None, *, running: bool = False) -> tuple[tuple[str, str, float], ...]:
        """Printer, name and time of the last frame of each job, in the order in which they began."""
        query = select(jobs.c.printer, jobs.c.job, jobs.c.last).order_by(jobs.c.began)
        query = query if printer is None else query.where(jobs.c.printer == printer)
        query = query.where(jobs.c.ended.is_(None)) if running else query
        with self._reading() as connection:
            return tuple((row.printer, row.job, row.last) for row in connection.execute(query))

    def has(self, identity: Identity) -> bool:
        """Whether that frame came."""
        with self._reading() as connection:
            found = connection.execute(select(frames.c.state).where(_is(identity))).first()
            return found is not None and found.state != "missing"

    def identity_of(self, printer: str, digest: str) -> Identity | None:
        """The frame that has this SHA-256, if it came."""
        which = and_(frames.c.printer == printer, frames.c.sha256 == digest)
        found = self._frames(select(frames).where(which).order_by(frames.c.number).limit(1))
        return found[0].identity if found else None

    def told(self, after: int = 0, most: int = 1000, kind: Kind | None = None) -> tuple[Message, ...]:
        """Messages after that number, in order; of one kind, or of all."""
        query = select(messages).where(messages.c.number > after).order_by(messages.c.number).limit(most)
        query = query if kind is None else query.where(messages.c.kind == kind)
        with self._reading() as connection:
            return tuple(rows.message_of(row) for row in connection.execute(query))

    def pending(self, sink: str, now: float, most: int) -> tuple[Message, ...]:
        """What a sink has not taken yet, in order; nothing while its first one waits for another try."""
        both = outbox.join(messages, outbox.c.message == messages.c.number)
        query = select(messages, outbox.c.again).select_from(both).where(outbox.c.sink == sink)
        with self._reading() as connection:
            found = connection.execute(query.order_by(outbox.c.message).limit(most)).all()
        return () if found and found[0].again > now else tuple(rows.message_of(row) for row in found)

    def sent(self, sink: str, numbers: Sequence[int]) -> None:
        """A sink has taken these; errors as in ``record``."""
        with self._writing("sent") as connection:
            connection.execute(outbox.delete().where(and_(outbox.c.sink == sink, outbox.c.message.in_(numbers))))

    def failed(self, sink: str, number: int, reason: str, again: float) -> None:
        """A sink did not take a message; errors as in ``record``."""
        which = and_(outbox.c.sink == sink, outbox.c.message == number)
        with self._writing("sent") as connection:
            told = {"tries": outbox.c.tries + 1, "reason": reason[:500], "again": again}
            connection.execute(update(outbox).where(which).values(**told))

    def counts(self) -> dict[str, int]:
        """Rows by what they are, for whoever looks after the service."""
        with self._reading() as connection:
            tables = {"verdicts": verdicts, "messages": messages, "outbox": outbox, "conflicts": conflicts}
            found = {name: _count(connection, select(func.count()).select_from(t)) for name, t in tables.items()}
            states = connection.execute(select(frames.c.state, func.count()).group_by(frames.c.state)).all()
        return {**found, **{f"frames {state}": int(count) for state, count in states}}

    @contextmanager
    def _writing(self, what: str) -> Iterator[Connection]:
        """One transaction; either all of it is on the disk afterwards, or nothing."""
        try:
            with self._lock, self.engine.connect().execution_options(writes=True) as connection:
                with connection.begin():
                    yield connection
                    reached(f"before {what} commit")
                reached(f"after {what} commit")
        except IntegrityError:
            raise
        except DBAPIError as error:
            raise StorageError(
                f"the journal cannot be written ({error.orig}); make room or mend the database"
            ) from None

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        try:
            with self.engine.connect() as connection:
                yield connection
        except DBAPIError as error:
            raise StorageError(f"the journal cannot be read ({error.orig}); mend the database") from None


def _keep_beside(connection: Connection, frame: int, sha256: str, path: str, now: float) -> None:
    """A second file of a frame, that nothing of it is lost."""
    connection.execute(insert(conflicts).values(frame=frame, sha256=sha256, path=path, received=now))


def _is_unreadable(connection: Connection, frame: int) -> bool:
    """A frame that was judged to be broken: a better one may take its place."""
    found = connection.execute(select(verdicts.c.fault).where(verdicts.c.frame == frame)).first()
    return found is not None and found.fault == "unreadable frame"


def _is(one: Identity) -> Any:
    same = (frames.c.printer == one.printer, frames.c.job == one.job, frames.c.layer == one.layer)
    return and_(*same, frames.c.phase == one.phase, frames.c.shot == one.shot)


def _missing(connection: Connection, printer: str, verdict: Verdict, now: float) -> int | None:
    """Number of the row of a layer whose frame never came; None where one is there."""
    identity = Identity(printer, verdict.job, verdict.layer)
    found = connection.execute(select(frames.c.number, frames.c.state).where(_is(identity))).first()
    if found is not None:
        return int(found.number) if found.state == "missing" else None
    nothing = Delivery(identity, b"", "", verdict.name)
    told = {**rows.of_delivery(nothing, Spooled("", "", 0), now), "state": "missing"}
    return _key(connection.execute(insert(frames).values(**told)))


def _enter(connection: Connection, entry: Entry, printer: str, message: int, now: float) -> None:
    """The verdict on one frame, or on a layer that has none."""
    number = _missing(connection, printer, entry.verdict, now) if entry.frame is None else entry.frame
    if number is None:
        return  # its frame came after all
    if entry.frame is not None:
        connection.execute(update(frames).where(frames.c.number == number).values(state="judged"))
    told = rows.of_entry(entry, printer, message, now)
    if connection.execute(update(verdicts).where(verdicts.c.frame == number).values(**told)).rowcount == 0:
        connection.execute(insert(verdicts).values(frame=number, **told))


def _raise(connection: Connection, printer: str, job: str, alarm: AlarmEntry, now: float) -> None:
    key = and_(alarms.c.printer == printer, alarms.c.job == job, alarms.c.number == alarm.number)
    told = rows.of_alarm(alarm, now)
    if connection.execute(update(alarms).where(key).values(**told)).rowcount == 0:
        place = {"printer": printer, "job": job, "number": alarm.number, "raised": now}
        connection.execute(insert(alarms).values(**place, **told))


def _meet(connection: Connection, one: Identity, now: float) -> bool:
    """A frame of a job has come; whether it is the job's first."""
    which = and_(jobs.c.printer == one.printer, jobs.c.job == one.job)
    if connection.execute(update(jobs).where(which).values(last=now, ended=None)).rowcount:
        return False
    connection.execute(insert(jobs).values(printer=one.printer, job=one.job, began=now, last=now, body={}))
    return True


def _key(done: Any) -> int:
    return int(done.inserted_primary_key[0])


def _count(connection: Connection, query: Any) -> int:
    return int(connection.execute(query).scalar_one())
