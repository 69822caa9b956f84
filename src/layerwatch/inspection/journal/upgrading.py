"""A database of any age -> one with the tables of this version, or a refusal that says what to do."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, inspect
from sqlalchemy.exc import DBAPIError

from layerwatch.records import DataError

MIGRATIONS = Path(__file__).parent / "migrations"
_LOCK = 7_230_411  # any number: that of the lock under which PostgreSQL is brought up


def bring_up(engine: Engine) -> str:
    """Make or change the tables where it is needed, whole or not at all.

    Returns:
        The version that the database has now, such as ``0001``.

    Raises:
        DataError: it is of a newer layerwatch, holds something else, or cannot be written.
    """
    with _changing(engine) as (connection, settings):
        _check(connection, _known(settings))
        command.upgrade(settings, "head")
        return _version(connection)


def take_down(engine: Engine, version: str = "base") -> str:
    """The way back; what only later versions store is dropped. Returns and raises as ``bring_up``."""
    with _changing(engine) as (connection, settings):
        _check(connection, _known(settings))
        command.downgrade(settings, version)
        return _version(connection)


def head() -> str:
    """The version that this layerwatch works with."""
    return str(_scripts(_settings()).get_current_head())


def version_of(engine: Engine) -> str:
    """The version that a database has; empty where it has none.

    Raises:
        DataError: it cannot be read.
    """
    try:
        with engine.connect() as connection:
            return _version(connection)
    except DBAPIError as error:
        raise DataError(f"the journal cannot be read ({error.orig}); mend the database") from None


@contextmanager
def _changing(engine: Engine) -> Iterator[tuple[Connection, Config]]:
    """One transaction that no other process shares."""
    logging.getLogger("alembic").setLevel(logging.WARNING)
    try:
        with engine.connect().execution_options(writes=True) as connection, connection.begin():
            if engine.dialect.name == "postgresql":
                connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
            settings = _settings()
            settings.attributes["connection"] = connection
            yield connection, settings
    except DBAPIError as error:
        text = f"the journal's tables cannot be changed ({error.orig}); mend the database or restore a backup"
        raise DataError(text) from None


def _settings() -> Config:
    settings = Config()
    settings.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    settings.set_main_option("path_separator", "os")
    return settings


def _scripts(settings: Config) -> ScriptDirectory:
    return ScriptDirectory.from_config(settings)


def _known(settings: Config) -> set[str]:
    return {script.revision for script in _scripts(settings).walk_revisions()}


def _version(connection: Connection) -> str:
    return ", ".join(MigrationContext.configure(connection).get_current_heads())


def _check(connection: Connection, known: set[str]) -> None:
    version = _version(connection)
    if version and version not in known:
        raise DataError(
            f"the journal has version {version}, this layerwatch knows {', '.join(sorted(known))}; "
            "install the layerwatch that wrote it, or restore a backup made before"
        )
    if not version and inspect(connection).has_table("frames"):
        raise DataError("the database has a table frames but no version of a journal; give another database")
