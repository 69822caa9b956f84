"""Migrations: they make what the code asks for, forth, back and forth again, and refuse what they do not know (R11)."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, insert, inspect, select

from layerwatch.inspection.deliveries import Delivery, Identity
from layerwatch.inspection.journal import upgrading
from layerwatch.inspection.journal.database import open_engine
from layerwatch.inspection.journal.journal import Journal
from layerwatch.inspection.journal.tables import frames, jobs, metadata
from layerwatch.inspection.journal.upgrading import bring_up, take_down, version_of
from layerwatch.inspection.spool import Spooled
from layerwatch.records import DataError


def receive(engine: Engine, layer: int) -> int:
    delivery = Delivery(Identity("P1", "job", layer), b"x", ".png", "x.png")
    return Journal(engine).receive(delivery, Spooled("frames/x.png", "a" * 64, 1), 1.0).frame


def names(engine: Engine) -> set[str]:
    return set(inspect(engine).get_table_names()) - {"alembic_version"}


def test_the_migrations_make_what_the_code_asks_for(empty: Engine) -> None:
    assert version_of(empty) == ""
    assert bring_up(empty) == upgrading.head() == version_of(empty)
    with empty.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, metadata) == []


def test_sqlite_gets_the_very_same_tables_as_from_the_code(file_engine: Engine, tmp_path: Path) -> None:
    other = open_engine(f"sqlite:///{tmp_path}/other.db")
    metadata.create_all(other)
    told = []
    for one in (file_engine, other):
        with one.connect() as connection:
            rows = connection.exec_driver_sql("SELECT name, sql FROM sqlite_master WHERE name NOT LIKE 'alembic%'")
            found = {name: "".join((sql or "").split()) for name, sql in rows if not name.startswith("sqlite_auto")}
            told.append(found)
    other.dispose()
    assert told[0] == told[1]


def test_rows_stay_when_it_is_brought_up_again(engine: Engine) -> None:
    number = receive(engine, 3)
    assert bring_up(engine) == upgrading.head()
    assert [one.number for one in Journal(engine).waiting("P1", 5)] == [number]


def test_forth_with_rows_back_and_forth_again(engine: Engine) -> None:
    receive(engine, 3)
    assert take_down(engine) == ""
    assert names(engine) == set()
    assert bring_up(engine) == upgrading.head()
    assert names(engine) == set(metadata.tables)
    receive(engine, 4)
    assert [one.identity.layer for one in Journal(engine).waiting("P1", 5)] == [4]


def test_a_newer_database_is_refused_and_left_alone(engine: Engine) -> None:
    receive(engine, 3)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    for change in (bring_up, take_down):
        with pytest.raises(DataError, match=r"9999.*install the layerwatch that wrote it"):
            change(engine)
    assert len(Journal(engine).waiting("P1")) == 1


def test_a_database_of_somebody_else_is_refused(empty: Engine) -> None:
    frames.create(empty)
    with pytest.raises(DataError, match="another database"):
        bring_up(empty)


def test_a_migration_that_fails_leaves_nothing(empty: Engine) -> None:
    jobs.create(empty)
    with empty.begin() as connection:
        connection.execute(insert(jobs).values(printer="P", job="j", began=0.0, last=0.0, body={}))
    with pytest.raises(DataError, match="cannot be changed"):
        bring_up(empty)
    assert names(empty) == {"jobs"}
    assert version_of(empty) == ""
    with empty.connect() as connection:
        assert len(connection.execute(select(jobs)).all()) == 1
