"""Messages of an outbox -> sinks, in order and at least once; a sink that is away is tried again, later and later."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Event, Thread
from typing import Protocol, runtime_checkable

from layerwatch.inspection.messages import Message
from layerwatch.inspection.sinks.base import Sink


@runtime_checkable
class Outbox(Protocol):
    """What waits for each sink, kept on disk; every sink's thread calls it."""

    def pending(self, sink: str, now: float, most: int) -> tuple[Message, ...]:
        """At most ``most`` in rising number; none while the first one waits for a time after ``now`` (s since 1970)."""

    def sent(self, sink: str, numbers: Sequence[int]) -> None:
        """The sink has these; they are not pending any more."""

    def failed(self, sink: str, number: int, reason: str, again: float) -> None:
        """The sink did not take it and is asked again at the time ``again``."""


@dataclass(frozen=True)
class Trouble:
    """Why a sink is behind, and when it is tried again."""

    reason: str
    tries: int
    again: float  # s since 1970


@dataclass
class Publisher:
    """Passes on what is pending, each sink for itself: its order is kept, and none waits for another."""

    outbox: Outbox
    sinks: Mapping[str, Sink]
    first: float = 0.5  # s, pause after the first failure; each further one doubles it
    longest: float = 30.0  # s, no pause is longer
    most: int = 100  # messages that are fetched at once
    poll: float = 0.1  # s, between two looks at an empty outbox
    patience: float = 10.0  # s, for what the sinks are at when it stops
    clock: Callable[[], float] = time.time
    _troubles: dict[str, Trouble] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def troubles(self) -> dict[str, str]:
        """Why a sink is behind, by its name; those that work are not in it."""
        return {name: trouble.reason for name, trouble in self._troubles.copy().items()}

    def step(self, now: float) -> int:
        """Pass on what is pending for each sink at ``now`` (s since 1970); how many messages were taken."""
        return sum(self._pass_on(name, now) for name in self.sinks)

    def run(self, stop: Event) -> None:
        """Pass on until told to stop, with one thread a sink; one that hangs is left behind after ``patience``."""
        threads = [
            Thread(target=self._serve, args=(name, stop), name=f"sink {name}", daemon=True) for name in self.sinks
        ]
        for thread in threads:
            thread.start()
        stop.wait()
        end = time.monotonic() + self.patience
        for thread in threads:
            thread.join(max(0.0, end - time.monotonic()))

    def _serve(self, name: str, stop: Event) -> None:
        while not stop.is_set():
            try:
                full = self._pass_on(name, self.clock(), stop) >= self.most
            except Exception as error:  # of the outbox: it is away for a while, or its disk is full
                self._stumble(name, f"outbox: {told(error)}", self.clock())
                full = False
            if not full:
                stop.wait(self.poll)

    def _pass_on(self, name: str, now: float, stop: Event | None = None) -> int:
        """Up to the first failure; unwanted kinds count as sent."""
        trouble, sink, taken = self._troubles.get(name), self.sinks[name], 0
        if trouble is not None:
            if now < trouble.again <= now + self.longest:  # more: the clock was set back
                return 0
            now = max(now, trouble.again)
        for message in self.outbox.pending(name, now, self.most):
            if stop is not None and stop.is_set():
                break
            try:
                if message.kind in sink.wants:
                    sink.take(message)
                    taken += 1
            except Exception as error:
                again = self._stumble(name, told(error), now)
                self.outbox.failed(name, message.number, told(error), again)
                break
            self.outbox.sent(name, (message.number,))
            self._troubles.pop(name, None)
        return taken

    def _stumble(self, name: str, reason: str, now: float) -> float:
        """Note a failure; when to try again."""
        known = self._troubles.get(name)
        tries = known.tries + 1 if known else 1
        again = now + min(self.longest, self.first * 2.0 ** min(tries - 1, 60))
        self._troubles[name] = Trouble(reason, tries, again)
        return again


def told(error: Exception) -> str:
    """The error in one line; one that nobody expected with its name."""
    text = " ".join(str(error).split())
    return text if type(error).__module__.startswith("layerwatch.") and text else f"{type(error).__name__}: {text}"
