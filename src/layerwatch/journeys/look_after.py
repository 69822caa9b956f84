"""The data folder of a service -> what is wrong with it, and all that it holds as JSON."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from layerwatch.inspection.checkup import Finding, check_up
from layerwatch.inspection.journal.backup import back_up, restore
from layerwatch.inspection.journal.database import file_of
from layerwatch.inspection.journal.export import document
from layerwatch.inspection.journal.journal import Journal
from layerwatch.inspection.ownership import owned
from layerwatch.inspection.service import HEARTBEAT
from layerwatch.inspection.site import read_site
from layerwatch.inspection.spool import Spool
from layerwatch.inspection.watchdog import look
from layerwatch.journeys.serve import DATABASE, looked_into
from layerwatch.journeys.serving.smallest import findings
from layerwatch.records import UsageError

_SHOWN = 3  # remarks in a text


def examined(folder: Path, url: str = "", *, deep: bool = False, site: Path | None = None) -> tuple[Finding, ...]:
    """Whether disk, database and frames are sound, and whether the service moves.

    Args:
        folder: of the data.
        url: of the database; empty: ``journal.db`` in the folder.
        deep: read every kept frame.
        site: site file, whose printers' models are asked which defects they find.

    Raises:
        UsageError: no service has run there, or the site file is off.
        DataError: the database cannot be reached, or is of a newer version.
    """
    with looked_into(folder, url) as journal:
        sound = (_service(folder), *_printers(journal), *check_up(journal.engine, Spool(folder), deep=deep))
    return (*sound, *(findings(read_site(site)) if site is not None else ()))


def _service(folder: Path) -> Finding:
    """Whether it runs and moves; one that is not running is no failure of its data."""
    if not (folder / HEARTBEAT).exists():
        return Finding("service", "warn", "not running: stopped, or never started", "start it where it should run")
    health = look(folder / HEARTBEAT, time.monotonic())
    return Finding("service", "ok" if health.state == "alive" else "fail", f"{health.state}: {health.text}")


def _printers(journal: Journal) -> Iterator[Finding]:
    """What each printer's loop last said of itself."""
    troubles, remarks, after = dict[str, dict[str, str]](), dict[str, list[str]](), 0
    while told := journal.told(after, kind="printer"):
        for message in told:
            own, event = troubles.setdefault(message.printer, {}), message.body.get("event")
            if event in {"online", "offline"}:
                own.clear()
                remarks[message.printer] = []
            elif event == "remark":
                remarks.setdefault(message.printer, []).append(str(message.body["text"]))
            elif event in {"trouble", "trouble over"}:
                own[str(message.body.get("stage"))] = str(message.body["text"]) if event == "trouble" else ""
        after = told[-1].number
    for printer, own in sorted(troubles.items()):
        texts = [f"{stage}: {text}" for stage, text in own.items() if text]
        advice = "mend what is named; frames are waited for" if texts else ""
        noted = remarks.get(printer, [])
        beside = [*noted[:_SHOWN], *([f"and {len(noted) - _SHOWN} more"] if len(noted) > _SHOWN else [])]
        text = "; ".join([*(texts or ["no trouble"]), *beside])
        yield Finding(f"printer {printer}", "fail" if texts else "ok", text, advice)


def written(folder: Path, url: str = "") -> Iterator[str]:
    """One JSON document of one moment, piece by piece; arguments and errors as in ``examined``."""
    with looked_into(folder, url) as journal:
        yield from document(journal)


def backed_up(folder: Path, to: Path, url: str = "") -> Path:
    """A copy of the database, proven whole; errors as in ``examined``, or the copy cannot be written."""
    with looked_into(folder, url) as journal:
        return back_up(journal.engine, to)


def restored(backup: Path, folder: Path, url: str = "", *, force: bool = False) -> tuple[str, ...]:
    """Put a backup in the place of the journal of a service that does not run.

    Args:
        backup: a file that ``backed_up`` made.
        folder: of the data; it need not be there.
        url: of the database; empty: ``journal.db`` in the folder.
        force: a journal that is there is moved aside.

    Returns:
        What was done and what is left to do, in words.

    Raises:
        UsageError: a service runs there, a journal is there, or the database is no SQLite file.
        DataError: the backup is not whole, or the place cannot be written; the old journal is as it was.
    """
    target = file_of(url) if url else folder / DATABASE
    if target is None:
        raise UsageError("a journal in PostgreSQL is restored by its own program: pg_restore --clean --dbname=...")
    if not backup.is_file():
        raise UsageError(f"{backup}: no such file; give one that `layerwatch journal backup` has made")
    with owned(folder):
        aside = restore(backup, target, overwrite=force)
    told = [f"{target} is that of {backup}"]
    told += [f"the old one is {aside}"] if aside is not None else []
    return (*told, "copy frames and heat back as well, then ask `layerwatch doctor`, which names those that are gone")
