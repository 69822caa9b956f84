"""A running service -> its dashboard, served in a thread beside it for as long as a block runs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread
from typing import Any

from layerwatch.dashboard.app import create_app
from layerwatch.dashboard.desk import Change, Desk, Part, Report, SeenPrinter, no_part, no_report
from layerwatch.dashboard.users import UserFile, Users
from layerwatch.inspection.listening import Listener, served
from layerwatch.inspection.ports import check_port
from layerwatch.inspection.service import Service
from layerwatch.journeys.serving.smallest import SMALLEST
from layerwatch.records import UsageError

HOST, PORT = "127.0.0.1", 8770
_TRAINED = ("data", "layers", "jobs", "recipe", "seed", "layerwatch")  # keys of a provenance
_SOON = 2.0  # s in which an address is usually bound


@dataclass(frozen=True, eq=False)
class Page:
    """Where the dashboard is served, and what only other journeys can give it."""

    host: str = HOST
    port: int = PORT  # 0: a free one
    report: Report = no_report
    change: Change | None = None
    stays: bool = False  # after the end of a job that is the only one


def address_of(told: str) -> tuple[str, int]:
    """``HOST:PORT`` in its two parts, such as ``127.0.0.1:8770`` or ``[::1]:8770``.

    Raises:
        UsageError: it is no such text.
    """
    host, colon, port = told.rpartition(":")
    host = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    if not colon or not host or not port.isdecimal() or not port.isascii():
        raise UsageError(f"--page {told!r}; give HOST:PORT, such as {HOST}:{PORT}")
    check_port(int(port), listens=True)
    return host, int(port)


@contextmanager
def dashboard(
    page: Page | None,
    service: Service,
    *,
    part: Part = no_part,
    promise: Mapping[str, str] | None = None,
    smallest: Mapping[str, str] | None = None,
    by_folder: frozenset[str] = frozenset(),
    said: Callable[[str], None] = print,
) -> Iterator[None]:
    """Serve the dashboard while the block runs; an address that is taken is waited for, and the service runs on.

    Args:
        page: where; None: nowhere.
        service: that it shows.
        part: gives the mesh of a job.
        promise: of false alarms, by printer, in words.
        smallest: defect that is found, the same.
        by_folder: printers whose model is a folder, so that the registry does not rule it.
        said: told the address, or why there is none.

    Raises:
        UsageError: others can reach the address, and there are no users.
        DataError: the file of users is broken.
    """
    if page is None:
        yield
        return
    printers = tuple(
        SeenPrinter(
            name=(name := line.inspected.printer),
            inspected=_asked(service, name),
            has_trigger=line.trigger is not None,
            promise=(promise or {}).get(name, ""),
            smallest=(smallest or {}).get(name, ""),
            in_registry=name not in by_folder,
        )
        for line in service.lines
    )
    users = Users(UserFile(service.folder), page.host)
    desk = Desk(service.folder, service.journal, printers, users, page.report, part, about_model, page.change)
    application, listener, is_there = create_app(desk), Listener(page.host, page.port), Event()

    def run() -> None:
        bound = listener.socket(desk.stop)
        if bound is not None:
            with served(application, bound):
                shown = f"[{page.host}]" if ":" in page.host else page.host
                said(f"page: http://{shown}:{listener.bound_port}")
                is_there.set()
                desk.stop.wait()

    thread = Thread(target=run, name="dashboard", daemon=True)
    thread.start()
    if not is_there.wait(_SOON) and listener.trouble:
        said(f"page: {listener.trouble}; the service runs without it until the address is free, or give another --page")
    try:
        yield
    finally:
        desk.stop.set()
        thread.join(10)


def _asked(service: Service, printer: str) -> Callable[[], Any]:
    return lambda: service.inspected(printer)


def about_model(folder: Path) -> Mapping[str, Any]:
    """What a stored model was trained on and how well it does, from the files beside it; what is not there is left."""
    described = _read(folder / "model.json")
    told = described.get("provenance", {})
    known = {key: told[key] for key in _TRAINED if key in told}
    figures = {"detector": described.get("detector", ""), "smallest": _read(folder / SMALLEST).get("found", [])}
    return {"trained_on": ", ".join(f"{key} {value}" for key, value in known.items()), "figures": figures}


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
