"""Backup while the service writes, and back: all that was acknowledged before is in the copy (R12)."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from threading import Event, Thread

import pytest
from sqlalchemy import Engine, create_engine

from layerwatch.inspection.deliveries import Delivery, Identity
from layerwatch.inspection.journal.backup import back_up, check_whole, restore
from layerwatch.inspection.journal.database import open_engine
from layerwatch.inspection.journal.journal import Journal
from layerwatch.inspection.journal.upgrading import bring_up
from layerwatch.inspection.messages import Message
from layerwatch.inspection.spool import Spooled
from layerwatch.records import DataError, UsageError


def receive(journal: Journal, layer: int) -> int:
    delivery = Delivery(Identity("P1", "job", layer), b"x", ".png", f"{layer}.png")
    return journal.receive(delivery, Spooled("frames/x.png", "a" * 64, 1), 1.0).frame


def numbers(file: Path) -> set[int]:
    with closing(sqlite3.connect(file)) as connection:
        return {number for (number,) in connection.execute("SELECT number FROM frames")}


def messages(file: Path) -> set[int]:
    with closing(sqlite3.connect(file)) as connection:
        return {number for (number,) in connection.execute("SELECT number FROM messages")}


def test_all_that_was_acknowledged_before_is_in_the_copy(file_engine: Engine, tmp_path: Path) -> None:
    journal = Journal(file_engine)
    kept: list[int] = []
    said: list[int] = []
    stop = Event()

    def write() -> None:
        for layer in range(100_000):
            if stop.is_set():
                return
            kept.append(receive(journal, layer))
            said.extend(journal.say([Message("verdict", {"layer": layer}, "P1", "job")]))

    writer = Thread(target=write)
    writer.start()
    try:
        for _ in range(3):
            before = len(kept)
            while len(kept) < before + 20:
                stop.wait(0.01)
            acknowledged, told = set(kept), set(said)
            copy = back_up(file_engine, tmp_path / "copies")
            assert acknowledged <= numbers(copy)
            assert told <= messages(copy)
            check_whole(copy)
    finally:
        stop.set()
        writer.join()
    copies = sorted(path.name for path in (tmp_path / "copies").iterdir())
    assert len(copies) == 3
    assert all(name.startswith("journal-") and name.endswith(".db") for name in copies)


def test_what_was_backed_up_comes_back(file_engine: Engine, tmp_path: Path) -> None:
    number = receive(Journal(file_engine), 1)
    copy = back_up(file_engine, tmp_path / "copies", now=0.0)
    assert copy.name == "journal-19700101T000000Z.db"
    receive(Journal(file_engine), 2)
    file_engine.dispose()
    target = tmp_path / "journal.db"
    with pytest.raises(UsageError, match="there already"):
        restore(copy, target)
    restore(copy, target, overwrite=True)
    restore(copy, tmp_path / "new" / "journal.db")
    for place in (target, tmp_path / "new" / "journal.db"):
        engine = open_engine(f"sqlite:///{place}")
        bring_up(engine)
        assert [one.number for one in Journal(engine).waiting("P1", 9)] == [number]
        engine.dispose()


def test_nothing_of_the_old_journal_is_applied_to_the_new_one(file_engine: Engine, tmp_path: Path) -> None:
    receive(Journal(file_engine), 1)
    copy = back_up(file_engine, tmp_path)
    file_engine.dispose()
    for ending in ("-journal", "-wal", "-shm"):
        (tmp_path / f"journal.db{ending}").write_bytes(b"of a crash")
    restore(copy, tmp_path / "journal.db", overwrite=True)
    assert not list(tmp_path.glob("journal.db-*"))
    assert len(numbers(tmp_path / "journal.db")) == 1


@pytest.mark.parametrize("how", ["cut", "changed", "no database", "other", "none"])
def test_a_copy_that_is_not_whole_is_refused_and_the_old_one_stays(
    how: str, file_engine: Engine, tmp_path: Path
) -> None:
    for layer in range(50):
        receive(Journal(file_engine), layer)
    copy = back_up(file_engine, tmp_path / "copies")
    data = copy.read_bytes()
    changed = data[:4096] + bytes(len(data) - 4096)
    spoilt = {"cut": data[: len(data) // 2], "changed": changed, "no database": b"hello" * 99}
    copy.unlink()
    if how in spoilt:
        copy.write_bytes(spoilt[how])
    elif how == "other":
        with closing(sqlite3.connect(copy)) as connection:
            connection.execute("CREATE TABLE frames (number)")
    before = (tmp_path / "journal.db").read_bytes()
    with pytest.raises(DataError):
        restore(copy, tmp_path / "journal.db", overwrite=True)
    assert (tmp_path / "journal.db").read_bytes() == before
    assert not list(tmp_path.glob("*.partial*"))


def test_a_folder_that_cannot_be_written_is_told(file_engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match="another folder"):
        back_up(file_engine, tmp_path / "file" / "copies")


def test_two_copies_of_one_second_are_two(file_engine: Engine, tmp_path: Path) -> None:
    assert back_up(file_engine, tmp_path, now=0.0) != back_up(file_engine, tmp_path, now=0.0)


def test_postgresql_has_its_own_program() -> None:
    engine = create_engine("postgresql+pg8000://u@127.0.0.1/x")
    with pytest.raises(UsageError, match="pg_dump"):
        back_up(engine, Path("nowhere"))
