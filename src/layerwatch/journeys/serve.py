"""A site, or a virtual printer -> the running service, its journal, and an unpack map when a job is over."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event

from layerwatch.detectors.storage.model_files import StoredModel
from layerwatch.evaluation.unpack_figures import Mark, unpack_map
from layerwatch.images.archive import encode_png
from layerwatch.images.plain_gate import RUNNING, plain_gate
from layerwatch.images.writing import check_writable, write_file
from layerwatch.inspection.cameras.virtual import Virtual
from layerwatch.inspection.deliveries import Identity
from layerwatch.inspection.examiner import Examiner
from layerwatch.inspection.job_end import Unpacked, end_job
from layerwatch.inspection.journal.database import file_of, open_engine
from layerwatch.inspection.journal.journal import Journal
from layerwatch.inspection.journal.upgrading import bring_up, version_of
from layerwatch.inspection.names import safe
from layerwatch.inspection.ownership import owned
from layerwatch.inspection.publisher import Publisher
from layerwatch.inspection.reading import FrameReader
from layerwatch.inspection.scorer import Inspected
from layerwatch.inspection.service import Line, Service
from layerwatch.inspection.sinks.base import Sink
from layerwatch.inspection.sinks.console import Console
from layerwatch.inspection.sinks.folder import Folder
from layerwatch.inspection.spool import Spool
from layerwatch.journeys.serving.bed_mesh import STL, keep_mesh, part_in
from layerwatch.journeys.serving.dashboard import Page, dashboard
from layerwatch.journeys.serving.fitted import MODEL, model_of, rules_of
from layerwatch.journeys.serving.smallest import told_of
from layerwatch.journeys.serving.virtual_plant import JOB, PlantWish, VirtualJob, plate_of, virtual_job
from layerwatch.journeys.train import judge_of
from layerwatch.records import Progress, UsageError, counted, silent

DATABASE, WANTS, PLANS = "journal.db", "sinks.json", "plans"
PRINTER = "virtual-printer"
_RATE = 0.02  # of healthy layers that may be NOK; alarms have a line of their own


@dataclass(frozen=True)
class Served:
    """What a service that has ended leaves behind."""

    counts: Mapping[str, int]
    cores: str  # in words
    files: tuple[Path, ...]


def open_journal(folder: Path, sinks: Mapping[str, Sink] | None = None, url: str = "") -> Journal:
    """The journal of a data folder, its tables up to date.

    Raises:
        UsageError: the folder or the database cannot be used.
        DataError: the database is of a newer version, or broken.
    """
    check_writable(folder)
    engine = open_engine(url or f"sqlite:///{(folder / DATABASE).absolute()}")
    bring_up(engine)
    wants = {name: sink.wants for name, sink in (sinks or {}).items()}
    if sinks is not None:
        write_file(folder / WANTS, json.dumps(wants).encode())  # for whoever acts on alarms beside the service
    return Journal(engine, wants)


def known_journal(folder: Path, url: str = "") -> Journal:
    """The journal of a service that has run there.

    Args:
        folder: of the data.
        url: of the database; empty: ``journal.db`` in the folder.

    Raises:
        UsageError: there is none.
        DataError: the database cannot be reached, is of a newer version, or broken.
    """
    engine = open_engine(known_url(folder, url))
    try:
        if engine.dialect.name != "sqlite" and not version_of(engine):
            raise UsageError(f"{engine.url.render_as_string()}: no journal here yet; start the service once")
    finally:
        engine.dispose()
    journal, file = open_journal(folder, url=url), folder / WANTS
    if file.is_file():
        journal.sinks = {name: tuple(kinds) for name, kinds in json.loads(file.read_bytes()).items()}
    return journal


@contextmanager
def looked_into(folder: Path, url: str = "") -> Iterator[Journal]:
    """The journal as ``known_journal`` gives it, let go of at the end of the block."""
    journal = known_journal(folder, url)
    try:
        yield journal
    finally:
        journal.engine.dispose()


def known_url(folder: Path, url: str = "") -> str:
    """The URL of a journal; one in a file must be there.

    Raises:
        UsageError: it is not, or the URL is off.
    """
    file = file_of(url) if url else folder / DATABASE
    if file is not None and not file.is_file():
        raise UsageError(f"{file}: no journal here; give the --data or the --site of a service that has run")
    return url or f"sqlite:///{(folder / DATABASE).absolute()}"


def serve_demo(
    wish: PlantWish,
    folder: Path,
    *,
    speed: float = 1.0,
    stop: Event | None = None,
    quiet: bool = False,
    page: Page | None = None,
    progress: Progress = silent,
    said: Callable[[str], None] = print,
) -> Served:
    """Serve a virtual printer until its job is over; broken off, the same call goes on where it was.

    Args:
        wish: what is printed.
        folder: of everything that is kept.
        speed: how many times faster than real.
        stop: ends the service from outside.
        quiet: no verdicts on the terminal.
        page: where the dashboard is served; None: nowhere.
        progress: told while the detector is fitted.
        said: told what a user should know.

    Raises:
        UsageError: the wish makes no sense, or the folder cannot be used.
        DataError: the part cannot be printed.
    """
    wish.check()
    if not 0 < speed <= 1e6:
        raise UsageError(f"--speed {speed:g}; give how many times faster than real it shall print, such as 20")
    sinks: dict[str, Sink] = {"folder": Folder(folder / "messages"), **({} if quiet else {"console": Console()})}
    with owned(folder):
        return _served(wish, folder, speed, stop or Event(), sinks, page, progress, said)


def _served(
    wish: PlantWish,
    folder: Path,
    speed: float,
    stop: Event,
    sinks: Mapping[str, Sink],
    page: Page | None,
    progress: Progress,
    said: Callable[[str], None],
) -> Served:
    journal = open_journal(folder, sinks)
    plate = plate_of(wish)
    model = model_of(wish, plate, folder, progress)
    job = virtual_job(wish, plate)
    pace = wish.machine.layer_time / speed
    said(_told(job, pace))
    smallest = told_of(PRINTER, folder / MODEL, rules_of(model).line)
    said(smallest)
    keep_plans(job, folder / PLANS)
    keep_mesh(wish.part, wish.machine, plate, folder / PLANS / JOB / STL)
    waiting = [one for one in job.frames if not journal.has(Identity(PRINTER, JOB, one.layer))]
    line = Line(Virtual(PRINTER, waiting, pace), _inspected(wish, model, job, folder))
    service = Service(folder, journal, [line], sinks)
    told, mesh = {PRINTER: smallest.removeprefix(f"{PRINTER}: ")}, part_in(folder / PLANS)
    with dashboard(page, service, part=mesh, smallest=told, by_folder=frozenset({PRINTER}), said=said):
        service.run(stop, until_done=True)
        served = _ended(journal, job, folder, wish.machine.mm_per_px)
        Publisher(journal, sinks).step(time.time())
        if page is not None and page.stays and not stop.is_set():
            said("the job is over; the page stays until Ctrl-C")
            stop.wait()
    return replace(served, counts=journal.counts())


def keep_plans(job: VirtualJob, folder: Path) -> None:
    """The plans as a site file's ``plans`` wants them: FOLDER/JOB/00012.png, with 00012.coverage.png beside it."""
    for layer, planned in job.plans.items():
        path = folder / safe(JOB) / f"{layer:05d}.png"
        if not path.is_file():
            if planned.coverage is not None:
                write_file(path.with_name(f"{path.stem}.coverage.png"), encode_png(planned.coverage))
            write_file(path, encode_png(planned.plan))


def _told(job: VirtualJob, pace: float) -> str:
    defects = sorted({record for truth in job.truths for record in truth.defects}, key=lambda one: one.first_layer)
    wrong = [f"{one.defect} on layers {one.first_layer} to {one.last_layer}" for one in defects]
    faults = sorted({one.fault for one in job.shots if one.fault})
    layers = counted(len(job.frames), "layer")
    return f"a virtual printer lays {layers}, one in {pace:.3g} s; in it: {', '.join(wrong + faults)}"


def _inspected(wish: PlantWish, model: StoredModel, job: VirtualJob, folder: Path) -> Inspected:
    machine, size = wish.machine, (wish.machine.height, wish.machine.width)
    examiner = Examiner(model.detector, judge_of(model, _RATE), size, plain_gate(size, RUNNING))
    reader = FrameReader(Spool(folder), job.planned, machine.mm_per_px, machine.span, size=size)
    name = f"{model.name}@{model.sha256[:12]}"
    return Inspected(PRINTER, examiner, reader, rules_of(model), machine.layer_height, name)


def _ended(journal: Journal, job: VirtualJob, folder: Path, mm_per_px: float) -> Served:
    """The unpack map, once all layers are judged."""
    verdicts = journal.verdicts_of(PRINTER, JOB)
    is_running = any(name == JOB for _, name, _ in journal.jobs_of(PRINTER, running=True))
    if not is_running or {one.layer for one in verdicts} < {frame.layer for frame in job.frames}:
        return Served(journal.counts(), "", ())
    done = end_job(journal, folder, PRINTER, JOB, job.planned)
    drawn = draw_unpacked(done, mm_per_px)
    return Served(journal.counts(), done.text, (done.path, *drawn))


def draw_unpacked(done: Unpacked, mm_per_px: float) -> tuple[Path, ...]:
    """The map beside the list, where plans are known."""
    if done.bed is None:
        return ()
    marks = [Mark(core.part, core.word, core.worst, core.x, core.y) for core in done.cores]
    path = done.path.with_suffix(".png")
    write_file(path, unpack_map(done.bed, marks, mm_per_px, f"{done.path.parent.name}: {done.text}"))
    return (path,)
