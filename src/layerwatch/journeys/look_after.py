"""The data folder of a service -> what is wrong with it, and all that it holds as JSON."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from layerwatch.inspection.checkup import Finding, check_up
from layerwatch.inspection.journal.export import document
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
    return (_service(folder), *check_up(journal.engine, Spool(folder), deep=deep))


def _service(folder: Path) -> Finding:
    """Whether it runs and moves; one that is not running is no failure of its data."""
    health = look(folder / HEARTBEAT, time.monotonic())
    return Finding("service", "ok" if health.state == "alive" else "warn", f"{health.state}: {health.text}")


def written(folder: Path) -> Iterator[str]:
    """One JSON document, piece by piece; errors as in ``examined``."""
    return document(known_journal(folder))
