"""A running service -> a small file every few seconds that says which process lives and which stage has moved when.

Times that are compared are those of ``time.monotonic``, which all processes of a machine share and no clock jump moves.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Lock, Thread
from typing import Any

from layerwatch.inspection.systemd import ALIVE, tell_systemd


@dataclass(frozen=True)
class Stage:
    """How one loop of the service is."""

    moved: float  # s, of time.monotonic
    is_busy: bool


@dataclass(eq=False)
class Pulse:
    """What the loops of a service say of themselves; any thread may call it."""

    _stages: dict[str, Stage] = field(default_factory=dict)
    _lock: Any = field(default_factory=Lock, repr=False)

    def beat(self, stage: str) -> None:
        """The stage has moved; whether it is busy stays as it was."""
        with self._lock:
            was = self._stages.get(stage)
            self._stages[stage] = Stage(time.monotonic(), was is not None and was.is_busy)

    def busy(self, stage: str) -> None:
        """The stage has taken work."""
        self._set(stage, is_busy=True)

    def idle(self, stage: str) -> None:
        """The stage is done and waits."""
        self._set(stage, is_busy=False)

    def stages(self) -> dict[str, Stage]:
        """All stages, as they are now."""
        with self._lock:
            return dict(self._stages)

    def hung(self, now: float, most: float) -> tuple[str, ...]:
        """Stages that are busy and have not moved for more than ``most`` s; ``now`` is of time.monotonic."""
        return hung_stages(self.stages(), now, most)

    def _set(self, stage: str, *, is_busy: bool) -> None:
        with self._lock:
            self._stages[stage] = Stage(time.monotonic(), is_busy)


@dataclass(frozen=True)
class Heartbeat:
    """Writes the file, and tells systemd that we live as long as no stage hangs."""

    path: Path
    pulse: Pulse
    every: float = 2.0  # s
    most: float = 8.0  # s that a busy stage may stand still before systemd is told no more
    started: float = field(default_factory=time.time)  # s since 1970 in UTC

    def write(self) -> None:
        """One sign of life: written beside the file, then renamed; not flushed, as it must not outlive the machine."""
        partial = self.path.with_name(f".{self.path.name}.partial")
        partial.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(json.dumps(self._told()), encoding="utf-8")
        partial.replace(self.path)

    def run(self, stop: Event) -> None:
        """Write every few seconds until ``stop``. A full disk shows as a heart that does not beat."""
        while True:
            with suppress(OSError):
                self.write()
            if not self.pulse.hung(time.monotonic(), self.most):
                tell_systemd(ALIVE)
            if stop.wait(self.every):
                return

    @contextmanager
    def beating(self) -> Iterator[None]:
        """Beats in a thread of its own while the block runs; the file goes with a clean end."""
        stop = Event()
        thread = Thread(target=self.run, args=(stop,), name="heartbeat", daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()
            with suppress(OSError):
                self.path.unlink(missing_ok=True)

    def _told(self) -> dict[str, Any]:
        stages = {name: {"moved": s.moved, "busy": s.is_busy} for name, s in self.pulse.stages().items()}
        times = {"time": time.time(), "monotonic": time.monotonic(), "started": self.started}
        return {"pid": os.getpid(), **times, "stages": stages}


def hung_stages(stages: dict[str, Stage], now: float, most: float) -> tuple[str, ...]:
    """Names of the busy stages that have not moved for more than ``most`` s."""
    return tuple(name for name, stage in stages.items() if stage.is_busy and now - stage.moved > most)
