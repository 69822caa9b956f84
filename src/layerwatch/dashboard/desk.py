"""The journal, the data folder and what journeys hand in -> the desk from which the dashboard is served."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Lock
from typing import Any

from layerwatch.dashboard.troubles import Troubles
from layerwatch.dashboard.users import Users
from layerwatch.inspection.journal.journal import Journal
from layerwatch.inspection.scorer import Inspected

Report = Callable[[str, str, str], bytes | None]  # printer, job, form; None: no such form here
Part = Callable[[str, str], bytes | None]  # printer, job -> binary STL on the bed, mm; None: not known
About = Callable[[Path], Mapping[str, Any]]  # folder of a stored model -> trained_on and figures
Change = Callable[..., str]  # printer, what, who, and the further arguments of that method of Registry


class NotThereError(Exception):
    """What was asked for is not there; the text is for a person."""


def no_report(printer: str, job: str, form: str) -> bytes | None:
    """The Report where nobody writes one."""
    return None


def no_part(printer: str, job: str) -> bytes | None:
    """The Part where no mesh is known."""
    return None


def nothing_known(folder: Path) -> Mapping[str, Any]:
    """The About where nobody has looked."""
    return {}


@dataclass(frozen=True, eq=False)
class SeenPrinter:
    """One printer as the page knows it."""

    name: str
    inspected: Callable[[], Inspected]  # how its frames are judged now
    has_trigger: bool = False
    promise: str = ""  # of false alarms, in words
    smallest: str = ""  # the smallest defect that is found, in words
    in_registry: bool = True  # False: its model is a folder that the site file names


@dataclass(frozen=True, eq=False)
class Desk:
    """All that the pages need."""

    folder: Path  # of the data
    journal: Journal
    printers: tuple[SeenPrinter, ...]
    users: Users
    report: Report = no_report
    part: Part = no_part
    about: About = nothing_known
    change: Change | None = None  # None: models cannot be changed here
    stop: Event = field(default_factory=Event)  # set when the service ends: event streams end too
    acting: Lock = field(default_factory=Lock)  # one act of a person at a time
    troubles: Troubles = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "troubles", Troubles(self.journal))

    def printer(self, name: str) -> SeenPrinter:
        """The printer of that name.

        Raises:
            NotThereError: there is none.
        """
        for one in self.printers:
            if one.name == name:
                return one
        there = ", ".join(one.name for one in self.printers) or "none"
        raise NotThereError(f"no printer {name!r}; there are: {there}")
