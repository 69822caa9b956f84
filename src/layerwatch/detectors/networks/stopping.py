"""Ctrl-C in the middle of a step -> an end after that step, so that nothing of it is lost or half done."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@dataclass
class Stop:
    """Holds signals back that would end the process; a second one is passed on at once."""

    number: int = 0  # of the signal that came
    _before: dict[int, Any] = field(default_factory=dict)

    @property
    def is_asked(self) -> bool:
        """Whether a signal came."""
        return self.number != 0

    def _hold(self, number: int, frame: FrameType | None) -> None:
        if self.is_asked:
            self._pass_on(number, frame)
        self.number = number

    def _pass_on(self, number: int, frame: FrameType | None) -> None:
        handler = self._before[number]
        if callable(handler):
            handler(number, frame)
        else:
            raise KeyboardInterrupt


@contextmanager
def held_back() -> Iterator[Stop]:
    """Within the block, a signal that would end the process waits for its end; only the main thread hears any."""
    stop = Stop()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    held = [number for number in _SIGNALS if signal.getsignal(number) not in (signal.SIG_IGN, signal.SIG_DFL, None)]
    stop._before |= {number: signal.signal(number, stop._hold) for number in held}
    try:
        yield stop
    finally:
        for number, handler in stop._before.items():
            signal.signal(number, handler)
    if stop.is_asked:
        stop._pass_on(stop.number, None)
