"""The journal and the data folder -> findings: what is well, what will not be well for long, what is broken."""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sqlalchemy import Engine, func, select
from sqlalchemy.exc import SQLAlchemyError

from layerwatch.inspection.journal import upgrading
from layerwatch.inspection.journal.database import checked, is_on_network, journal_mode, mode_of
from layerwatch.inspection.journal.paging import paged, reading
from layerwatch.inspection.journal.retention import orphans
from layerwatch.inspection.journal.tables import frames, messages, outbox
from layerwatch.inspection.spool import Spool
from layerwatch.records import DataError, counted

Word = Literal["ok", "warn", "fail"]
_SAMPLE = 200  # frames whose content is read
_LATE = 600.0  # s that a frame or a message may wait
_AHEAD = 60.0  # s that the newest row may lie in the future
_FIRST_TIME = 1_767_225_600.0  # s since 1970: 2026 began; a clock before that was never set
_SHOWN = 3  # names in a text


@dataclass(frozen=True)
class Finding:
    """What one look has found."""

    name: str
    word: Word
    text: str
    advice: str = ""  # what to do; empty where all is well


def check_up(
    engine: Engine,
    spool: Spool,
    *,
    now: float | None = None,
    free_gb: float = 5.0,
    deep: bool = False,
    free: Callable[[Path], int] = lambda folder: shutil.disk_usage(folder).free,
) -> tuple[Finding, ...]:
    """Look at everything that a service stands on; changes nothing.

    Args:
        engine: of the journal.
        spool: where the files are.
        now: s since 1970 in UTC.
        free_gb: below it the disk is called full.
        deep: read every frame instead of a sample.
        free: bytes that are free where a folder lies.
    """
    now = time.time() if now is None else now
    looks: dict[str, Callable[[], Finding]] = {
        "disk": lambda: _disk(spool, free, free_gb),
        "data folder": lambda: _writable(spool),
        "database": lambda: _whole(engine),
        "journal mode": lambda: _mode(engine),
        "tables": lambda: _tables(engine),
        "frames": lambda: _frames(engine, spool, deep),
        "orphans": lambda: _orphans(engine, spool, now),
        "waiting": lambda: _waiting(engine, now),
        "outbox": lambda: _outbox(engine, now),
        "clock": lambda: _clock(engine, now),
    }
    return tuple(_looked(name, look) for name, look in looks.items())


def _looked(name: str, look: Callable[[], Finding]) -> Finding:
    """A look that itself fails is a finding."""
    try:
        return look()
    except (DataError, SQLAlchemyError, OSError) as error:
        told = getattr(error, "orig", None) or error  # what the database itself says
        return Finding(name, "fail", f"cannot be looked at: {told}", "mend what is broken above, then look again")


def _disk(spool: Spool, free: Callable[[Path], int], free_gb: float) -> Finding:
    left = free(spool.folder) / 1e9
    text = f"{left:.1f} GB free at {spool.folder}"
    if left >= free_gb:
        return Finding("disk", "ok", text)
    word: Word = "fail" if left < free_gb / 10 else "warn"
    return Finding("disk", word, text, f"make room, at least {free_gb:g} GB, or keep frames for fewer days")


def _writable(spool: Spool) -> Finding:
    try:
        with tempfile.NamedTemporaryFile(dir=spool.folder, suffix=".partial") as file:
            file.write(b"layerwatch")
    except OSError as error:
        advice = "make the folder, give the service the right to write there, or mend the disk"
        return Finding("data folder", "fail", f"{spool.folder}: {error.strerror}", advice)
    return Finding("data folder", "ok", f"{spool.folder} can be written")


def _whole(engine: Engine) -> Finding:
    said = checked(engine)
    if said == "ok":
        return Finding("database", "ok", f"{engine.url.render_as_string()} is whole")
    return Finding("database", "fail", said, "stop the service and restore the latest backup")


def _mode(engine: Engine) -> Finding:
    if engine.dialect.name != "sqlite":
        return Finding("journal mode", "ok", engine.dialect.name)
    mode, version = mode_of(engine), sqlite3.sqlite_version
    network = is_on_network(Path(engine.url.database or ""))
    wanted = journal_mode(sqlite3.sqlite_version_info, is_network=network)
    broken = "versions to 3.51.2 may corrupt WAL; 3.51.3, 3.50.7 and 3.44.6 do not"
    reason = "on a network disk" if network else broken if wanted == "TRUNCATE" else "a version in which WAL is safe"
    text = f"{mode} with SQLite {version}: {reason}"
    if mode == wanted:
        return Finding("journal mode", "ok", text)
    return Finding("journal mode", "fail", text, f"stop all that has the file open and start again; wanted: {wanted}")


def _tables(engine: Engine) -> Finding:
    version, head = upgrading.version_of(engine), upgrading.head()
    if version == head:
        return Finding("tables", "ok", f"version {version}")
    text = f"version {version or 'none'}, this layerwatch works with {head}"
    return Finding("tables", "fail", text, "start the service once, it brings them up; if it refuses, do what it says")


def _frames(engine: Engine, spool: Spool, deep: bool) -> Finding:
    """Files that are not there, and files that are not as they came."""
    with_file = frames.c.path != ""
    with reading(engine) as connection:
        number = int(connection.execute(select(func.count()).where(with_file)).scalar_one())
    every = 1 if deep else max(number // _SAMPLE, 1)
    gone: list[str] = []
    changed: list[str] = []
    query = select(frames.c.path, frames.c.sha256).where(with_file)
    for index, row in enumerate(paged(engine, query, frames.c.number)):
        file = spool.path(row.path)
        if not file.is_file():
            gone.append(row.path)
        elif index % every == 0 and _sha256(file) != row.sha256:
            changed.append(row.path)
    return _frames_found(number, -(-number // every), gone, changed)


def _frames_found(number: int, read: int, gone: list[str], changed: list[str]) -> Finding:
    advice = "look at the disk (dmesg, smartctl) and bring the files back from a backup"
    bad = [f"{len(names)} {what}: {_some(names)}" for what, names in (("gone", gone), ("changed", changed)) if names]
    if bad:
        return Finding("frames", "fail", f"of {counted(number, 'file')} {'; '.join(bad)}", advice)
    there = counted(number, "file is", "files are")
    return Finding("frames", "ok", f"{there} there, {read} of them read and as they came")


def _orphans(engine: Engine, spool: Spool, now: float) -> Finding:
    found = orphans(engine, spool, now)
    if not found:
        return Finding("orphans", "ok", "the journal knows every file")
    text = f"the journal knows nothing of {counted(len(found), 'file')}: {_some(found)}"
    return Finding(
        "orphans", "warn", text, "a crash left them, nobody was told that they are safe; they may be removed"
    )


def _waiting(engine: Engine, now: float) -> Finding:
    waits = frames.c.state == "waiting"
    query = select(func.count(), func.min(frames.c.received)).where(waits)
    with reading(engine) as connection:
        number, first = connection.execute(query).one()
    waits_for = counted(number, "frame waits", "frames wait")
    text = f"{waits_for} to be judged" + (f", the first for {now - first:.0f} s" if number else "")
    if not number or now - first <= _LATE:
        return Finding("waiting", "ok", text)
    return Finding("waiting", "warn", text, "see that the service runs, and in its log why it judges nothing")


def _outbox(engine: Engine, now: float) -> Finding:
    both = outbox.join(messages, messages.c.number == outbox.c.message)
    query = select(outbox.c.sink, func.count(), func.min(messages.c.time), func.max(outbox.c.reason)).select_from(both)
    with reading(engine) as connection:
        found = connection.execute(query.group_by(outbox.c.sink).order_by(outbox.c.sink)).all()
    stuck = [(sink, number, reason) for sink, number, first, reason in found if now - first > _LATE]
    if not stuck:
        number = sum(row[1] for row in found)
        return Finding("outbox", "ok", f"{counted(number, 'message is', 'messages are')} on the way")
    text = "; ".join(
        f"{sink} has not taken {counted(number, 'message')} ({reason or 'no reason'})" for sink, number, reason in stuck
    )
    return Finding(
        "outbox", "warn", text, "see that the receivers run and can be reached; nothing is lost, all is sent again"
    )


def _clock(engine: Engine, now: float) -> Finding:
    advice = "set the clock and let chrony or systemd-timesyncd keep it"
    if now < _FIRST_TIME:
        return Finding("clock", "fail", f"it is {_time(now)} by this machine's clock", advice)
    with reading(engine) as connection:
        times = [
            connection.execute(select(func.max(column))).scalar() for column in (frames.c.received, messages.c.time)
        ]
    newest = max((float(one) for one in times if one is not None), default=now)
    if newest > now + _AHEAD:
        return Finding(
            "clock", "warn", f"the journal's newest row is of {_time(newest)}, it is {_time(now)} now", advice
        )
    return Finding("clock", "ok", _time(now))


def _sha256(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest()
    except OSError:
        return ""  # it is there and cannot be read


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (", ..." if len(names) > _SHOWN else "")


def _time(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(seconds))
