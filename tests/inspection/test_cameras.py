"""Cameras: what arrives is complete, named or said to be unnamed, and given again until it is safe."""

from __future__ import annotations

import json
import os
import shutil
import socket
import threading
import time
from pathlib import Path

import httpx
import pytest
from tests.inspection.broker import free_port
from tests.inspection.receiving import OTHER, PNG, Receiver, receiving, until

from layerwatch.inspection.cameras.http_push import HttpPush
from layerwatch.inspection.cameras.replay import Replay
from layerwatch.inspection.cameras.virtual import Virtual, VirtualFrame
from layerwatch.inspection.cameras.watch_folder import WatchFolder
from layerwatch.inspection.deliveries import UNKNOWN, Identity
from layerwatch.inspection.file_identity import FileIdentity, addressed, natural
from layerwatch.inspection.first_bytes import suffix_of, usual_suffix
from layerwatch.inspection.triggers.http import Http
from layerwatch.inspection.triggers.with_frame import WithFrame
from layerwatch.records import DataError, UsageError


def watch(path: Path, **settings: object) -> WatchFolder:
    return WatchFolder("P1", path, **{"settle": 0.1, "rescan": 0.3, **settings})  # type: ignore[arg-type] # by name


def arrived(receiver: Receiver, count: int) -> float:
    return until(lambda: len(receiver.found) >= count)


# Names


@pytest.mark.parametrize(
    ("name", "layer"), [("L7", 7), ("20260102T030400_L5", 5), ("a1_b2", UNKNOWN), ("none", UNKNOWN)]
)
def test_a_layer_is_the_only_number_in_the_name_or_not_known(name: str, layer: int, tmp_path: Path) -> None:
    claim = FileIdentity("P1", tmp_path).claim(tmp_path / f"{name}.png")
    assert claim.identity == Identity("P1", tmp_path.name, layer)
    assert bool(claim.unidentified) == (layer == UNKNOWN)


def test_a_pattern_tells_more_and_a_job_is_a_folder_where_it_does_not(tmp_path: Path) -> None:
    told = FileIdentity("P1", tmp_path, "{layer}_{phase}").claim(tmp_path / "job-a" / "deep" / "5_recoated.png")
    assert told.identity == Identity("P1", "job-a", 5, "recoated")
    assert FileIdentity("P1", tmp_path, "{job}_{layer}").claim(tmp_path / "b_5.png").identity.job == "b"
    assert FileIdentity("P1", tmp_path, job="c").claim(tmp_path / "5.png").identity.job == "c"
    assert "does not fit" in FileIdentity("P1", tmp_path, "{job}_{layer}").claim(tmp_path / "5.png").unidentified


def test_sources_that_contradict_tell_nothing(tmp_path: Path) -> None:
    (tmp_path / "L5.json").write_text(json.dumps({"layer": 6, "printer": "P2", "time": "2026-01-01T00:00:00+00:00"}))
    claim = FileIdentity("P1", tmp_path, "L{layer}").claim(tmp_path / "L5.png")
    assert "sidecar says 6, name says 5" in claim.unidentified
    assert "of printer 'P2'" in claim.unidentified
    assert claim.exposed == 1767225600.0
    (tmp_path / "L5.json").write_text("{")
    assert "no JSON" in FileIdentity("P1", tmp_path).claim(tmp_path / "L5.png").unidentified


@pytest.mark.parametrize("levels", [("", "1"), ("..", "1"), ("a/b", "1"), ("a", "-1"), ("a", "1.5"), ("a\n", "1")])
def test_an_address_that_names_no_frame_is_refused(levels: tuple[str, str]) -> None:
    with pytest.raises(DataError, match="give"):
        addressed("P1", *levels)


def test_suffixes_and_order() -> None:
    assert (suffix_of(PNG), suffix_of(b"II*\0"), suffix_of(b"")) == (".png", ".tiff", ".bin")
    assert (usual_suffix(".TIF", b""), usual_suffix("./../x", PNG)) == (".tif", ".png")
    assert sorted([Path("a10"), Path("a9"), Path("1"), Path("b")], key=natural)[1:3] == [Path("a9"), Path("a10")]


# Folder


def test_a_file_is_given_when_it_is_complete_and_once(tmp_path: Path) -> None:
    with receiving(watch(tmp_path, settle=0.4), Receiver()) as receiver:
        for _ in range(6):
            with (tmp_path / "L1.png").open("ab") as file:
                file.write(PNG)
            time.sleep(0.1)
        until(lambda: receiver.found)
        (tmp_path / "L2.png.partial").write_bytes(PNG)
        (tmp_path / ".L3.png").write_bytes(PNG)
        time.sleep(1.0)
    assert [one.data for one in receiver.found] == [PNG * 6]


def test_a_file_that_changes_is_given_again_and_one_that_vanishes_is_no_crash(tmp_path: Path) -> None:
    with receiving(watch(tmp_path), Receiver()) as receiver:
        (tmp_path / "L1.png").write_bytes(PNG)
        until(lambda: receiver.found)
        (tmp_path / "L2.png").write_bytes(PNG)
        (tmp_path / "L2.png").unlink()
        (tmp_path / "L1.png").write_bytes(OTHER + b"x")
        until(lambda: len(receiver.found) == 2)
    assert receiver.layers == [1, 1]


def test_files_come_in_natural_order_and_again_after_a_restart(tmp_path: Path) -> None:
    for layer in (10, 9, 1):
        (tmp_path / f"L{layer}.png").write_bytes(PNG)
    camera = watch(tmp_path)
    for _ in range(2):
        with receiving(camera, Receiver()) as receiver:
            arrived(receiver, 3)
        assert receiver.layers == [1, 9, 10]


def test_a_refused_file_is_given_again(tmp_path: Path) -> None:
    (tmp_path / "L1.png").write_bytes(PNG)
    with receiving(watch(tmp_path), Receiver(refusals=2)) as receiver:
        until(lambda: receiver.kept)
    assert receiver.layers == [1, 1, 1]


def test_a_mark_is_waited_for(tmp_path: Path) -> None:
    with receiving(watch(tmp_path, done_suffix=".done"), Receiver()) as receiver:
        (tmp_path / "L1.png").write_bytes(PNG)
        (tmp_path / "L2.png").write_bytes(PNG)
        time.sleep(0.6)
        assert not receiver.found
        (tmp_path / "L1.done").touch()
        (tmp_path / "L2.png.done").touch()
        until(lambda: len(receiver.found) == 2)


@pytest.mark.parametrize(("after", "left"), [("keep", {"a/L1.png", "a/L1.json"}), ("delete", set())])
def test_what_happens_after(after: str, left: set[str], tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a/L1.json").write_text('{"layer": 4}')
    (tmp_path / "a/L1.png").write_bytes(PNG)
    with receiving(watch(tmp_path, after=after), Receiver()) as receiver:
        until(lambda: receiver.kept)
    assert receiver.layers == [4]
    assert {str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*.*")} == left


def test_a_moved_file_is_not_given_again_and_overwrites_none(tmp_path: Path) -> None:
    camera = watch(tmp_path, after="move")
    for data in (PNG, OTHER):
        (tmp_path / "L1.png").write_bytes(data)
        with receiving(camera, Receiver()) as receiver:
            until(lambda: not (tmp_path / "L1.png").exists())
        assert receiver.layers == [1]
    assert {p.name: p.read_bytes() for p in (tmp_path / "done").iterdir()} == {"L1.png": PNG, "L1.1.png": OTHER}


def test_a_file_that_is_too_large_is_given_without_its_bytes(tmp_path: Path) -> None:
    (tmp_path / "L1.png").write_bytes(PNG)
    with receiving(watch(tmp_path, most_bytes=10), Receiver()) as receiver:
        until(lambda: receiver.found)
    assert (receiver.found[0].data, receiver.found[0].suffix) == (b"", ".png")
    assert "more than 10" in receiver.found[0].unidentified


def test_a_folder_that_goes_away_is_waited_for(tmp_path: Path) -> None:
    folder = tmp_path / "mount"
    camera = watch(folder)
    with receiving(camera, Receiver()) as receiver:
        until(lambda: "is away" in camera.trouble)
        for layer in (1, 2):
            folder.mkdir()
            until(lambda: not camera.trouble)
            (folder / f"L{layer}.png").write_bytes(PNG)
            assert arrived(receiver, layer) < 10
            shutil.rmtree(folder)
            until(lambda: "is away" in camera.trouble)


def test_a_file_that_may_not_be_read_is_told_and_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(path: Path, mode: str) -> None:
        raise PermissionError(13, "Permission denied")

    camera = watch(tmp_path)
    with receiving(camera, Receiver()) as receiver:
        with monkeypatch.context() as patch:
            (tmp_path / "L1.png").write_bytes(PNG)
            patch.setattr(Path, "open", denied)
            until(lambda: "permission" in camera.trouble)
            assert not receiver.found
        until(lambda: receiver.found)
    assert not camera.trouble


# HTTP


def address(camera: HttpPush | Http) -> str:
    until(lambda: camera.bound_port)
    return f"http://127.0.0.1:{camera.bound_port}"


def test_a_sender_hears_what_became_of_its_frame() -> None:
    camera = HttpPush("P1", port=0)
    with receiving(camera, Receiver(refusals=1)) as receiver:
        url = f"{address(camera)}/frames/job/7"
        refused = httpx.put(url, content=PNG)
        assert (refused.status_code, refused.headers["Retry-After"]) == (507, "5")
        words = [httpx.put(url, content=data) for data in (PNG, PNG, OTHER)]
        assert [word.status_code for word in words] == [201, 200, 409]
        assert words[0].json()["word"] == "new"
        told = {"phase": "recoated", "shot": "2", "exposed": "12.5", "suffix": ".TIF"}
        assert httpx.put(url, params=told, content=PNG).status_code == 201
    last = receiver.found[-1]
    assert (last.identity, last.exposed, last.suffix) == (Identity("P1", "job", 7, "recoated", "2"), 12.5, ".tif")


def test_what_cannot_be_a_frame_is_refused_with_a_reason() -> None:
    camera = HttpPush("P1", port=0, token="secret", most_bytes=1000)
    with receiving(camera, Receiver()) as receiver, httpx.Client(base_url=address(camera)) as client:
        assert client.put("/frames/job/7", content=PNG).status_code == 401
        client.headers["Authorization"] = "Bearer secret"
        for path in ("/frames/job/x", "/frames/job/7?exposed=nan", "/frames/%20/7"):
            assert client.put(path, content=PNG).status_code == 422
        assert client.put("/frames/job/7", content=bytes(1001)).status_code == 413
        assert client.put("/frames/job/7", content=iter([bytes(600)] * 2)).status_code == 413
        keys = {"Idempotency-Key": "k"}
        words = [client.put("/frames/job/7", content=data, headers=keys) for data in (PNG, PNG, OTHER)]
        assert [word.status_code for word in words] == [201, 200, 422]
        assert client.put("/frames/job/8", content=PNG, headers={"Content-Type": "image/tiff"}).status_code == 201
    assert receiver.found[-1].suffix == ".tiff"
    assert "secret" not in repr(camera)


def test_a_sender_that_waits_at_the_end_is_told_to_come_again() -> None:
    camera, answers = HttpPush("P1", port=0), list[int]()
    with receiving(camera, Receiver(is_silent=True)) as receiver:
        url = f"{address(camera)}/frames/job/7"
        sender = threading.Thread(target=lambda: answers.append(httpx.put(url, content=PNG, timeout=20).status_code))
        sender.start()
        until(lambda: receiver.found)
    sender.join(20)
    assert answers == [503]


def test_an_address_in_use_is_waited_for() -> None:
    port = free_port()
    camera = HttpPush("P1", port=port)
    with socket.socket() as other:
        other.bind(("127.0.0.1", port))
        other.listen()
        with receiving(camera, Receiver()):
            until(lambda: "cannot listen" in camera.trouble)
            other.close()
            until(lambda: camera.bound_port)
            assert not camera.trouble
            assert httpx.put(f"{address(camera)}/frames/job/1", content=PNG).status_code == 201


# Replay, virtual printer, triggers


def test_a_folder_is_played_once_and_a_missing_one_is_refused(tmp_path: Path) -> None:
    for layer in (10, 9):
        (tmp_path / f"L{layer}.png").write_bytes(PNG)
    found = list(Replay("P1", tmp_path).deliveries(threading.Event()))
    assert [(one.identity.layer, one.data) for one in found] == [(9, PNG), (10, PNG)]
    with pytest.raises(UsageError, match="nowhere"):
        list(Replay("P1", tmp_path / "nowhere").deliveries(threading.Event()))


def test_a_virtual_printer_keeps_its_pace_and_stops() -> None:
    stop, begun = threading.Event(), time.monotonic()
    frames = [VirtualFrame("job", layer, PNG, exposed=5.0) for layer in range(1000)]
    for delivery in Virtual("P1", lambda: iter(frames), pace=0.05).deliveries(stop):
        if delivery.identity.layer == 3:
            stop.set()
    assert delivery.identity.layer == 3
    assert time.monotonic() - begun >= 0.2


def test_a_machine_tells_its_layers_by_http() -> None:
    trigger, stop, told = Http("P1", port=0, token="t"), threading.Event(), list[tuple[str, int]]()
    thread = threading.Thread(target=lambda: told.extend((s.job, s.layer) for s in trigger.layers(stop)))
    thread.start()
    with httpx.Client(base_url=address(trigger), headers={"Authorization": "Bearer t"}) as client:
        assert [client.post(f"/layers/job/{n}").status_code for n in ("1", "2", "x")] == [204, 204, 422]
        assert httpx.post(f"{address(trigger)}/layers/job/1").status_code == 401
    until(lambda: len(told) == 2)
    stop.set()
    thread.join(15)
    assert told == [("job", 1), ("job", 2)]
    assert not list(WithFrame("P1").layers(stop))


# R5


def test_one_frame_sent_five_times_is_one_frame(tmp_path: Path) -> None:
    pushes = HttpPush("P1", port=0)
    with receiving(pushes, Receiver()) as receiver:
        url = f"{address(pushes)}/frames/job/7"
        assert [httpx.put(url, content=PNG).status_code for _ in range(5)] == [201, 200, 200, 200, 200]
    with receiving(watch(tmp_path, job="job"), receiver):
        for number in range(5):
            (tmp_path / "L7.png").write_bytes(PNG)
            os.utime(tmp_path / "L7.png", (number, number))
            arrived(receiver, 6 + number)
    assert {(one.identity, one.data, one.suffix) for one in receiver.found} == {(Identity("P1", "job", 7), PNG, ".png")}
    assert receiver.kept == {Identity("P1", "job", 7): PNG}
