"""A database's URL -> an engine that loses nothing that it has committed, with the journal's tables up to date."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from layerwatch.records import DataError, UsageError

_BUSY = 30.0  # s that a writer waits for another one
_FIXED = ((3, 51, 3), (3, 50, 7), (3, 44, 6))  # versions of SQLite in which a WAL database is safe, newest line first
_NETWORK = {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "fuse.sshfs", "afs", "ceph"}


def journal_mode(version: tuple[int, ...], *, is_network: bool) -> str:
    """WAL only where it is safe, else TRUNCATE.

    SQLite 3.7.0 to 3.51.2 can corrupt a WAL database that two connections write; the fix went into 3.51.3, 3.50.7 and
    3.44.6. WAL needs shared memory, so never on a network disk.
    """
    newest = _FIXED[0]
    is_fixed = version >= newest or any(version[:2] == line[:2] and version >= line for line in _FIXED[1:])
    return "WAL" if is_fixed and not is_network else "TRUNCATE"


def is_on_network(path: Path, mounts: Path = Path("/proc/mounts")) -> bool:
    """Whether a path lies on a disk of another machine, as far as the system tells."""
    try:
        lines = [line.split() for line in mounts.read_text(encoding="utf-8").splitlines()]
    except OSError:
        return False
    place = path.absolute()
    there = [(parts[1], parts[2]) for parts in lines if len(parts) > 2 and place.is_relative_to(parts[1])]
    return bool(there) and max(there, key=lambda one: len(one[0]))[1] in _NETWORK


def open_engine(
    url: str,
    *,
    version: tuple[int, ...] = sqlite3.sqlite_version_info,
    on_network: Callable[[Path], bool] = is_on_network,
) -> Engine:
    """Connect.

    Args:
        url: such as ``sqlite:///data/journal.db`` or ``postgresql+pg8000://user:password@host/name``.
        version: of SQLite.
        on_network: whether a file lies on a network disk.

    Raises:
        UsageError: no such kind of database.
        DataError: it cannot be opened.
    """
    try:
        made = make_url(url)
        kind = made.get_backend_name()
        if kind not in {"sqlite", "postgresql"}:
            raise UsageError(f"{kind}: no database for a journal; give sqlite:///FILE or postgresql+pg8000://...")
        if kind == "postgresql":
            return create_engine(made, pool_pre_ping=True)
        file = Path(made.database or "")
        if not made.database or made.database == ":memory:":
            raise UsageError("a journal in memory would be lost; give sqlite:///FILE")
        file.parent.mkdir(parents=True, exist_ok=True)
        mode = journal_mode(version, is_network=on_network(file))
        engine = create_engine(
            made,
            connect_args={"timeout": _BUSY, "autocommit": sqlite3.LEGACY_TRANSACTION_CONTROL}
            if hasattr(sqlite3, "LEGACY_TRANSACTION_CONTROL")
            else {"timeout": _BUSY},
        )
    except ArgumentError:
        raise UsageError(f"{url!r} is no database URL; give sqlite:///FILE or postgresql+pg8000://...") from None
    except OSError as error:
        raise UsageError(f"{url}: {error.strerror}; give a place that may be written") from None
    _listen(engine, mode)
    return engine


def file_of(url: str) -> Path | None:
    """The file of an SQLite database, which need not be there; None where the URL names another kind.

    Raises:
        UsageError: it is no URL of a database.
    """
    try:
        made = make_url(url)
        return Path(made.database or "") if made.get_backend_name() == "sqlite" else None
    except (ArgumentError, SQLAlchemyError):
        raise UsageError(f"{url!r} is no database URL; give sqlite:///FILE or postgresql+pg8000://...") from None


def _listen(engine: Engine, mode: str) -> None:
    """Every connection syncs each commit to the disk; a write takes its lock at once instead of in the middle."""

    @event.listens_for(engine, "connect")
    def _connected(connection: Any, _: Any) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        try:
            for pragma in (f"journal_mode={mode}", "synchronous=FULL", "foreign_keys=ON"):
                cursor.execute(f"PRAGMA {pragma}")
        finally:
            cursor.close()

    @event.listens_for(engine, "begin")
    def _begun(connection: Any) -> None:
        wants_lock = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if wants_lock else "BEGIN")


def mode_of(engine: Engine) -> str:
    """The journal mode in force, such as WAL; the database's name where it is no SQLite."""
    if engine.dialect.name != "sqlite":
        return str(engine.dialect.name)
    with engine.connect() as connection:
        return str(connection.exec_driver_sql("PRAGMA journal_mode").scalar()).upper()


def checked(engine: Engine) -> str:
    """What the database says of its own state; ``ok`` where it is whole.

    Raises:
        DataError: it cannot be asked.
    """
    try:
        with engine.connect() as connection:
            if engine.dialect.name != "sqlite":
                return "ok" if connection.exec_driver_sql("SELECT 1").scalar() == 1 else "no answer"
            return str(connection.exec_driver_sql("PRAGMA integrity_check").scalar())
    except SQLAlchemyError as error:
        raise DataError(f"the journal cannot be read ({error.__class__.__name__}); restore a backup") from None
