"""A journal that is being written -> one view of it at one moment, for whoever reads long."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from layerwatch.inspection.journal.database import mode_of, open_engine
from layerwatch.inspection.spool import StorageError
from layerwatch.records import DataError

_WAIT = 30.0  # s for another connection


@contextmanager
def snapshot(engine: Engine) -> Iterator[Connection]:
    """One transaction that sees the journal as it was when it began, whatever is written meanwhile.

    Nobody who writes is kept waiting: where SQLite has no WAL, a reader would block them, so a copy is read instead.

    Raises:
        StorageError: the database cannot be read.
        DataError: there is no room for the copy.
    """
    try:
        if engine.dialect.name == "postgresql":
            whole = engine.execution_options(isolation_level="REPEATABLE READ")
            with whole.connect() as connection, connection.begin():
                yield connection
        elif mode_of(engine) == "WAL":
            with engine.connect() as connection, connection.begin():
                yield connection
        else:
            with _copied(Path(engine.url.database or "")) as copy, copy.connect() as connection, connection.begin():
                yield connection
    except DBAPIError as error:
        raise StorageError(f"the journal cannot be read ({error.orig}); mend the database") from None


@contextmanager
def _copied(source: Path) -> Iterator[Engine]:
    """An engine on a copy that is made in one go."""
    with tempfile.TemporaryDirectory(prefix="layerwatch-") as folder:
        file = Path(folder) / "journal.db"
        try:
            with closing(sqlite3.connect(source, timeout=_WAIT)) as origin, closing(sqlite3.connect(file)) as copy:
                origin.backup(copy)
        except sqlite3.Error as error:
            text = f"{source} cannot be copied to {folder} ({error}); make room there, or set TMPDIR to another folder"
            raise DataError(text) from None
        engine = open_engine(f"sqlite:///{file}")
        try:
            yield engine
        finally:
            engine.dispose()
