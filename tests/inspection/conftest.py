"""Journals to test with: in an SQLite file, and in a PostgreSQL that the tests start themselves."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine

from layerwatch.inspection.journal.database import open_engine
from layerwatch.inspection.journal.journal import Journal
from layerwatch.inspection.journal.upgrading import bring_up

POSTGRESQL = Path("/usr/lib/postgresql/15/bin")
NUMBERS = count(1)


def run(folder: Path, program: str, *words: str) -> None:
    """One of PostgreSQL's programs, which refuses to be root."""
    before = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.geteuid() == 0 else []
    line = [*before, str(POSTGRESQL / program), *words]
    said = folder / f"{program}.txt"
    with said.open("ab") as file:
        done = subprocess.run(line, cwd=folder, stdin=subprocess.DEVNULL, stdout=file, stderr=file)
    assert done.returncode == 0, f"{line}: {said.read_text()}"


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """URL of a server, without the database's name."""
    if not (POSTGRESQL / "initdb").exists():
        pytest.fail("no PostgreSQL 15 to test with; try: apt-get install postgresql-15")
    folder = Path(tempfile.mkdtemp(prefix="layerwatch-postgresql-"))
    if os.geteuid() == 0:
        user = pwd.getpwnam("postgres")
        os.chown(folder, user.pw_uid, user.pw_gid)
    port, data = free_port(), str(folder / "data")
    settings = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off"
    try:
        run(folder, "initdb", "-D", data, "-U", "layerwatch", "--auth=trust", "-E", "UTF8", "--locale=C", "--no-sync")
        run(folder, "pg_ctl", "-D", data, "-w", "-t", "60", "-l", str(folder / "log"), "-o", settings, "start")
        try:
            yield f"postgresql+pg8000://layerwatch@127.0.0.1:{port}"
        finally:
            run(folder, "pg_ctl", "-D", data, "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def new_database(server: str) -> str:
    """URL of an empty database."""
    name = f"journal{next(NUMBERS)}"
    admin = create_engine(f"{server}/postgres", isolation_level="AUTOCOMMIT")
    try:
        with admin.connect() as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {name}")
    finally:
        admin.dispose()
    return f"{server}/{name}"


@pytest.fixture
def database(postgresql: str) -> str:
    """URL of an empty database on a server."""
    return new_database(postgresql)


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """A database without tables, of either kind."""
    is_file = request.param == "sqlite"
    url = f"sqlite:///{tmp_path}/journal.db" if is_file else new_database(request.getfixturevalue("postgresql"))
    engine = open_engine(url)
    yield engine
    engine.dispose()


@pytest.fixture
def engine(empty: Engine) -> Engine:
    """A database with the journal's tables, of either kind."""
    bring_up(empty)
    return empty


@pytest.fixture
def journal(engine: Engine) -> Journal:
    """An empty journal with one sink, in either kind of database."""
    return Journal(engine, {"line": ("verdict", "alarm", "printer")})


@pytest.fixture
def file_engine(tmp_path: Path) -> Iterator[Engine]:
    """An SQLite file with the journal's tables."""
    engine = open_engine(f"sqlite:///{tmp_path}/journal.db")
    bring_up(engine)
    yield engine
    engine.dispose()
