"""A journal that is being written -> a whole copy of it in one file, and back."""

from __future__ import annotations

import os
import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from sqlalchemy import Engine

from layerwatch.records import DataError, UsageError

_WAIT = 30.0  # s for another connection
_BESIDE = ("-journal", "-wal", "-shm")  # what SQLite keeps beside a file and would apply to another one of its name


def back_up(engine: Engine, folder: Path, now: float | None = None) -> Path:
    """Copy the journal while the service writes; all that was committed before the call is in the copy.

    Returns:
        The copy, named by the time in UTC.

    Raises:
        UsageError: the database is no SQLite file.
        DataError: the copy cannot be made or is not whole; nothing half-written stays.
    """
    if engine.dialect.name != "sqlite":
        raise UsageError(f"a journal in {engine.dialect.name} is copied by its own program: pg_dump --format=custom")
    source = Path(engine.url.database or "")
    target = _free(folder, time.strftime("journal-%Y%m%dT%H%M%SZ", time.gmtime(now)))
    with _named_when_whole(target) as partial, closing(_opened(source)) as origin:
        with closing(sqlite3.connect(partial, timeout=_WAIT)) as copy:
            origin.backup(copy)  # in one go: a copy in steps starts again whenever somebody writes
            copy.execute("PRAGMA journal_mode=DELETE")
        check_whole(partial)
    return target


def restore(backup: Path, target: Path, *, overwrite: bool = False) -> Path | None:
    """Put a copy in the place of a journal that no service has open; the old one is moved aside, never removed.

    Returns:
        Where the old journal is now, such as ``journal.db.before-restore-1``; None where there was none.

    Raises:
        UsageError: there is a journal already and it was not said to put another one in its place.
        DataError: the copy is not whole or no journal, or it cannot be written; the old one is as it was.
    """
    check_whole(backup)
    if target.exists() and not overwrite:
        text = "stop the service and say to overwrite it (--force moves it aside), or give another place"
        raise UsageError(f"{target} is there already; {text}")
    aside = None
    with _named_when_whole(target) as partial:
        shutil.copyfile(backup, partial)
        check_whole(partial)
        if target.exists():
            aside = _moved_aside(target)
        for ending in _BESIDE:
            target.with_name(target.name + ending).unlink(missing_ok=True)
    return aside


def _moved_aside(target: Path) -> Path:
    """The journal under another name, together with what SQLite keeps beside it."""
    number = 1
    while (aside := target.with_name(f"{target.name}.before-restore-{number}")).exists():
        number += 1
    target.rename(aside)
    for ending in _BESIDE:
        with suppress(FileNotFoundError):
            target.with_name(target.name + ending).rename(aside.with_name(aside.name + ending))
    return aside


def check_whole(file: Path) -> None:
    """Nothing, where a file is a journal and whole.

    Raises:
        DataError: it is not.
    """
    try:
        with closing(_opened(file)) as connection:
            found = str(connection.execute("PRAGMA integrity_check").fetchone()[0])
            tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    except sqlite3.Error as error:
        raise DataError(f"{file}: no whole journal ({error}); take another backup") from None
    if found != "ok":
        raise DataError(f"{file}: not whole ({found}); take another backup")
    if not {"frames", "verdicts", "messages"} <= tables:
        raise DataError(f"{file}: no journal of layerwatch; give a file that a backup made")


def _opened(file: Path) -> sqlite3.Connection:
    """A connection that makes no file where there is none."""
    return sqlite3.connect(f"{file.absolute().as_uri()}?mode=rw", uri=True, timeout=_WAIT)


def _free(folder: Path, name: str) -> Path:
    """A file that is not there yet."""
    number = 0
    while (folder / (file := f"{name}-{number}.db" if number else f"{name}.db")).exists():
        number += 1
    return folder / file


@contextmanager
def _named_when_whole(target: Path) -> Iterator[Path]:
    """A file beside that gets its name when the block is through, or goes."""
    partial = target.with_name(f"{target.name}.{os.getpid()}.partial")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        yield partial
        for path in (partial, target.parent):
            _sync(path)
        partial.replace(target)
        _sync(target.parent)
    except (OSError, sqlite3.Error) as error:
        raise DataError(f"{target} cannot be written ({error}); make room or give another folder") from None
    finally:
        for ending in ("", *_BESIDE):
            with suppress(OSError):
                partial.with_name(partial.name + ending).unlink(missing_ok=True)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
