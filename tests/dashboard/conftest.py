"""A service's journal with a healthy job, a defect and a gap, and its dashboard served on this machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Event

import httpx
import numpy as np
import pytest

from layerwatch.dashboard.app import create_app
from layerwatch.dashboard.desk import Desk, SeenPrinter
from layerwatch.dashboard.users import Role, UserFile, Users
from layerwatch.detectors.plan_residual import PlanResidual
from layerwatch.images.archive import encode_png
from layerwatch.images.grey import to_uint16
from layerwatch.images.plain_gate import RUNNING, plain_gate
from layerwatch.inspection.cameras.virtual import Virtual, VirtualFrame
from layerwatch.inspection.examiner import Examiner
from layerwatch.inspection.journal.database import open_engine
from layerwatch.inspection.journal.journal import Journal
from layerwatch.inspection.journal.upgrading import bring_up
from layerwatch.inspection.listening import Listener, served
from layerwatch.inspection.reading import FrameReader, Planned
from layerwatch.inspection.scorer import Inspected
from layerwatch.inspection.service import Line, Service
from layerwatch.inspection.spool import Spool
from layerwatch.testing.images import healthy_image, healthy_images
from layerwatch.verdict.alarm import AlarmRules
from layerwatch.verdict.judge import Judge
from layerwatch.verdict.localise import fit_spread
from layerwatch.verdict.threshold import fit_threshold

PRINTER, NASTY = "printer", "<img src=x onerror=alert(1)>"
DETECTOR = PlanResidual().fit(healthy_images(40))
READINGS = DETECTOR.read(healthy_images(40, first=40))
JUDGE = Judge(
    fit_threshold(np.array([one.score for one in READINGS]), 0.05),
    fit_spread([one.heat for one in READINGS if one.heat is not None], [None] * len(READINGS)),
)
PASSWORDS: dict[Role, str] = {role: f"{role}-password" for role in ("viewer", "operator", "engineer", "admin")}


def planned(job: str, layer: int) -> Planned:
    return Planned(np.asarray(healthy_image(layer).plan))


def inspected(folder: Path) -> Inspected:
    size = healthy_image(0).pixels.shape
    gate = plain_gate(None, RUNNING)
    examiner = Examiner(DETECTOR, JUDGE, (int(size[0]), int(size[1])), gate)
    reader = FrameReader(Spool(folder), planned, span=(100.0, 200.0))
    line = 1.5 * max(one.score for one in READINGS)
    return Inspected(PRINTER, examiner, reader, AlarmRules(line, unit="K"), model="residual@0123")


def frame(job: str, layer: int, *, hot: bool = False) -> VirtualFrame:
    pixels = healthy_image(layer).pixels.copy()
    if hot:
        pixels[10:18, 10:18] = np.clip(pixels[10:18, 10:18] + 0.3, 0, 1)
    return VirtualFrame(job, layer, encode_png(to_uint16(pixels)))


def fill(folder: Path) -> Journal:
    """Run a service over two jobs: one with a defect and a gap, one with a name that is no name."""
    engine = open_engine(f"sqlite:///{folder / 'journal.db'}")
    bring_up(engine)
    journal = Journal(engine)
    first = [frame("job", n, hot=n in {5, 6}) for n in (1, 2, 3, 4, 5, 6, 9)]
    camera = Virtual(PRINTER, [*first, *(frame(NASTY, n) for n in (1, 2))])
    Service(folder, journal, [Line(camera, inspected(folder))], {}, heartbeat=0.1).run(Event(), until_done=True)
    return journal


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Journal]]:
    """A data folder with its journal; tests add to it and take nothing away."""
    folder = tmp_path_factory.mktemp("dashboard")
    journal = fill(folder)
    yield folder, journal
    journal.engine.dispose()


def desk_of(folder: Path, journal: Journal, users: Users | None = None) -> Desk:
    how = inspected(folder)
    return Desk(
        folder,
        journal,
        (SeenPrinter(PRINTER, lambda: how),),
        users or Users(UserFile(folder / "nobody")),
        report=lambda printer, job, form: b"report" if form != "pdf" else None,
        part=lambda printer, job: bytes(84) if job == "job" else None,
        change=lambda printer, what, who, **given: f"{who}: {what} {given}",
    )


@contextmanager
def serving(desk: Desk) -> Iterator[httpx.Client]:
    """The dashboard on a port of this machine, and somebody who asks it with a valid CSRF token."""
    bound = Listener("127.0.0.1", 0).socket(Event())
    assert bound is not None
    address = f"http://127.0.0.1:{bound.getsockname()[1]}"
    with ExitStack() as stack:
        stack.enter_context(served(create_app(desk), bound))
        stack.callback(desk.stop.set)
        client = stack.enter_context(httpx.Client(base_url=address, timeout=20, trust_env=False))
        client.headers["X-CSRF-Token"] = client.get("/api/me").json()["csrf"]
        yield client


@pytest.fixture(scope="session")
def client(filled: tuple[Path, Journal]) -> Iterator[httpx.Client]:
    """Somebody on this machine, where nobody must log in."""
    with serving(desk_of(*filled)) as found:
        yield found


@pytest.fixture(scope="session")
def guarded(filled: tuple[Path, Journal], tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """Somebody who must log in and has not."""
    file = UserFile(tmp_path_factory.mktemp("users"))
    for role, password in PASSWORDS.items():
        file.add(role, role, password)
    with serving(desk_of(*filled, Users(file))) as found:
        yield found


@pytest.fixture(scope="session")
def logged_in(guarded: httpx.Client) -> Callable[[str], dict[str, str]]:
    """A role -> the headers of somebody who has it."""
    known: dict[str, dict[str, str]] = {}

    def headers(role: str) -> dict[str, str]:
        if role not in known:
            told = guarded.post("/api/login", json={"name": role, "password": f"{role}-password"})
            assert told.status_code == 200, told.text
            cookie = told.headers["set-cookie"].partition(";")[0]
            known[role] = {"Cookie": cookie, "X-CSRF-Token": told.json()["csrf"]}
            guarded.cookies.clear()
        return known[role]

    return headers
