"""Every message reaches every sink, in order, whatever fails on the way; no sink waits for another."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import Event, Lock, Thread

from hypothesis import given
from hypothesis import strategies as st

from layerwatch.inspection.messages import Kind, Message
from layerwatch.inspection.publisher import Publisher
from layerwatch.inspection.sinks.base import EVERYTHING, NotTakenError, Sink


@dataclass
class MemoryOutbox:
    """An outbox that keeps all in memory."""

    messages: Sequence[Message]
    done: dict[str, set[int]] = field(default_factory=dict)
    again: dict[tuple[str, int], float] = field(default_factory=dict)
    lock: Lock = field(default_factory=Lock)

    def pending(self, sink: str, now: float, most: int) -> tuple[Message, ...]:
        with self.lock:
            left = [one for one in self.messages if one.number not in self.done.setdefault(sink, set())]
            waits = bool(left) and self.again.get((sink, left[0].number), now) > now
            return () if waits else tuple(left[:most])

    def sent(self, sink: str, numbers: Sequence[int]) -> None:
        with self.lock:
            self.done[sink].update(numbers)

    def failed(self, sink: str, number: int, reason: str, again: float) -> None:
        with self.lock:
            self.again[sink, number] = again


@dataclass
class Flaky(Sink):
    """Fails as told: before it has the message, or after."""

    fails: list[str] = field(default_factory=list)
    kinds: tuple[Kind, ...] = EVERYTHING
    seconds: float = 0.0
    got: list[int] = field(default_factory=list)

    @property
    def wants(self) -> tuple[Kind, ...]:
        return self.kinds

    def take(self, message: Message) -> None:
        how = self.fails.pop(0) if self.fails else ""
        time.sleep(self.seconds)
        if how == "away":
            raise NotTakenError("the other side is away")
        if how == "broken":
            raise ZeroDivisionError("a mistake in the sink")
        self.got.append(message.number)
        if how == "lost answer":
            raise NotTakenError("no answer")


def messages(count: int, kind: Kind = "alarm") -> tuple[Message, ...]:
    return tuple(Message(kind, {}, "p", "j", number, float(number)) for number in range(1, count + 1))


def once(numbers: Sequence[int]) -> list[int]:
    return list(dict.fromkeys(numbers))


FAILS = st.lists(st.sampled_from(["", "away", "broken", "lost answer"]), max_size=30)


@given(count=st.integers(0, 12), a=FAILS, b=FAILS, most=st.integers(1, 20))
def test_every_message_arrives_in_order_and_none_is_lost(count: int, a: list[str], b: list[str], most: int) -> None:
    outbox, sinks = MemoryOutbox(messages(count)), {"a": Flaky(list(a)), "b": Flaky(list(b))}
    publisher, now = Publisher(outbox, sinks, most=most), 0.0
    for _ in range(count + len(a) + len(b)):
        publisher.step(now)
        now += 31.0
    for sink in sinks.values():
        assert once(sink.got) == list(range(1, count + 1))
        assert sink.got == sorted(sink.got), "what comes again comes at once, not after later ones"
    if count and not (a or b):
        assert publisher.troubles == {}


@given(st.integers(1, 8))
def test_pauses_double_up_to_the_longest(failures: int) -> None:
    sink = Flaky(["away"] * failures)
    publisher, now = Publisher(MemoryOutbox(messages(1)), {"a": sink}, first=0.5, longest=4.0), 100.0
    for number in range(failures):
        assert publisher.step(now) == 0
        assert publisher.troubles == {"a": "the other side is away"}
        pause = min(4.0, 0.5 * 2**number)
        assert publisher.step(now + 0.99 * pause) == 0
        assert len(sink.fails) == failures - number - 1, "not asked within the pause"
        now += pause
    assert publisher.step(now) == 1
    assert publisher.troubles == {}


def test_a_clock_that_is_set_back_does_not_make_a_sink_wait() -> None:
    publisher = Publisher(MemoryOutbox(messages(1)), {"a": Flaky(["away"])})
    assert publisher.step(10_000.0) == 0
    assert publisher.step(6_400.0) == 1


def test_kinds_that_a_sink_does_not_want_are_done_with() -> None:
    outbox, sink = MemoryOutbox(messages(3, "verdict")), Flaky(kinds=("alarm",))
    assert Publisher(outbox, {"a": sink}).step(0.0) == 0
    assert outbox.done["a"] == {1, 2, 3}
    assert sink.got == []


def running(publisher: Publisher) -> tuple[Thread, Event]:
    stop = Event()
    thread = Thread(target=publisher.run, args=(stop,))
    thread.start()
    return thread, stop


def wait_for(sink: Flaky, count: int) -> None:
    end = time.monotonic() + 20
    while len(once(sink.got)) < count and time.monotonic() < end:
        time.sleep(0.01)
    assert once(sink.got) == list(range(1, count + 1))


def test_a_slow_and_a_dead_sink_hold_up_nobody() -> None:
    sinks = {"good": Flaky(), "dead": Flaky(["broken"] * 10_000), "slow": Flaky(seconds=0.6)}
    publisher = Publisher(MemoryOutbox(messages(50)), sinks, first=0.01, longest=0.05, poll=0.01, patience=5.0)
    thread, stop = running(publisher)
    wait_for(sinks["good"], 50)
    assert len(sinks["slow"].got) < 50
    end = time.monotonic() + 20
    while "dead" not in publisher.troubles and time.monotonic() < end:
        time.sleep(0.01)
    assert publisher.troubles == {"dead": "ZeroDivisionError: a mistake in the sink"}
    sinks["dead"].fails.clear()
    wait_for(sinks["dead"], 50)
    stop.set()
    thread.join(20)
    assert not thread.is_alive()


@dataclass
class LockedOutbox(MemoryOutbox):
    """Fails some times first, as a database that is locked."""

    failures: int = 3

    def pending(self, sink: str, now: float, most: int) -> tuple[Message, ...]:
        self.failures -= 1
        if self.failures >= 0:
            raise OSError("database is locked")
        return super().pending(sink, now, most)


def test_an_outbox_that_fails_stops_no_thread() -> None:
    sink = Flaky()
    publisher = Publisher(LockedOutbox(messages(3)), {"a": sink}, first=0.01, longest=0.05, poll=0.01)
    thread, stop = running(publisher)
    wait_for(sink, 3)
    stop.set()
    thread.join(20)
    assert not thread.is_alive()
    assert publisher.troubles == {}
