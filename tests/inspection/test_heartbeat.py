"""A service that is killed or stopped is told within seconds, and so is a stage that stands still."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread

import pytest

from layerwatch.inspection.heartbeat import Heartbeat, Pulse
from layerwatch.inspection.systemd import READY, STOPPING, tell_systemd
from layerwatch.inspection.watchdog import Health, look, watch

SERVICE = (
    "import sys, threading, pathlib\n"
    "from layerwatch.inspection.heartbeat import Heartbeat, Pulse\n"
    "Heartbeat(pathlib.Path(sys.argv[1]), Pulse(), every=0.1).run(threading.Event())\n"
)


@pytest.fixture
def service(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process that beats."""
    with subprocess.Popen([sys.executable, "-c", SERVICE, str(tmp_path / "heartbeat.json")]) as process:
        wait_for(lambda: (tmp_path / "heartbeat.json").exists())
        yield process
        process.kill()


def wait_for(true: object, most: float = 20.0) -> float:
    """Seconds until it is so."""
    assert callable(true)
    start = time.monotonic()
    while not true():
        assert time.monotonic() - start < most
        time.sleep(0.02)
    return time.monotonic() - start


@pytest.mark.parametrize(("blow", "state"), [(signal.SIGKILL, "dead"), (signal.SIGSTOP, "hung")])
def test_a_blow_is_told_in_time(
    service: subprocess.Popen[bytes], tmp_path: Path, blow: signal.Signals, state: str
) -> None:
    told: list[Health] = []
    stop = Event()
    path = tmp_path / "heartbeat.json"
    thread = Thread(target=watch, args=(path, told.append, stop), kwargs={"every": 0.1, "most": 1.5}, daemon=True)
    thread.start()
    wait_for(lambda: told)
    assert told[0].state == "alive"
    os.kill(service.pid, blow)
    assert wait_for(lambda: told[-1].state != "alive") < 10
    assert told[-1].state == state
    assert str(service.pid) in told[-1].text
    if blow == signal.SIGSTOP:
        os.kill(service.pid, signal.SIGCONT)
        wait_for(lambda: told[-1].state == "alive")
    stop.set()
    thread.join()


def test_a_busy_stage_that_stands_still_is_hung_and_an_idle_one_is_not(tmp_path: Path) -> None:
    pulse = Pulse()
    pulse.busy("judge")
    pulse.idle("camera")
    pulse.beat("publisher")
    now = time.monotonic()
    assert pulse.hung(now, 1.0) == ()
    assert pulse.hung(now + 2, 1.0) == ("judge",)
    heart = Heartbeat(tmp_path / "deep" / "heartbeat.json", pulse)
    heart.write()
    assert look(heart.path, now, most=5).state == "alive"
    pulse.beat("judge")
    assert pulse.hung(time.monotonic() + 2, 1.0) == ("judge",)
    path = heart.path
    told = json.loads(path.read_text("utf-8"))
    assert (told["pid"], sorted(told["stages"])) == (os.getpid(), ["camera", "judge", "publisher"])
    assert abs(told["time"] - time.time()) < 60
    told["stages"]["judge"]["moved"] -= 9
    path.write_text(json.dumps(told), encoding="utf-8")
    found = look(path, time.monotonic())
    assert (found.state, "judge" in found.text, "camera" in found.text) == ("hung", True, False)
    pulse.idle("judge")
    assert pulse.hung(time.monotonic() + 99, 1.0) == ()


def test_no_file_a_broken_one_and_one_of_before_a_restart_are_dead(tmp_path: Path) -> None:
    path = tmp_path / "heartbeat.json"
    assert look(path, 0.0).state == "dead"
    for text in ("", "[]", '{"pid": 1}', '{"pid": "x", "monotonic": 1, "stages": {}}'):
        path.write_text(text, encoding="utf-8")
        assert "broken" in look(path, 0.0).text
    Heartbeat(path, Pulse()).write()
    assert look(path, time.monotonic()).state == "alive"
    assert look(path, time.monotonic() - 100).state == "dead"


def test_the_file_goes_with_a_clean_end_and_a_full_disk_ends_nothing(tmp_path: Path) -> None:
    heart = Heartbeat(tmp_path / "heartbeat.json", Pulse(), every=0.05)
    with heart.beating():
        wait_for(heart.path.exists)
        first = heart.path.read_text("utf-8")
        wait_for(lambda: heart.path.read_text("utf-8") != first)
    assert not heart.path.exists()
    (tmp_path / "file").write_bytes(b"")
    with Heartbeat(tmp_path / "file" / "heartbeat.json", Pulse(), every=0.05).beating():
        time.sleep(0.1)


def test_systemd_hears_us_as_long_as_no_stage_hangs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    assert not tell_systemd(READY)
    for address in (str(tmp_path / "socket"), f"@layerwatch-test-{os.getpid()}"):
        monkeypatch.setenv("NOTIFY_SOCKET", address)
        assert not tell_systemd(READY)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
            ear.bind(address.replace("@", "\0"))
            ear.settimeout(10)
            assert tell_systemd(READY, "STATUS=8 printers")
            assert ear.recv(100) == b"READY=1\nSTATUS=8 printers"
            pulse = Pulse()
            with Heartbeat(tmp_path / "heartbeat.json", pulse, every=0.05, most=0.5).beating():
                assert ear.recv(100) == b"WATCHDOG=1"
                pulse.busy("judge")
                time.sleep(0.8)
                ear.setblocking(False)
                while True:
                    try:
                        ear.recv(100)
                    except BlockingIOError:
                        break
                time.sleep(0.2)
                with pytest.raises(BlockingIOError):
                    ear.recv(100)
            tell_systemd(STOPPING)
            assert ear.recv(100) == b"STOPPING=1"
