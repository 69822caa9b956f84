"""A small service that is there to be killed: numbers of layers on stdin -> "ack N" on stdout once layer N is safe.

One line of stdin is one life, as JSON of an ``Order``. Each is a process of its own, forked from one that has imported
all it needs. It says "pid P", "ready now" when its data folder is open, "ack N" for each frame, and "end STATUS".
"""

from __future__ import annotations

import json
import os
import random
import sys
import time
import traceback
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from threading import Event, Thread

from layerwatch.inspection import failpoints
from layerwatch.inspection.deliveries import Delivery, Identity, Receipt
from layerwatch.inspection.journal.database import open_engine
from layerwatch.inspection.journal.entries import Entry, Outcome
from layerwatch.inspection.journal.journal import Journal
from layerwatch.inspection.journal.tables import metadata
from layerwatch.inspection.messages import verdict_message
from layerwatch.inspection.receiver import Receiver
from layerwatch.inspection.spool import Spool
from layerwatch.records import Verdict

PRINTER, JOB, SINK = "printer", "job", "s"
DATABASE, PUBLISHED = "journal.db", "published.txt"
CRASHED = 137
_IDLE = 0.002  # s


@dataclass(frozen=True)
class Order:
    """What one life is to do."""

    folder: str
    frames: list[int] = field(default_factory=list)  # layers, in the order in which they are sent
    point: str = ""  # of failpoints.POINTS, at which it ends; empty: none
    count: int = 1  # of passes of that point, the last of which ends it


def frame(layer: int) -> bytes:
    """What the camera saw of a layer; the same whenever it is asked."""
    chance = random.Random(layer)
    return chance.randbytes(chance.randint(1_000, 60_000))


def say(text: str) -> None:
    """A line on stdout, at once."""
    os.write(1, f"{text}\n".encode())


def end_at(point: str, count: int) -> None:
    """End the process at the given pass of a point."""
    left = [count]

    def ended(name: str) -> None:
        left[0] -= name == point
        if left[0] == 0:
            os._exit(CRASHED)

    failpoints.hook = ended


def journal_in(folder: Path) -> Journal:
    """The journal of a data folder."""
    engine = open_engine(f"sqlite:///{folder / DATABASE}")
    metadata.create_all(engine)
    return Journal(engine, {SINK: ("verdict", "job")})


def judge(journal: Journal, spool: Spool) -> bool:
    """Find the next frame healthy; False where none waits."""
    for one in journal.waiting(PRINTER):
        heat = spool.keep_heat(one.identity, one.sha256.encode())
        verdict = Verdict(one.identity.job, one.identity.layer, "OK", score=0.0)
        entry = Entry(verdict, one.number, heat=heat)
        journal.record(Outcome(PRINTER, one.identity.job, (entry,), (), (verdict_message(verdict),)))
        return True
    return False


def publish(journal: Journal, path: Path) -> bool:
    """Tell the sink what waits for it; False where nothing does."""
    told = journal.pending(SINK, time.time(), 100)
    for message in told:
        with failpoints.step("publish"):
            _append(path, message.number)
        journal.sent(SINK, [message.number])
    return bool(told)


def _append(path: Path, number: int) -> None:
    with path.open("ab", buffering=0) as file:
        file.write(f"{number}\n".encode())
        os.fsync(file.fileno())


def serve(order: Order) -> None:
    """Receive in this thread, judge and publish in another one, until all is done."""
    folder, stop, woken = Path(order.folder), Event(), Event()
    spool, journal = Spool(folder), journal_in(folder)
    spool.sweep()
    say("ready now")
    receiver = Receiver(spool, journal, woken, _complain)
    loop = Thread(target=_loop, args=(journal, spool, stop, woken))
    loop.start()
    for layer in order.frames:
        identity = Identity(PRINTER, JOB, layer)
        receiver.take(
            Delivery(identity, frame(layer), ".png", f"{layer}.png", acknowledge=partial(_acknowledge, layer))
        )
    stop.set()
    loop.join()


def _complain(text: str) -> None:
    if text:
        sys.stderr.write(f"{text}\n")


def _acknowledge(layer: int, receipt: Receipt) -> None:
    say(f"ack {layer} {receipt.word}")


def _loop(journal: Journal, spool: Spool, stop: Event, woken: Event) -> None:
    try:
        while True:
            is_last = stop.is_set()
            did = judge(journal, spool) | publish(journal, spool.folder / PUBLISHED)
            if is_last and not did:
                return
            if not did:
                woken.wait(_IDLE)
                woken.clear()
    except BaseException:
        traceback.print_exc()
        os._exit(1)


def _live(order: Order) -> None:
    status = 1
    try:
        say(f"pid {os.getpid()}")
        if order.point:
            end_at(order.point, order.count)
        serve(order)
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)


def main() -> None:
    """One life a line, one after the other."""
    for line in sys.stdin:
        order = Order(**json.loads(line))
        child = os.fork()
        if child == 0:
            _live(order)
        say(f"end {os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])}")


if __name__ == "__main__":
    main()
