"""Frames that wait in the journal -> verdicts, alarms and messages, each frame's in one transaction.

After a restart the frames of the running job that were judged before are taken again by gate and detector, and its
verdicts by the alarms, so that what follows is what would have followed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from threading import Event, Lock

from layerwatch.images.gate.dropped import Dropped
from layerwatch.inspection import accounts
from layerwatch.inspection.alarm_states import MOVES, AlarmState, moved, state_from
from layerwatch.inspection.examiner import Examiner, Judged, refused
from layerwatch.inspection.journal.entries import AlarmEntry, Entry, Frame, Outcome
from layerwatch.inspection.journal.journal import Journal
from layerwatch.inspection.messages import Message
from layerwatch.inspection.reading import FrameReader
from layerwatch.inspection.spool import Spool, StorageError
from layerwatch.records import Fault
from layerwatch.verdict.alarm import AlarmRules, Change, JobAlarms
from layerwatch.verdict.objects import Sighting, Tracker, sighted

_WAIT = 0.2  # s between two looks at the journal, where nobody wakes us
_AGAIN = 0.5  # s after which a disk that was full is tried again
_SYSTEM = {"reopened": "reopen", "cleared": "clear"}  # what the system does to a state, by what it saw


def unheard(text: str) -> None:
    """The listener to troubles where nobody wants to know."""


def unwatched(is_busy: bool) -> None:
    """The listener to work that nobody watches."""


@dataclass(frozen=True, eq=False)
class Inspected:
    """How one printer's frames are judged."""

    printer: str
    examiner: Examiner
    reader: FrameReader
    rules: AlarmRules
    layer_height: float = 0.3  # mm
    model: str = ""  # name and SHA-256 of the model in force
    keep_heat: bool = True
    shadow: Examiner | None = None  # a second model that judges silently what the gate lets pass


@dataclass(eq=False)
class Scorer:
    """The second half of the one loop, for one printer."""

    inspected: Inspected
    journal: Journal
    spool: Spool
    trouble: Callable[[str], None] = unheard  # told why nothing can be written; empty when it works again
    renew: Callable[[], Inspected | None] | None = None  # asked when a job begins; None: the same as before
    _job: str | None = None
    _alarms: JobAlarms | None = None
    _alive: Callable[[bool], None] = unwatched
    _lock: Lock = field(default_factory=Lock)  # one of the judging thread and whoever ends jobs

    def step(self) -> bool:
        """Judge the next frame that waits; False where none does.

        Raises:
            StorageError: what was found cannot be written; the frame waits on.
        """
        with self._lock:
            waiting = self.journal.waiting(self.inspected.printer)
            if waiting:
                self._take(waiting[0])
        return bool(waiting)

    def never_came(self, job: str, layers: Sequence[int]) -> None:
        """Layers that the machine began and whose frames did not come by the job's end: gaps like those inside it.

        Raises:
            StorageError: it cannot be written; call again.
        """
        if not layers:
            return
        with self._lock:
            alarms = self._alarms_of(job)
            self._job = None if job == self._job else self._job  # whatever still comes meets the journal as it is then
            self._record(job, [refused(_gap(job, layer)) for layer in layers], alarms)

    def _take(self, frame: Frame) -> None:
        try:
            if frame.identity.job != self._job:
                self._follow(frame.identity.job)
            self._judge(frame)
        except StorageError:
            self._job = None  # gate, detector and alarms have seen what nobody will know of: begin again
            raise
        except Exception as error:  # whatever it is, the next frames must be judged
            self._job = None
            self._give_up(frame, error)

    def _give_up(self, frame: Frame, error: Exception) -> None:
        """A frame that breaks the program is recorded as a fault; its bytes stay, so that it can be looked at."""
        one, identity = self.inspected, frame.identity
        evidence, advice = f"{type(error).__name__}: {error}"[:500], "report this with the frame's file"
        judged = refused(Fault(identity.job, identity.layer, "program error", evidence, advice, frame.name))
        entry = accounts.entry_of(judged, frame.number, {"received": frame.received}, "", one.model)
        told = accounts.verdict_told(entry, one.printer, frame.path, self.spool.folder)
        self.journal.record(Outcome(one.printer, identity.job, (entry,), (), (told,)))

    def run(self, stop: Event, woken: Event, busy: Callable[[bool], None] = unwatched) -> None:
        """Judge whatever comes until told to stop; a full disk is waited for."""
        self._alive = busy
        while not stop.is_set():
            try:
                busy(True)
                while not stop.is_set() and self.step():
                    busy(True)
                self.trouble("")
            except StorageError as error:
                self.trouble(str(error))
                stop.wait(_AGAIN)
                continue
            finally:
                busy(False)
            woken.wait(_WAIT)
            woken.clear()

    def _follow(self, job: str) -> None:
        """Stand where the journal stands with this job."""
        self.inspected = (self.renew() if self.renew is not None else None) or self.inspected
        one = self.inspected
        one.examiner.begin(job)
        if one.shadow is not None:
            one.shadow.begin(job)
        for before in self.journal.judged(one.printer, job):
            self._alive(True)  # a long job takes longer than a hung one may
            with suppress(Exception):  # one that broke the program then does so again
                for judged in one.examiner.take(one.reader.read(before)) if before.path else ():
                    self._beside(judged)
        self._alarms, self._job = self._alarms_of(job), job

    def _alarms_of(self, job: str) -> JobAlarms:
        """The job's alarms as the journal has them."""
        one = self.inspected
        alarms = JobAlarms(one.rules, Tracker(one.reader.judged_mm_per_px, one.layer_height))
        for stored in self.journal.verdicts_of(one.printer, job):
            verdict, told = stored.verdict, stored.body.get("sightings", [])
            sightings = tuple(
                Sighting(region, float("nan") if edge is None else edge, z)
                for region, (edge, z) in zip(verdict.regions, told, strict=False)
            )
            alarms.take(verdict, sightings, stored.fault)
        return alarms

    def _judge(self, frame: Frame) -> None:
        one, clock = self.inspected, Clock()
        with clock.part("read"):
            image = one.reader.read(frame)
        with clock.part("judge"):
            found = list(one.examiner.take(image))
        assert self._alarms is not None  # noqa: S101 # a job is followed
        self._record(frame.identity.job, found, self._alarms, frame, clock)

    def _record(
        self,
        job: str,
        found: Sequence[Judged],
        open_: JobAlarms,
        frame: Frame | None = None,
        clock: Clock | None = None,
    ) -> None:
        """Verdicts, of which the last is the frame's own if there is one, with what they do to the alarms."""
        one, clock = self.inspected, clock or Clock()
        entries, alarms, told = list[Entry](), dict[int, AlarmEntry](), list[Message]()
        for number, judged in enumerate(found):
            is_own = number == len(found) - 1
            entry, changes = self._account(judged, frame if is_own else None, clock, open_)
            entries.append(entry)
            for change in changes:
                alarms[change.alarm.number] = known = self._state(change, job)
                if _is_news(change):
                    told.append(accounts.alarm_told(change.kind, known, one.printer, job))
        files = [frame.path if frame is not None and entry.frame is not None else "" for entry in entries]
        said = [
            accounts.verdict_told(entry, one.printer, file, self.spool.folder)
            for entry, file in zip(entries, files, strict=True)
        ]
        outcome = Outcome(one.printer, job, tuple(entries), tuple(alarms.values()), (*said, *told))
        self.journal.record(outcome)

    def _account(
        self, judged: Judged, frame: Frame | None, clock: Clock, open_: JobAlarms
    ) -> tuple[Entry, tuple[Change, ...]]:
        """The row of one verdict, and what it does to the job's alarms."""
        one, heat, told = self.inspected, "", dict[str, object]()
        with clock.part("localise"):
            sightings = self._sightings(judged)
        if frame is not None and judged.reading is not None and judged.reading.heat is not None and one.keep_heat:
            with clock.part("store"):
                drawn = accounts.heat_map(judged.reading.heat)
                heat = self.spool.keep_heat(frame.identity, drawn.png)
                told["heat_unit"] = drawn.unit
        told |= {"sightings": accounts.sightings_told(sightings)}
        if frame is not None:
            told |= {"seconds": clock.told(), "received": frame.received, **self._beside(judged)}
        entry = accounts.entry_of(judged, None if frame is None else frame.number, told, heat, one.model)
        return entry, open_.take(judged.verdict, sightings, entry.fault)

    def _beside(self, judged: Judged) -> dict[str, object]:
        """What the second model says of a frame that the first one judged."""
        shadow = self.inspected.shadow
        if shadow is None or judged.image is None:
            return {}
        verdict = [other.verdict for other in shadow.take(judged.image)][-1]
        return {"shadow": {"word": verdict.word, "score": verdict.score, "p_value": verdict.p_value}}

    def _sightings(self, judged: Judged) -> tuple[Sighting, ...]:
        plan = None if judged.image is None else judged.image.plan
        z = (judged.verdict.layer + 1) * self.inspected.layer_height
        return sighted(judged.verdict.regions, z, self.inspected.reader.judged_mm_per_px, plan)

    def _state(self, change: Change, job: str) -> AlarmEntry:
        """The operator's state after what the system saw."""
        now = time.time()
        state = self._operators(change.alarm.number, job) or AlarmState(at=now)
        action = _SYSTEM.get(change.kind, "")
        if action in MOVES[state.state]:
            state = moved(state, action, at=now)
        return accounts.alarm_entry(change, state)

    def _operators(self, number: int, job: str) -> AlarmState | None:
        """What people did to it meanwhile."""
        known = self.journal.alarms_of(self.inspected.printer, job)
        return next((state_from(one.state) for one in known if one.number == number), None)


def _gap(job: str, layer: int) -> Fault:
    """As the gate tells of layers inside a job."""
    evidence, advice = "the machine began it, and no frame had come when the job was over", Dropped.advice
    return Fault(job, layer, "dropped", evidence, advice)


def _is_news(change: Change) -> bool:
    """Whether anybody must hear of it: an alarm that goes on is told after 2, 4, 8, ... layers only."""
    layers = change.alarm.last_layer - change.alarm.first_layer + 1
    return change.kind != "grown" or layers & (layers - 1) == 0


@dataclass(eq=False)
class Clock:
    """Seconds of the parts of one frame."""

    _seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Time a block; blocks of one name add up."""
        begun = time.perf_counter()
        try:
            yield
        finally:
            self._seconds[name] = self._seconds.get(name, 0.0) + time.perf_counter() - begun

    def told(self) -> dict[str, float]:
        """Seconds by part, to the tenth of a millisecond."""
        return {name: round(seconds, 4) for name, seconds in self._seconds.items()}
