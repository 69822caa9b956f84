"""A client that sends layers to a service, kills it, sends again, and counts what was lost or doubled."""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import IO

from tests.inspection.crash_child import CRASHED, DATABASE, PUBLISHED, Order, frame

from layerwatch.inspection.spool import HEAT, Spool

_BUSY = 10  # lines that a life has said before its kill, at most
_SOONEST, _LATEST = 0.005, 0.080  # s, from then to the kill
_VERDICTS = "SELECT json_extract(body, '$.layer') FROM messages WHERE kind = 'verdict'"
_MOST = 200  # new layers of one life; more than it has time for
_AGAIN = 5  # acknowledged layers that are sent again, at most
_PASSES = 6  # of a failpoint, at most, before a life ends there; it has more frames


@dataclass
class Child:
    """The process of which each life is forked."""

    to: IO[str]
    said: IO[str]

    def live(self, order: Order, after: int | None = None, seconds: float = 0.0) -> tuple[list[tuple[int, str]], int]:
        """One life.

        Args:
            order: what it is to do.
            after: it is killed when it has said so many lines: 1 at its birth, 2 when it is ready; None: it may end.
            seconds: that the kill comes later than that.

        Returns:
            The layers it acknowledged, each with what it said of it, and its exit status.
        """
        self.to.write(json.dumps(asdict(order)) + "\n")
        self.to.flush()
        acknowledged, pid = list[tuple[int, str]](), 0
        for number, line in enumerate(self.said, start=1):
            word, what, *rest = line.split()
            if word == "pid":
                pid = int(what)
            elif word == "ack":
                acknowledged.append((int(what), rest[0]))
            elif word == "end":
                return acknowledged, int(what)
            if number == after:
                time.sleep(seconds)
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        raise AssertionError("the service's parent ended")


@contextmanager
def child() -> Iterator[Child]:
    """Start the process; it ends with the block."""
    command = [sys.executable, str(Path(__file__).with_name("crash_child.py"))]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield Child(process.stdin, process.stdout)
        process.stdin.close()
        process.wait(60)


@dataclass
class Client:
    """Knows which layers were acknowledged, and sends the others until they are."""

    child: Child
    folder: Path
    seed: int
    acknowledged: set[int] = field(default_factory=set)
    forgotten: set[int] = field(default_factory=set)  # acknowledged, sent again, and taken for new
    chance: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)

    def order(self, new: int, point: str = "", count: int = 1) -> Order:
        """Some acknowledged layers again, at random, and then those that were not, from the first one on."""
        known = sorted(self.acknowledged)
        again = self.chance.sample(known, min(len(known), self.chance.randint(0, _AGAIN)))
        first = [n for n in range(len(known) + new) if n not in self.acknowledged][:new]
        return Order(str(self.folder), again + first, point, count)

    def kill_once(self) -> bool:
        """One life that is killed; False where it was done before."""
        moment = self.chance.randint(1, _BUSY), self.chance.uniform(_SOONEST, _LATEST)
        acknowledged, status = self.child.live(self.order(_MOST), *moment)
        self._hear(acknowledged)
        assert status in (-signal.SIGKILL, 0), f"the service ended by itself with {status}"
        return bool(status)

    def crash_at(self, point: str) -> bool:
        """One life that ends at a failpoint, at a random pass; False where it never came there."""
        acknowledged, status = self.child.live(self.order(7, point, self.chance.randint(1, _PASSES)))
        self._hear(acknowledged)
        return status == CRASHED

    def _hear(self, acknowledged: list[tuple[int, str]]) -> None:
        for layer, word in acknowledged:
            if layer in self.acknowledged and word != "duplicate":
                self.forgotten.add(layer)
            self.acknowledged.add(layer)

    def findings(self) -> Findings:
        """What is wrong after the last life."""
        return findings(self.folder, self.acknowledged, self.forgotten)

    def finish(self) -> None:
        """A life in peace, in which everything is done."""
        acknowledged, status = self.child.live(self.order(5))
        self._hear(acknowledged)
        assert status == 0, f"the service ended by itself with {status}"


@dataclass(frozen=True)
class Findings:
    """What is wrong in a data folder after the last life; all zero and whole where nothing is."""

    acknowledged: int
    lost: int  # acknowledged, but row or file is missing or not what was sent, at the end or when it was sent again
    doubled: int  # layers with more than one row, file, verdict or verdict message
    unjudged: int
    untold: int  # messages that never reached the sink
    disordered: int  # messages that reached it before an earlier one
    half_files: int
    integrity: str

    @property
    def is_clean(self) -> bool:
        """Whether every promise was kept."""
        wrong = self.lost + self.doubled + self.unjudged + self.untold + self.disordered + self.half_files
        return wrong == 0 and self.integrity == "ok"


def findings(folder: Path, acknowledged: set[int], forgotten: set[int]) -> Findings:
    """Look at a data folder whose service has ended, with other eyes than the service's."""
    spool = Spool(folder)
    spool.sweep()
    with closing(sqlite3.connect(folder / DATABASE)) as base:
        frames = base.execute("SELECT layer, sha256, path FROM frames").fetchall()
        verdicts = Counter(layer for (layer,) in base.execute("SELECT layer FROM verdicts"))
        messages = Counter(layer for (layer,) in base.execute(_VERDICTS))
        queued = {number for (number,) in base.execute("SELECT number FROM messages")}
        integrity = str(base.execute("PRAGMA integrity_check").fetchone()[0])
    whole = {layer for layer, sha256, path in frames if is_whole(folder / path, layer, sha256)}
    told = [int(line) for line in (folder / PUBLISHED).read_text(encoding="ascii").split()]
    rows = Counter(layer for layer, *_ in frames)
    files = Counter(int(path.name.split("_")[0]) for path in (folder / "frames").rglob("*.png"))
    heat = [path for path in (folder / HEAT).rglob("*.png") if len(path.read_bytes()) != 64]
    return Findings(
        len(acknowledged),
        len(acknowledged - whole | forgotten),
        sum(count > 1 for counted in (rows, files, verdicts, messages) for count in counted.values()),
        len(rows.keys() - verdicts.keys()),
        len(queued - set(told)),
        sum(later < earlier for earlier, later in pairwise(told)),
        len(list(folder.rglob("*.partial"))) + len(heat) + len(rows.keys() - whole),
        integrity,
    )


def is_whole(path: Path, layer: int, sha256: str) -> bool:
    """Whether a kept file is the frame that was sent and that the journal speaks of."""
    if not path.is_file():
        return False
    data = path.read_bytes()
    return data == frame(layer) and hashlib.sha256(data).hexdigest() == sha256


def kills(child: Child, folder: Path, count: int, seed: int) -> Findings:
    """R1: that many kills at random moments, and what is wrong afterwards."""
    client, done = Client(child, folder, seed), 0
    while done < count:
        done += client.kill_once()
    client.finish()
    return client.findings()


def crash(child: Child, folder: Path, point: str, seed: int) -> tuple[bool, Findings]:
    """R2: one crash at a failpoint; whether it was reached, and what is wrong afterwards."""
    client = Client(child, folder, seed)
    is_reached = client.crash_at(point)
    client.finish()
    return is_reached, client.findings()
