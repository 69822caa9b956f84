"""Whatever kills the service, no acknowledged frame is lost and none is doubled; a full disk is waited out."""

from __future__ import annotations

import errno
import os
import random
import resource
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from sqlalchemy import event
from tests.inspection.crash_child import JOB, PRINTER, SINK, frame, journal_in, judge
from tests.inspection.crash_client import Child, child, crash, kills
from tests.inspection.crash_disk import WORLDS, Step, after_power_loss, recorded

from layerwatch.inspection import failpoints
from layerwatch.inspection.deliveries import Delivery, Identity, Receipt
from layerwatch.inspection.failpoints import POINTS
from layerwatch.inspection.journal.database import checked
from layerwatch.inspection.journal.journal import Journal
from layerwatch.inspection.receiver import Receiver
from layerwatch.inspection.spool import Spool, StorageError

AT_ONCE = 2.0  # s in which trouble must be told


@pytest.fixture(scope="module")
def service() -> Iterator[Child]:
    with child() as process:
        yield process


# R1: kill -9 at random moments


@pytest.mark.parametrize("count", [25, pytest.param(1000, marks=pytest.mark.slow)])
def test_kills_at_random_moments_lose_and_double_nothing(service: Child, tmp_path: Path, count: int) -> None:
    found = kills(service, tmp_path, count, seed=count)
    assert found.is_clean, found
    assert found.acknowledged > count, "too little happened between the kills to prove anything"


# R2: a crash at every step


@pytest.mark.parametrize("point", POINTS)
def test_a_crash_at_any_step_loses_and_doubles_nothing(service: Child, tmp_path: Path, point: str) -> None:
    is_reached, found = crash(service, tmp_path, point, seed=POINTS.index(point))
    assert is_reached, f"{point} was never reached"
    assert found.is_clean, found


# R3: power loss


class PowerlessError(BaseException):
    """The process ends here."""


@dataclass
class Sender:
    """A camera and its receiver, in this process; ``said`` is what it heard, by layer."""

    folder: Path
    acknowledged: list[int] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)
    steps: list[Step] | None = None

    def __post_init__(self) -> None:
        self.journal = journal_in(self.folder)
        self.restart()

    def restart(self) -> None:
        """A new life on the same data folder."""
        self.spool = Spool(self.folder)
        self.receiver = Receiver(self.spool, self.journal, Event(), self.troubles.append)

    def send(self, layer: int, data: bytes = b"") -> bool:
        """Send a layer; whether it was acknowledged."""
        identity, data = Identity(PRINTER, JOB, layer), data or frame(layer)

        def acknowledged(_: Receipt) -> None:
            self.acknowledged.append(layer)
            if self.steps is not None:
                self.steps.append(Step("acknowledge", str(self.folder / str(layer))))

        name = f"{layer}.png"
        return self.receiver.take(
            Delivery(identity, data, ".png", name, acknowledge=acknowledged, refuse=self.refused.append)
        )

    def files(self) -> list[Path]:
        """All files of the spool."""
        return [path for kind in ("frames", "heat") for path in (self.folder / kind).rglob("*") if path.is_file()]

    def has_whole_files_only(self) -> bool:
        """Whether each file of the spool is a frame that was sent."""
        known = {frame(layer) for layer in range(100)}
        return all(path.read_bytes() in known for path in self.files() if "frames" in path.parts)


def lost(steps: list[Step], root: Path) -> list[str]:
    """What is wrong in any state in which a power loss after any of the steps may leave the disk."""
    wrong = []
    for end in range(len(steps) + 1):
        acknowledged = {int(Path(step.path).name) for step in steps[:end] if step.what == "acknowledge"}
        for world in WORLDS:
            files = after_power_loss([s for s in steps[:end] if s.what != "acknowledge"], root, world)
            named = {path: data for path, data in files.items() if not path.endswith(".partial")}
            missing = [layer for layer in acknowledged if frame(layer) not in named.values()]
            torn = [path for path, data in named.items() if data != frame(int(Path(path).name.split("_")[0]))]
            wrong += [f"after {end} steps, {world}: lost {missing}, torn {torn}"] if missing or torn else []
    return wrong


def test_a_power_loss_takes_no_acknowledged_frame(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sender = Sender(tmp_path)
    with recorded(monkeypatch, tmp_path) as sender.steps:
        assert all(sender.send(layer) for layer in (0, 1, 1, 2))
    assert [step.what for step in sender.steps].count("rename") == 3
    assert not lost(sender.steps, tmp_path)


@pytest.mark.parametrize("point", [point for point in POINTS if "spool" in point or "receive" in point])
def test_nor_does_one_after_a_crash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, point: str) -> None:
    def ended(name: str) -> None:
        if name == point:
            raise PowerlessError

    sender = Sender(tmp_path)
    with recorded(monkeypatch, tmp_path) as sender.steps:
        monkeypatch.setattr(failpoints, "hook", ended)
        with pytest.raises(PowerlessError):
            sender.send(0)
        monkeypatch.setattr(failpoints, "hook", str)
        sender.restart()
        assert all(sender.send(layer) for layer in (0, 1))
    assert not lost(sender.steps, tmp_path)


@pytest.mark.parametrize("what", ["fsync", "rename"])
def test_the_model_finds_a_step_that_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    sender = Sender(tmp_path)
    with recorded(monkeypatch, tmp_path) as sender.steps:
        sender.send(0)
    left_out = [place for place, step in enumerate(sender.steps) if step.what == what]
    for place in left_out:
        steps = sender.steps[:place] + sender.steps[place + 1 :]
        if what == "rename":  # its place is taken by a name from the start
            steps = [Step(s.what, s.path.removesuffix(".partial")) if s.what == "create" else s for s in steps]
            steps = [s for s in steps if not s.path.endswith(".partial")]
        assert lost(steps, tmp_path), f"nobody misses {sender.steps[place]}"


def test_a_commit_is_on_the_disk(tmp_path: Path) -> None:
    with journal_in(tmp_path).engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2, "FULL"


# R4: disks that are full or broken

ERRORS = [errno.ENOSPC, errno.EIO, errno.EACCES]


@contextmanager
def broken(monkeypatch: pytest.MonkeyPatch, where: str, number: int) -> Iterator[None]:
    """A disk that fails at one step."""

    def failing(call: Callable[..., Any], fails: Callable[..., bool]) -> Callable[..., Any]:
        def done(*given: Any, **named: Any) -> Any:
            if fails(*given):
                raise OSError(number, os.strerror(number))
            return call(*given, **named)

        return done

    def is_folder(handle: int) -> bool:
        return Path(f"/proc/self/fd/{handle}").is_dir()

    ways: dict[str, tuple[object, str, Callable[..., bool]]] = {
        "make": (os, "mkdir", lambda *_: True),
        "open": (Path, "open", lambda path, mode="r", *_: mode == "wb"),
        "fsync": (os, "fsync", lambda handle: not is_folder(handle)),
        "rename": (os, "replace", lambda *_: True),
        "open folder": (os, "open", lambda path, *_: Path(path).is_dir()),
        "fsync folder": (os, "fsync", is_folder),
    }
    with monkeypatch.context() as patch:
        if where == "write":
            patch.setattr(Path, "open", _tearing(Path.open, number))
        else:
            place, name, fails = ways[where]
            patch.setattr(place, name, failing(getattr(place, name), fails))
        yield


def _tearing(call: Callable[..., Any], number: int) -> Callable[..., Any]:
    """Files that take half of what is written, and then fail."""

    def done(path: Path, mode: str = "r", *rest: Any, **named: Any) -> Any:
        file = call(path, mode, *rest, **named)
        if mode != "wb":
            return file

        class Torn:
            """Such a file."""

            def write(self, data: bytes) -> int:
                file.write(data[: len(data) // 2])
                file.flush()
                raise OSError(number, os.strerror(number))

            def __enter__(self) -> Torn:
                return self

            def __exit__(self, *_: object) -> None:
                file.close()

        return Torn()

    return done


WHERE = ["make", "open", "write", "fsync", "rename", "open folder", "fsync folder"]


def refuses_and_resumes(sender: Sender, layer: int, harm: Callable[[], Any]) -> None:
    """The promise: told why, at once; no half file; and as if nothing had been when the harm is over."""
    begun = time.monotonic()
    with harm():
        assert not sender.send(layer)
    assert time.monotonic() - begun < AT_ONCE
    assert sender.refused[-1]
    assert sender.troubles[-1] == sender.refused[-1]
    assert layer not in sender.acknowledged
    assert sender.has_whole_files_only()
    assert sender.send(layer)
    assert sender.troubles[-1] == "", "it works again, and says so"
    assert sender.has_whole_files_only()
    assert checked(sender.journal.engine) == "ok"


@pytest.mark.parametrize("number", ERRORS, ids=errno.errorcode.get)
@pytest.mark.parametrize("where", WHERE)
def test_a_broken_disk_refuses_and_resumes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str, number: int
) -> None:
    sender = Sender(tmp_path)
    refuses_and_resumes(sender, 0, lambda: broken(monkeypatch, where, number))
    assert sender.spool.read(sender.journal.waiting(PRINTER)[0].path) == frame(0)


@pytest.mark.parametrize("number", ERRORS, ids=errno.errorcode.get)
@pytest.mark.parametrize("where", WHERE)
def test_a_broken_disk_leaves_a_frame_unjudged_until_it_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str, number: int
) -> None:
    sender = Sender(tmp_path)
    assert sender.send(0)
    with broken(monkeypatch, where, number), pytest.raises(StorageError, match=r"^heat/.*make room"):
        judge(sender.journal, sender.spool)
    assert len(sender.journal.waiting(PRINTER)) == 1
    assert not list(tmp_path.rglob("*.partial"))
    assert judge(sender.journal, sender.spool)
    assert not sender.journal.waiting(PRINTER)


@dataclass
class Pages:
    """How many pages the database may have."""

    journal: Journal
    most: int = 1 << 30

    def __post_init__(self) -> None:
        event.listen(self.journal.engine, "checkout", self._limit)

    def _limit(self, connection: Any, *_: Any) -> None:
        connection.execute(f"PRAGMA max_page_count={self.most}")

    @contextmanager
    def none_left(self) -> Iterator[None]:
        self.most = 1  # SQLite takes its present size
        yield
        self.most = 1 << 30


def test_a_full_database_refuses_and_resumes(tmp_path: Path) -> None:
    sender = Sender(tmp_path)
    pages = Pages(sender.journal)
    with pages.none_left():
        layer = next(layer for layer in range(100) if not sender.send(layer))
    refuses_and_resumes(sender, layer, pages.none_left)
    assert "disk is full" in sender.refused[0]
    assert len(sender.journal.waiting(PRINTER, 2000)) == len(sender.acknowledged)


def judge_all(sender: Sender) -> None:
    """Judge until nothing waits."""
    while judge(sender.journal, sender.spool):
        pass


def test_a_full_database_takes_verdict_and_messages_whole_or_not_at_all(tmp_path: Path) -> None:
    sender = Sender(tmp_path)
    pages, count = Pages(sender.journal), 40
    assert all(sender.send(layer, b"x") for layer in range(count))
    with pages.none_left(), pytest.raises(StorageError, match="disk is full"):
        judge_all(sender)
    waiting, done = len(sender.journal.waiting(PRINTER, count)), sender.journal.verdicts_of(PRINTER, JOB)
    told = [one for one in sender.journal.pending(SINK, time.time(), 1000) if one.kind == "verdict"]
    assert 0 < waiting == count - len(done)
    assert len(told) == len(done)
    judge_all(sender)
    assert [one.layer for one in sender.journal.verdicts_of(PRINTER, JOB)] == list(range(count))


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """The system itself refuses to let any file grow beyond a size in bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("size", [0, 700, 4096])
def test_a_limit_of_the_system_refuses_and_resumes(tmp_path: Path, size: int) -> None:
    sender = Sender(tmp_path)
    layer = next(layer for layer in range(20) if len(frame(layer)) > 5000)
    refuses_and_resumes(sender, layer, lambda: files_of_at_most(size))


def sends_or_refuses(sender: Sender, layer: int) -> None:
    """Nothing between the two, and nothing half in the spool."""
    is_kept = sender.send(layer)
    assert is_kept == (sender.troubles[-1] == "") == (layer in sender.acknowledged)
    assert sender.has_whole_files_only()


def test_a_limit_of_the_system_on_the_journal_refuses_and_resumes(tmp_path: Path) -> None:
    sender, layers = Sender(tmp_path), sorted(range(100), key=lambda layer: len(frame(layer)))
    assert sender.send(layers[-1])
    for number, size in enumerate(range(len(frame(layers[9])), 120_000, 12_000)):
        with files_of_at_most(size):
            sends_or_refuses(sender, layers[number])
        assert sender.send(layers[number])
        assert checked(sender.journal.engine) == "ok"
    assert any(text.startswith("the journal cannot be written") for text in sender.refused)
    assert len(sender.journal.waiting(PRINTER, 100)) == len(set(sender.acknowledged))


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A disk of 1 MiB, where this system lets us make one."""
    place = tmp_path / "small"
    place.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "layerwatch", place], capture_output=True)
    if made.returncode:
        pytest.skip("only root can make a small disk; the limits on file sizes are tested instead")
    yield place
    subprocess.run(["umount", "--lazy", place], check=True)


@contextmanager
def filled(place: Path, free: int) -> Iterator[None]:
    """A disk with so many bytes free, to the page."""
    filler = place / "filler"
    with suppress(OSError), filler.open("wb", buffering=0) as file:
        while file.write(bytes(4096)) == 4096:
            pass
    os.truncate(filler, max(0, filler.stat().st_size - free))
    yield
    filler.unlink()


@pytest.mark.parametrize("pages", [0, 1, 2, 4, 8, 12, 13, 14, 15, 16, 17, 18])
def test_a_disk_that_is_really_full_refuses_and_resumes(small: Path, pages: int) -> None:
    sender, chance = Sender(small), random.Random(pages)
    for _ in range(3):
        layer = chance.randint(0, 19)
        with filled(small, pages * 4096):
            sends_or_refuses(sender, layer)
        assert sender.send(layer)
    assert pages > 12 or sender.refused
    assert checked(sender.journal.engine) == "ok"
    sender.journal.engine.dispose()
