"""Doctor, export, alarms and registry find the journal that a site file names, also in PostgreSQL; and restore."""

from __future__ import annotations

import json
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from layerwatch.cli import main
from layerwatch.inspection.alarm_states import AlarmState, as_json
from layerwatch.inspection.deliveries import Delivery, Identity
from layerwatch.inspection.journal.entries import AlarmEntry
from layerwatch.inspection.messages import Message
from layerwatch.inspection.ownership import owned
from layerwatch.inspection.spool import Spooled
from layerwatch.journeys.serve import open_journal

SITE = """
[site]
name = "hall"
data = "kept"
database = "{url}"

[[printer]]
name = "p"
model = "cores"
[printer.camera]
kind = "watch_folder"
path = "in"
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A site file with a journal that does not lie in the data folder, with one frame and one open alarm."""
    is_file = request.param == "sqlite"
    url = f"sqlite:///{tmp_path}/other.db" if is_file else str(request.getfixturevalue("database"))
    journal = open_journal(tmp_path / "kept", url=url)
    journal.receive(Delivery(Identity("p", "j", 1), b"x", ".png", "n"), Spooled("", "a" * 64, 1))
    entry = AlarmEntry(1, "defect", "minor", as_json(AlarmState(at=time.time())), True, {"text": "look", "objects": []})
    journal.set_alarm("p", "j", entry, Message("alarm", {"event": "raised", "text": "x"}, "p", "j"))
    journal.engine.dispose()
    file = tmp_path / "site.toml"
    file.write_text(SITE.format(url=url), encoding="utf-8")
    return file


def said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str, str]:
    """Exit code, output and errors of one call."""
    monkeypatch.setattr("sys.argv", ["layerwatch", *map(str, words)])
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        main()
    code, told = ended.value.code, capsys.readouterr()
    return (code if isinstance(code, int) else int(code is not None)), told.out, told.err


def test_every_verb_finds_the_journal_that_the_site_file_names(
    site: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ("--site", site)
    _, told, _ = said(monkeypatch, capsys, "doctor", "--json", *given)
    found = {one["name"]: one for one in json.loads(told)}
    assert found["database"]["state"] == found["tables"]["state"] == "ok"
    assert found["data folder"]["text"].startswith(str(site.parent / "kept"))
    code, told, _ = said(monkeypatch, capsys, "journal", "export", *given)
    assert (code, [one["layer"] for one in json.loads(told)["layers"]]) == (0, [1])
    assert "look" in said(monkeypatch, capsys, "alarms", "list", *given)[1]
    assert said(monkeypatch, capsys, "alarms", "acknowledge", "p/j/1", "--by", "Kim", *given)[0] == 0
    assert "acknowledged by Kim" in said(monkeypatch, capsys, "alarms", "list", *given)[1]
    assert said(monkeypatch, capsys, "registry", "list", *given)[:2] == (0, "no model yet\n")
    assert not (site.parent / "kept" / "journal.db").exists()


def test_a_database_without_a_journal_is_told(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "site.toml"
    for url in (database, f"sqlite:///{tmp_path}/none.db"):
        file.write_text(SITE.format(url=url), encoding="utf-8")
        code, _, error = said(monkeypatch, capsys, "doctor", "--site", file)
        assert (code, "no journal here" in error) == (2, True)
    assert not (tmp_path / "none.db").exists()


def test_both_a_folder_and_a_site_file_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, error = said(monkeypatch, capsys, "doctor", "--data", tmp_path, "--site", tmp_path / "site.toml")
    assert (code, "either --data or --site" in error) == (2, True)


def layers(file: Path) -> list[int]:
    with closing(sqlite3.connect(file)) as connection:
        return [layer for (layer,) in connection.execute("SELECT layer FROM frames ORDER BY number")]


def test_a_backup_is_restored_and_the_old_journal_moved_aside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "data"
    journal = open_journal(data)
    journal.receive(Delivery(Identity("p", "j", 1), b"x", ".png", "n"), Spooled("", "a" * 64, 1))
    copy = Path(said(monkeypatch, capsys, "journal", "backup", tmp_path / "copies", "--data", data)[1].strip())
    journal.receive(Delivery(Identity("p", "j", 2), b"y", ".png", "n"), Spooled("", "b" * 64, 1))
    journal.engine.dispose()

    code, _, error = said(monkeypatch, capsys, "journal", "restore", copy, "--data", data)
    assert (code, "--force" in error, layers(data / "journal.db")) == (2, True, [1, 2])
    with owned(data):
        code, _, error = said(monkeypatch, capsys, "journal", "restore", copy, "--data", data, "--force")
    assert (code, "another service" in error, layers(data / "journal.db")) == (2, True, [1, 2])
    code, told, _ = said(monkeypatch, capsys, "journal", "restore", copy, "--data", data, "--force")
    aside = data / "journal.db.before-restore-1"
    assert (code, str(aside) in told) == (0, True)
    assert (layers(data / "journal.db"), layers(aside)) == ([1], [1, 2])
    assert said(monkeypatch, capsys, "journal", "restore", copy, "--data", data, "--force")[0] == 0
    assert (data / "journal.db.before-restore-2").is_file()
    assert said(monkeypatch, capsys, "journal", "restore", copy, "--data", tmp_path / "new")[0] == 0
    assert layers(tmp_path / "new" / "journal.db") == [1]
    assert "no such file" in said(monkeypatch, capsys, "journal", "restore", tmp_path / "x.db", "--data", data)[2]


def test_a_site_file_says_where_to_restore_and_postgresql_has_its_own_program(
    site: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    is_file = "sqlite" in site.read_text(encoding="utf-8")
    made = said(monkeypatch, capsys, "journal", "backup", site.parent / "copies", "--site", site)
    if not is_file:
        assert (made[0], "pg_dump" in made[2]) == (2, True)
        refused = said(monkeypatch, capsys, "journal", "restore", "x.db", "--site", site)
        assert (refused[0], "pg_restore" in refused[2]) == (2, True)
        return
    assert said(monkeypatch, capsys, "journal", "restore", made[1].strip(), "--site", site, "--force")[0] == 0
    assert (site.parent / "other.db.before-restore-1").is_file()
