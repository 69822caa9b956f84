"""The check-up: whatever is wrong is found under its name, with advice; where all is well nothing is."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Engine

from layerwatch.inspection import checkup
from layerwatch.inspection.checkup import Finding, check_up
from layerwatch.inspection.deliveries import Delivery, Identity
from layerwatch.inspection.journal.database import open_engine
from layerwatch.inspection.journal.journal import Journal
from layerwatch.inspection.messages import Message
from layerwatch.inspection.spool import Spool

NOW = 1_800_000_000.0
NAMES = ["disk", "data folder", "database", "journal mode", "tables"]
NAMES += ["frames", "orphans", "waiting", "outbox", "clock"]


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    (tmp_path / "data").mkdir()
    return Spool(tmp_path / "data")


def look(engine: Engine, spool: Spool, *, gb: float = 100, now: float = NOW, deep: bool = True) -> dict[str, Finding]:
    found = check_up(engine, spool, now=now, deep=deep, free=lambda _: int(gb * 1e9))
    assert [one.name for one in found] == NAMES
    assert all(one.advice for one in found if one.word != "ok")
    return {one.name: one for one in found}


def bad(found: dict[str, Finding]) -> dict[str, str]:
    return {name: one.word for name, one in found.items() if one.word != "ok"}


def receive(engine: Engine, spool: Spool, layer: int = 1, when: float = NOW) -> Path:
    one = Delivery(Identity("P1", "job", layer), b"x" * layer, ".png", "x.png")
    kept = spool.keep(one)
    Journal(engine).receive(one, kept, when)
    return spool.path(kept.path)


def test_a_healthy_service_has_nothing_to_say(engine: Engine, spool: Spool) -> None:
    for layer in range(5):
        receive(engine, spool, layer)
    found = look(engine, spool)
    assert bad(found) == {}
    assert found["frames"].text == "5 files are there, 5 of them read and as they came"
    assert found["tables"].text == "version 0001"
    assert sorted(path.name for path in spool.folder.iterdir()) == ["frames"]


def test_the_journal_mode_is_explained(file_engine: Engine, spool: Spool) -> None:
    text = look(file_engine, spool)["journal mode"].text
    assert "TRUNCATE" not in text or "3.51.3" in text


@pytest.mark.parametrize(("gb", "word"), [(4.9, "warn"), (0.4, "fail")])
def test_a_disk_that_fills(gb: float, word: str, file_engine: Engine, spool: Spool) -> None:
    assert bad(look(file_engine, spool, gb=gb)) == {"disk": word}


def test_a_data_folder_that_is_not_there(file_engine: Engine, tmp_path: Path) -> None:
    assert bad(look(file_engine, Spool(tmp_path / "nowhere"))) == {"data folder": "fail"}


def _remove(file: Path) -> None:
    file.unlink()


def _change(file: Path) -> None:
    file.write_bytes(b"y")


@pytest.mark.parametrize(("spoil", "text"), [(_remove, "1 gone"), (_change, "1 changed")])
def test_a_frame_that_is_not_as_it_came(
    spoil: Callable[[Path], None], text: str, file_engine: Engine, spool: Spool
) -> None:
    receive(file_engine, spool, 2)
    spoil(receive(file_engine, spool))
    found = look(file_engine, spool)
    assert bad(found) == {"frames": "fail"}
    assert f"{text}: frames/P1/job/000001" in found["frames"].text


def test_a_sample_reads_some_and_misses_no_file(
    file_engine: Engine, spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkup, "_SAMPLE", 2)
    kept = [receive(file_engine, spool, layer) for layer in range(1, 8)]
    assert look(file_engine, spool, deep=False)["frames"].text.startswith("7 files are there, 3 of them read")
    kept[1].unlink()
    assert bad(look(file_engine, spool, deep=False)) == {"frames": "fail"}


def test_a_file_that_no_row_names(file_engine: Engine, spool: Spool) -> None:
    place = spool.path(spool.keep(Delivery(Identity("P1", "job", 1), b"x", ".png", "x")).path)
    os.utime(place, (1.0, 1.0))
    assert bad(look(file_engine, spool)) == {"orphans": "warn"}


def test_a_frame_that_waits_too_long(file_engine: Engine, spool: Spool) -> None:
    receive(file_engine, spool, when=NOW - 601)
    found = look(file_engine, spool)
    assert bad(found) == {"waiting": "warn"}
    assert "1 frame waits to be judged, the first for 601 s" in found["waiting"].text


def test_a_sink_that_takes_nothing(file_engine: Engine, spool: Spool) -> None:
    journal = Journal(file_engine, {"line": ("alarm",)})
    (number,) = journal.say([Message("alarm", {})], NOW - 601)
    journal.failed("line", number, "no route to host", NOW)
    found = look(file_engine, spool)
    assert bad(found) == {"outbox": "warn"}
    assert "line has not taken 1 message (no route to host)" in found["outbox"].text


@pytest.mark.parametrize(("now", "word"), [(NOW - 3600, "warn"), (0.0, "fail")])
def test_a_clock_that_is_wrong(now: float, word: str, file_engine: Engine, spool: Spool) -> None:
    receive(file_engine, spool)
    assert bad(look(file_engine, spool, now=now))["clock"] == word


def test_a_database_without_tables(tmp_path: Path, spool: Spool) -> None:
    engine = open_engine(f"sqlite:///{tmp_path}/new.db")
    found = look(engine, spool)
    engine.dispose()
    assert found["tables"].word == found["frames"].word == "fail"
    assert found["database"].word == "ok"


def test_a_database_that_is_broken(file_engine: Engine, spool: Spool, tmp_path: Path) -> None:
    receive(file_engine, spool)
    file_engine.dispose()
    (tmp_path / "journal.db").write_bytes(b"no database at all" * 500)
    engine = open_engine(f"sqlite:///{tmp_path}/journal.db")
    found = look(engine, spool)
    engine.dispose()
    assert found["database"].word == "fail"
    assert found["disk"].word == found["data folder"].word == "ok"
