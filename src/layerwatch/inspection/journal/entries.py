"""What goes into the journal and what is read from it: frozen records of its rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from layerwatch.inspection.deliveries import Identity
from layerwatch.inspection.messages import Message, verdict_of
from layerwatch.records import Verdict


@dataclass(frozen=True)
class Frame:
    """A frame that is safe, judged or not, or a layer whose frame never came."""

    number: int
    identity: Identity
    sha256: str
    path: str  # relative to the data folder; empty where there is no file
    name: str
    received: float  # s since 1970 in UTC
    exposed: float | None
    note: str  # why it is not known which frame it is
    state: str  # waiting, judged or missing


@dataclass(frozen=True)
class Entry:
    """What was found on one frame or missing layer, ready to be written."""

    verdict: Verdict
    frame: int | None  # None: no frame came, a row is made for the layer
    fault: str = ""  # its kind
    told: Mapping[str, Any] = field(default_factory=dict)  # sightings, seconds and what else is kept with it
    heat: str = ""
    model: str = ""


@dataclass(frozen=True)
class AlarmEntry:
    """The latest of one alarm of a job."""

    number: int  # within the job
    kind: str
    level: str
    state: Mapping[str, Any]  # of the operator's state machine
    is_open: bool
    body: Mapping[str, Any]


@dataclass(frozen=True)
class StoredVerdict:
    """A verdict as the journal has it."""

    frame: int
    printer: str
    word: str
    layer: int
    fault: str
    body: Mapping[str, Any]
    heat: str
    model: str
    judged: float

    @property
    def verdict(self) -> Verdict:
        """The verdict itself."""
        return verdict_of(self.body)


@dataclass(frozen=True)
class Outcome:
    """All that one frame leads to; it is written whole or not at all."""

    printer: str
    job: str
    entries: tuple[Entry, ...]
    alarms: tuple[AlarmEntry, ...] = ()
    messages: tuple[Message, ...] = ()  # first that of each entry, in the same order
