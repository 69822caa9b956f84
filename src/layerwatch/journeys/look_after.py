"""The data folder of a service -> what is wrong with it, and all that it holds as JSON."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from layerwatch.inspection.checkup import Finding, check_up
from layerwatch.inspection.journal.backup import back_up
from layerwatch.inspection.journal.export import document
from layerwatch.inspection.journal.journal import Journal
from layerwatch.inspection.service import HEARTBEAT
from layerwatch.inspection.spool import Spool
from layerwatch.inspection.watchdog import look
from layerwatch.journeys.serve import known_journal


def examined(folder: Path, *, deep: bool = False) -> tuple[Finding, ...]:
    """Whether disk, database and frames are sound, and whether the service moves.

    Raises:
        UsageError: no service has run there.
    """
    journal = known_journal(folder)
    return (_service(folder), *_printers(journal), *check_up(journal.engine, Spool(folder), deep=deep))


def _service(folder: Path) -> Finding:
    """Whether it runs and moves; one that is not running is no failure of its data."""
    if not (folder / HEARTBEAT).exists():
        return Finding("service", "warn", "not running: stopped, or never started", "start it where it should run")
    health = look(folder / HEARTBEAT, time.monotonic())
    return Finding("service", "ok" if health.state == "alive" else "fail", f"{health.state}: {health.text}")


def _printers(journal: Journal) -> Iterator[Finding]:
    """What each printer's loop last said of itself."""
    troubles, after = dict[str, dict[str, str]](), 0
    while told := journal.told(after, kind="printer"):
        for message in told:
            own, event = troubles.setdefault(message.printer, {}), message.body.get("event")
            if event in {"online", "offline"}:
                own.clear()
            elif event in {"trouble", "trouble over"}:
                own[str(message.body.get("stage"))] = str(message.body["text"]) if event == "trouble" else ""
        after = told[-1].number
    for printer, own in sorted(troubles.items()):
        texts = [f"{stage}: {text}" for stage, text in own.items() if text]
        advice = "mend what is named; frames are waited for" if texts else ""
        yield Finding(f"printer {printer}", "fail" if texts else "ok", "; ".join(texts) or "no trouble", advice)


def written(folder: Path) -> Iterator[str]:
    """One JSON document, piece by piece; errors as in ``examined``."""
    return document(known_journal(folder))


def backed_up(folder: Path, to: Path) -> Path:
    """A copy of the database, proven whole; errors as in ``examined``, or the copy cannot be written."""
    return back_up(known_journal(folder).engine, to)
