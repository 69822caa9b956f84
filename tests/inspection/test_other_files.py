"""What people and systems leave in a folder of frames is no frame; a broken picture still is one."""

from __future__ import annotations

from pathlib import Path
from threading import Event, Thread

import pytest
from tests.inspection.receiving import PNG, Receiver, receiving, until

from layerwatch.inspection.cameras.watch_folder import WatchFolder
from layerwatch.inspection.other_files import is_other
from layerwatch.inspection.service import Line, Service
from layerwatch.inspection.spool import Spool
from layerwatch.journeys.look_after import examined
from layerwatch.journeys.serve import open_journal

OTHERS = ("notes.txt", "layer_12.txt", ".DS_Store", "Thumbs.db", "thumbs.db", "desktop.ini", "README", "export 3.csv")


@pytest.mark.parametrize(
    ("suffix", "data", "is_named", "other"),
    [
        (".txt", b"hello", True, True),
        (".txt", PNG, True, False),
        (".png", b"hello", False, False),
        (".jpg", b"", False, False),
        (".raw", b"hello", True, False),
        (".raw", b"hello", False, True),
        ("", PNG, False, False),
        ("", b"hello", True, False),
    ],
)
def test_what_is_no_frame(suffix: str, data: bytes, is_named: bool, other: bool) -> None:
    assert is_other(suffix, data, is_named=is_named) is other


def test_other_files_are_told_once_and_broken_pictures_are_given(tmp_path: Path) -> None:
    for name in OTHERS:
        (tmp_path / name).write_bytes(b"Remember the milk")
    (tmp_path / "00001.png").write_bytes(PNG)
    (tmp_path / "00002.png").write_bytes(b"broken")
    camera, told = WatchFolder("p", tmp_path, settle=0.05, rescan=0.1), list[str]()
    with receiving(camera, Receiver()) as receiver:
        until(lambda: len(receiver.found) == 2)
        until(lambda: len(camera._remarks) == 4)
        Event().wait(0.5)
        told.extend(camera.remarks())
    assert sorted(receiver.layers) == [1, 2]
    assert {one.partition(" is no frame")[0] for one in told} == {
        "notes.txt",
        "layer_12.txt",
        "README",
        "export 3.csv",
    }
    assert len(told) == 4
    assert camera.trouble == ""


def test_the_doctor_names_them_and_finds_no_trouble(tmp_path: Path) -> None:
    from tests.inspection.test_service import idle

    folder, stop = tmp_path / "in", Event()
    folder.mkdir()
    (folder / "notes.txt").write_text("Remember the milk", encoding="utf-8")
    journal = open_journal(tmp_path / "data")
    line = Line(WatchFolder("p", folder, settle=0.05, rescan=0.1), idle("p", Spool(tmp_path / "data")))
    service = Service(tmp_path / "data", journal, [line], {}, heartbeat=0.1)
    thread = Thread(target=service.run, args=(stop,))
    thread.start()
    try:
        until(lambda: any(one.body.get("event") == "remark" for one in journal.told(kind="printer")))
        found = next(one for one in examined(tmp_path / "data") if one.name == "printer p")
    finally:
        stop.set()
        thread.join(20)
    assert (found.word, found.text) == ("ok", "no trouble; notes.txt is no frame and is left alone")
    assert journal.counts()["verdicts"] == 0
