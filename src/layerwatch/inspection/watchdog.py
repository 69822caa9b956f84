"""The heartbeat file of a service -> alive, hung or dead, told by another process within 10 s."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Literal

from layerwatch.inspection.heartbeat import Stage, hung_stages

State = Literal["alive", "hung", "dead"]
_AHEAD = 1.0  # s that a heartbeat may lie in the future; more: it is of the time before a restart of the machine


@dataclass(frozen=True)
class Health:
    """How a service is, and why we think so."""

    state: State
    text: str


@dataclass(frozen=True)
class _Beat:
    """A heartbeat as read."""

    pid: int
    at: float  # s, of time.monotonic
    stages: dict[str, Stage]


def look(path: Path, now: float, most: float = 8.0) -> Health:
    """How the service is that writes this file; ``now`` is of time.monotonic, ``most`` in s.

    Must run on the same machine as the service, and see its processes.
    """
    beat = _read(path)
    if isinstance(beat, Health):
        return beat
    age = now - beat.at
    if age < -_AHEAD or not _lives(beat.pid):
        return Health("dead", f"process {beat.pid} is gone; see its log, systemd starts it again")
    if age > most:
        return Health("hung", f"process {beat.pid} has given no sign for {age:.0f} s; end it, systemd starts it again")
    hung = hung_stages(beat.stages, now, most)
    if hung:
        return Health("hung", f"process {beat.pid} lives, but no progress for {most:g} s in: {', '.join(hung)}")
    return Health("alive", f"process {beat.pid}, last sign {max(age, 0):.0f} s ago")


def watch(path: Path, tell: Callable[[Health], None], stop: Event, every: float = 1.0, most: float = 8.0) -> None:
    """Look every second until ``stop``; tell the first state and each change of it."""
    last = ""
    while True:
        health = look(path, time.monotonic(), most)
        if health.state != last:
            last = health.state
            tell(health)
        if stop.wait(every):
            return


def _read(path: Path) -> _Beat | Health:
    """The heartbeat, or what it means that there is none."""
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        stages = {str(name): Stage(float(s["moved"]), bool(s["busy"])) for name, s in told["stages"].items()}
        return _Beat(int(told["pid"]), float(told["monotonic"]), stages)
    except FileNotFoundError:
        return Health("dead", f"no {path}: the service was not started, or was stopped")
    except OSError as error:
        return Health("dead", f"{path} cannot be read: {error.strerror}")
    except (ValueError, KeyError, TypeError, AttributeError):
        return Health("dead", f"{path} is broken; remove it and start the service again")


def _lives(pid: int) -> bool:
    """Whether there is a process of that number that still runs; one that only waits to be buried does not."""
    if pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    try:
        status = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:  # a system without /proc
        return True
    return status.rpartition(")")[2].split()[:1] not in (["Z"], ["X"])
