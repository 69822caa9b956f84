"""Printers of a service -> how each is now, what each cannot judge and why, for the first page an operator sees."""

from __future__ import annotations

import time
from typing import Any

from layerwatch.dashboard.desk import Desk, SeenPrinter
from layerwatch.inspection.journal.entries import StoredVerdict
from layerwatch.inspection.journal.overview import (
    JobCounts,
    SeenAlarm,
    frame_counts,
    job_counts,
    last_verdicts,
    seen_alarms,
)
from layerwatch.inspection.messages import plain
from layerwatch.inspection.reading import no_plans
from layerwatch.inspection.service import HEARTBEAT
from layerwatch.inspection.watchdog import look

_LEVELS = ("critical", "minor", "fault")
_FAULTS = 200  # verdicts looked back for the first of a row of faults
_MEND = "mend what is named; frames are waited for"


def shown(desk: Desk) -> dict[str, Any]:
    """The service and all its printers."""
    troubles, jobs = desk.troubles.now(), job_counts(desk.journal)
    raised = seen_alarms(desk.journal, every=False)
    printers = [_printer(desk, one, troubles.get(one.name, {}), jobs, raised) for one in desk.printers]
    health = look(desk.folder / HEARTBEAT, time.monotonic())
    told = [f"{stage}: {text}" for stage, text in troubles.get("", {}).items()]
    service = {"alive": health.state == "alive", "state": health.state, "text": health.text, "at": time.time()}
    found: dict[str, Any] = plain({"service": {**service, "troubles": told}, "printers": printers})
    return found


def why(desk: Desk) -> list[dict[str, Any]]:
    """For each printer what is not judged now, since which layer, and what to do."""
    troubles, jobs = desk.troubles.now(), job_counts(desk.journal)
    return [
        {"name": one.name, "cannot": _cannot(desk, one, troubles.get(one.name, {}), _job(one.name, jobs))}
        for one in desk.printers
    ]


def _printer(
    desk: Desk, one: SeenPrinter, wrong: dict[str, str], jobs: tuple[JobCounts, ...], raised: tuple[SeenAlarm, ...]
) -> dict[str, Any]:
    job, now, frames = _job(one.name, jobs), one.inspected(), frame_counts(desk.journal, one.name)
    last = last_verdicts(desk.journal, one.name, job.job) if job is not None else ()
    own = [alarm.entry.level for alarm in raised if alarm.printer == one.name]
    is_printing = job is not None and job.ended is None
    return {
        "name": one.name,
        "state": "trouble" if wrong else "printing" if is_printing else "idle",
        "job": job.job if job is not None and is_printing else None,
        "last_job": None if job is None else job.job,
        "layer": last[0].layer if last and is_printing else None,
        "last": _last(last[0]) if last else None,
        "judged": frames.get("judged", 0),
        "waiting": frames.get("waiting", 0),
        "missing": frames.get("missing", 0),
        "open_alarms": {level: own.count(level) for level in _LEVELS},
        "camera": _health(wrong, "camera"),
        "trigger": _health(wrong, "trigger") if one.has_trigger else None,
        "troubles": [f"{stage}: {text}" for stage, text in wrong.items()],
        "model": now.model,
        "smallest": one.smallest,
    }


def _job(printer: str, jobs: tuple[JobCounts, ...]) -> JobCounts | None:
    """The job of the last frame."""
    own = [one for one in jobs if one.printer == printer]
    return max(own, key=lambda one: (one.ended is None, one.last)) if own else None


def _last(stored: StoredVerdict) -> dict[str, Any]:
    verdict = stored.verdict
    known = {"word": stored.word, "score": verdict.score, "threshold": verdict.threshold}
    return {"layer": stored.layer, **known, "fault": stored.fault, "reason": verdict.reason, "time": stored.judged}


def _health(wrong: dict[str, str], stage: str) -> dict[str, Any]:
    return {"ok": stage not in wrong, "text": wrong.get(stage, "")}


def _cannot(desk: Desk, one: SeenPrinter, wrong: dict[str, str], job: JobCounts | None) -> list[dict[str, Any]]:
    found = [_said(f"{stage}: {text}", None, _MEND) for stage, text in wrong.items()]
    last = last_verdicts(desk.journal, one.name, job.job, _FAULTS) if job is not None else ()
    faults = []
    for stored in last:
        if stored.word != "FAULT":
            break
        faults.append(stored)
    if faults:
        since = min(stored.layer for stored in faults)
        found.append(_said(faults[0].fault or "fault", since, faults[0].verdict.reason))
    reader = one.inspected().reader
    if reader.plans is no_plans:
        found.append(_said("in which core a defect is", None, 'give plans = "FOLDER" in the site file'))
    if reader.span is None:
        found.append(_said("temperatures in degC", None, "give span = [low, high] in the site file"))
    return found


def _said(what: str, since: int | None, advice: str) -> dict[str, Any]:
    return {"what": what, "since_layer": since, "advice": advice}
