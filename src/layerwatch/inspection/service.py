"""Printers, journal and sinks -> a running service: one loop a printer, in two halves that wait for each other nowhere.

The receiving half only keeps and acknowledges; the judging half takes what is kept in its order. A backlog therefore
grows on the disk, not in memory, and no frame is dropped.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from threading import Event, Thread

from layerwatch.inspection.accounts import alarm_told
from layerwatch.inspection.alarm_states import AlarmState, due, moved, shelf_over, state_from
from layerwatch.inspection.alarm_states import as_json as state_json
from layerwatch.inspection.cameras.base import Camera
from layerwatch.inspection.heartbeat import Heartbeat, Pulse
from layerwatch.inspection.job_end import Unpacked, end_job
from layerwatch.inspection.journal.journal import Journal
from layerwatch.inspection.messages import Message
from layerwatch.inspection.publisher import Publisher
from layerwatch.inspection.receiver import Receiver
from layerwatch.inspection.scorer import Inspected, Scorer
from layerwatch.inspection.sinks.base import Sink
from layerwatch.inspection.spool import Spool, StorageError
from layerwatch.inspection.systemd import READY, STOPPING, tell_systemd
from layerwatch.inspection.triggers.base import Trigger

HEARTBEAT = "heartbeat.json"
_LOOK = 1.0  # s between two looks at alarms and troubles
_TEND = 3600.0  # s between two looks at what may be removed
_END = 5.0  # s that a stop waits for what is being judged


def nothing() -> None:
    """No upkeep."""


def unseen(done: Unpacked, mm_per_px: float) -> None:
    """Nobody looks at the end of jobs."""


def unkept(job: str, layers: Sequence[int]) -> None:
    """Nobody keeps which layers began."""


def unchanged() -> Inspected | None:
    """The same model and line for ever."""
    return None


@dataclass(frozen=True, eq=False)
class Line:
    """One printer: where its frames come from, and how they are judged."""

    camera: Camera
    inspected: Inspected
    trigger: Trigger | None = None  # tells the layer that the machine is at
    escalate_after: float = 300.0  # s until an alarm that nobody acknowledged is told again
    renew: Callable[[], Inspected | None] = unchanged  # asked when a job begins: another model or line; None: the same
    over_after: float = 3600.0  # s without a frame, after which a job is over
    over_soon: float = 300.0  # the same where another job has had frames since


@dataclass(eq=False)
class Service:
    """Runs until told to stop; whatever kills it in between, the next run goes on where the journal stands."""

    folder: Path
    journal: Journal
    lines: Sequence[Line]
    sinks: Mapping[str, Sink]
    heartbeat: float = 2.0  # s
    tend: Callable[[], None] = nothing  # done once an hour: retention
    job_ended: Callable[[Unpacked, float], None] = unseen  # told of each, with mm a pixel of the plans
    pulse: Pulse = field(default_factory=Pulse)
    _tended: float = 0.0
    _scorers: dict[str, Scorer] = field(default_factory=dict)  # by printer
    _troubles: dict[tuple[str, str], str] = field(default_factory=dict)

    def run(self, stop: Event, *, until_done: bool = False) -> None:
        """Receive, judge and publish.

        Args:
            stop: set from outside to end cleanly: what is being judged is finished, the rest waits in the journal.
            until_done: end also when all cameras have ended and everything is judged and published.
        """
        Spool(self.folder).sweep()
        self._say_all("online", "watching")
        over, publisher = Event(), Publisher(self.journal, self.sinks)
        beating = Heartbeat(self.folder / HEARTBEAT, self.pulse, self.heartbeat)
        threads = [self._begin(line, over) for line in self.lines]
        publishing = _thread("publisher", lambda: publisher.run(over))
        tell_systemd(READY)
        with beating.beating():
            while not stop.wait(min(_LOOK, self.heartbeat)):
                self._look_after(publisher)
                if until_done and not any(one.is_alive() for one, _ in threads) and self._is_done():
                    break
            tell_systemd(STOPPING)
            self._say_all("offline", "stopped")
            over.set()
            for thread in (*(one for pair in threads for one in pair), publishing):
                thread.join(_END)
        publisher.step(time.time())
        for sink in self.sinks.values():
            sink.close()

    def inspected(self, printer: str) -> Inspected:
        """How a printer's frames are judged now."""
        if printer in self._scorers:
            return self._scorers[printer].inspected
        return next(line.inspected for line in self.lines if line.inspected.printer == printer)

    def _begin(self, line: Line, over: Event) -> tuple[Thread, Thread]:
        """The two halves of a printer's loop."""
        name, woken, spool = line.inspected.printer, Event(), Spool(self.folder)
        at = _Progress(line.trigger, partial(self.journal.began, name))
        receiver = Receiver(spool, self.journal, woken, partial(self._trouble, name, "receive"), at.current)
        if line.trigger is not None:
            _thread(f"trigger {name}", lambda: self._guarded(name, lambda: at.run(over)))
        scorer = Scorer(
            line.inspected, self.journal, spool, lambda text: self._trouble(name, "judge", text), line.renew
        )
        self._scorers[name] = scorer

        def judge() -> None:
            scorer.run(over, woken, lambda busy: (self.pulse.busy if busy else self.pulse.idle)(f"judge {name}"))

        receiving = _thread(f"receive {name}", lambda: self._guarded(name, lambda: receiver.run(line.camera, over)))
        return receiving, _thread(f"judge {name}", lambda: self._lasting(name, judge, over))

    def _lasting(self, printer: str, work: Callable[[], None], over: Event) -> None:
        """The same again after an error that nobody expected, which is told."""
        while not over.is_set():
            self._guarded(printer, work)
            over.wait(_LOOK)

    def _guarded(self, printer: str, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception as error:  # anything: the other printers go on
            self._trouble(printer, "unexpected", f"{type(error).__name__}: {error}")

    def _trouble(self, printer: str, what: str, text: str) -> None:
        """Say once that something is wrong, and once that it is over."""
        before = self._troubles.get((printer, what), "")
        if bool(text) == bool(before):
            return
        self._troubles[printer, what] = text
        event = {"event": "trouble" if text else "trouble over", "stage": what, "text": text or f"{what}: works again"}
        try:
            self.journal.say([Message("printer", event, printer)])
        except StorageError:
            self._troubles[printer, what] = before  # said when it can be written

    def _remark(self, printer: str, texts: Sequence[str]) -> None:
        """Say once what nobody must mend."""
        if not texts:
            return
        with suppress(StorageError):
            self.journal.say([Message("printer", {"event": "remark", "text": text}, printer) for text in texts])

    def _look_after(self, publisher: Publisher) -> None:
        for line in self.lines:
            self._trouble(line.inspected.printer, "camera", line.camera.trouble)
            self._remark(line.inspected.printer, line.camera.remarks())
            if line.trigger is not None:
                self._trouble(line.inspected.printer, "trigger", line.trigger.trouble)
            with suppress(StorageError, OSError):
                self._escalate(line)
                self._end_jobs(line)
        for sink, reason in publisher.troubles.items():
            self._trouble("", f"sink {sink}", reason)
        for printer, what in list(self._troubles):
            if what.startswith("sink ") and what.removeprefix("sink ") not in publisher.troubles:
                self._trouble(printer, what, "")

        if time.monotonic() - self._tended > _TEND or not self._tended:
            self._tended = time.monotonic()
            self._guarded("", self.tend)

    def _end_jobs(self, line: Line) -> None:
        """Jobs of which nothing more comes and everything is judged."""
        printer = line.inspected.printer
        running = self.journal.jobs_of(printer, running=True)
        if not running or self.journal.waiting(printer):
            return
        newest = max(running, key=lambda one: one[2])
        for one in running:
            patience = line.over_after if one is newest else line.over_soon
            if time.time() - one[2] > patience:
                if printer in self._scorers:
                    self._scorers[printer].never_came(one[1], self.journal.without_frame(printer, one[1]))
                reader = line.inspected.reader
                done = end_job(self.journal, self.folder, printer, one[1], reader.plans)
                self._guarded(printer, partial(self.job_ended, done, reader.mm_per_px))

    def _escalate(self, line: Line) -> None:
        """Alarms that nobody has acknowledged in time, and those whose time on the shelf is over."""
        printer, now = line.inspected.printer, time.time()
        for _, job, _ in self.journal.jobs_of(printer, running=True):
            for alarm in self.journal.alarms_of(printer, job):
                state = state_from(alarm.state)
                action = _overdue(state, now, line.escalate_after) if alarm.is_open else ""
                if action:
                    after = replace(alarm, state=state_json(moved(state, action, at=now)))
                    told = alarm_told("escalated" if action == "escalate" else "raised", after, printer, job)
                    self.journal.set_alarm(printer, job, after, told)

    def _is_done(self) -> bool:
        waits = any(self.journal.waiting(line.inspected.printer) for line in self.lines)
        return not waits and not self.journal.counts()["outbox"]

    def _say_all(self, event: str, text: str) -> None:
        told = [Message("printer", {"event": event, "text": text}, line.inspected.printer) for line in self.lines]
        with suppress(StorageError):
            self.journal.say(told)


@dataclass(eq=False)
class _Progress:
    """Where a machine is, by its trigger."""

    trigger: Trigger | None
    began: Callable[[str, Sequence[int]], None] = unkept  # told job and layers
    _at: tuple[str, int] | None = None
    _unkept: dict[str, list[int]] = field(default_factory=dict)  # by job: what could not be written yet

    def current(self) -> tuple[str, int] | None:
        """Job and layer."""
        return self._at

    def run(self, over: Event) -> None:
        """Listen until it is over."""
        for started in self.trigger.layers(over) if self.trigger is not None else ():
            self._at = (started.job, started.layer)
            self._unkept.setdefault(started.job, []).append(started.layer)
            with suppress(StorageError):  # tried again with the next one; the frames tell of the trouble
                for job in list(self._unkept):
                    self.began(job, self._unkept[job])
                    del self._unkept[job]


def _overdue(state: AlarmState, now: float, escalate_after: float) -> str:
    if due(state, now, escalate_after):
        return "escalate"
    return "unshelve" if shelf_over(state, now) else ""


def _thread(name: str, work: Callable[[], None]) -> Thread:
    thread = Thread(target=work, name=name, daemon=True)
    thread.start()
    return thread
