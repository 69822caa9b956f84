"""A site file -> the running service of its printers, with the models that are in force."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event

import numpy as np

from layerwatch.dashboard.desk import Part
from layerwatch.detectors.storage.model_files import StoredModel
from layerwatch.images.folder import image_files, read_pixels
from layerwatch.images.gate_files import DESCRIPTION
from layerwatch.images.plain_gate import RUNNING, plain_gate
from layerwatch.inspection.examiner import Examiner
from layerwatch.inspection.job_end import Unpacked
from layerwatch.inspection.journal.retention import expire
from layerwatch.inspection.ownership import owned
from layerwatch.inspection.reading import FrameReader, Planned, PlanOf, no_plans
from layerwatch.inspection.registry import InForce, Registry
from layerwatch.inspection.scorer import Inspected
from layerwatch.inspection.service import Line, Service
from layerwatch.inspection.sinks.console import Console
from layerwatch.inspection.site import Only, PrinterSite, Site, camera_of, read_site, sinks_of, trigger_of
from layerwatch.inspection.spool import Spool
from layerwatch.journeys.gates import gate_for
from layerwatch.journeys.serve import draw_unpacked, open_journal
from layerwatch.journeys.serving.alarm_line import AlarmLine, alarm_line
from layerwatch.journeys.serving.bed_mesh import part_in
from layerwatch.journeys.serving.dashboard import Page, dashboard
from layerwatch.journeys.serving.smallest import told_of
from layerwatch.journeys.train import judge_of, load_stored
from layerwatch.records import DataError, UsageError
from layerwatch.verdict.alarm import AlarmRules

_RATE = 0.01  # of healthy layers that may be NOK, where the calibration can promise so little
_HEIGHT = 0.3  # mm a layer, where the site does not say it


def serve_site(
    path: Path, stop: Event, *, quiet: bool = False, page: Page | None = None, said: Callable[[str], None] = print
) -> None:
    """Serve until told to stop.

    Args:
        path: of the site file.
        stop: set from outside.
        quiet: no alarms and troubles on the terminal.
        page: where the dashboard is served; None: nowhere.
        said: told what a user should know.

    Raises:
        UsageError: the site file is off, or something it names is not there.
        DataError: a model was changed or is broken.
    """
    site = read_site(path)
    site.check()
    with owned(site.data):
        _serve(site, stop, page, said, quiet=quiet)


def _serve(site: Site, stop: Event, page: Page | None, said: Callable[[str], None], *, quiet: bool) -> None:
    sinks = sinks_of(site)
    if not quiet and not any(isinstance(sink, Console) for sink in sinks.values()):
        sinks["terminal"] = Only(Console(), ("alarm", "job", "printer"))
    lines = [_line(printer, site, said) for printer in site.printers]
    journal = open_journal(site.data, sinks, site.database)
    for line in lines:
        said(f"{line.inspected.printer}: judged by {line.inspected.model}, alarm line {line.inspected.rules.line:.4g}")

    def tend() -> None:
        expire(journal.engine, Spool(site.data), site.retention, time.time(), lambda: shutil.disk_usage(site.data).free)

    def ended(done: Unpacked, mm_per_px: float) -> None:
        draw_unpacked(done, mm_per_px)

    service = Service(site.data, journal, lines, sinks, site.heartbeat, tend, ended)
    by_folder = frozenset(one.name for one in site.printers if one.model_folder is not None)
    with dashboard(page, service, part=_meshes(site), promise=_promises(site), by_folder=by_folder, said=said):
        service.run(stop)


def _meshes(site: Site) -> Part:
    """The meshes that lie beside the plans."""
    known = {one.name: part_in(one.plans) for one in site.printers if one.plans is not None}
    return lambda printer, job: known[printer](printer, job) if printer in known else None


def _promises(site: Site) -> dict[str, str]:
    """What each line of alarm is to keep."""
    return {one.name: f"at most {100 * one.false_alarms:g} % of healthy jobs raise any alarm" for one in site.printers}


def _line(printer: PrinterSite, site: Site, said: Callable[[str], None]) -> Line:
    """One printer as the service needs it."""
    first = _force_of(printer, site)
    renewal = Renewal(printer, site, said, first)
    inspected = _inspected(printer, site, first, said)
    return Line(camera_of(printer), inspected, trigger_of(printer), printer.escalate_after, renew=renewal)


@dataclass(eq=False)
class Renewal:
    """What is in force is looked up at the start of each job, so that a job has one model and one line."""

    printer: PrinterSite
    site: Site
    said: Callable[[str], None]
    _force: InForce | None

    def __call__(self) -> Inspected | None:
        """Another model or threshold since the last look; None: the same."""
        now = _force_of(self.printer, self.site)
        if now == self._force:
            return None
        self._force = now
        return _inspected(self.printer, self.site, now, self.said)


def _inspected(printer: PrinterSite, site: Site, force: InForce | None, said: Callable[[str], None]) -> Inspected:
    """How the printer's frames are judged; told is what its alarm line cannot promise."""
    folder = printer.model_folder if force is None else force.path
    assert folder is not None  # noqa: S101 # without a folder there is one in force
    model = load_stored(folder)
    plans: PlanOf = no_plans if printer.plans is None else PlanFolder(printer.plans).planned
    if "plan" in model.detector.needs and printer.plans is None:
        raise UsageError(f'{printer.name}: {model.name} needs the plan of each layer; give plans = "folder"')
    trained = model.provenance.get("pixels")
    size = None if trained is None else (int(trained[0]), int(trained[1]))
    known, span = model.provenance.get("mm_per_px"), printer.span or model.provenance.get("span")
    scale = printer.mm_per_px or float(known or 1.0) / printer.binning  # the model knows the pixels that are judged
    grey = None if span is None else (float(span[0]), float(span[1]))
    reader = FrameReader(Spool(site.data), plans, scale, grey, printer.scale, printer.binning, size)
    has_gate = (folder / DESCRIPTION).is_file()
    gate = gate_for(folder, model).gate if has_gate else plain_gate(size, RUNNING)
    examiner = Examiner(model.detector, judge_of(model, _rate(model)), size, gate)
    line = _alarm_line(model, force, printer.false_alarms)
    if line.note:
        said(f"{printer.name}: {line.note}")
    said(told_of(printer.name, folder, line.value))
    rules = AlarmRules(line.value, unit="K" if grey else "")
    shadow = _shadow_of(site, force, size)
    name = f"{model.name}@{model.sha256[:12]}"
    return Inspected(printer.name, examiner, reader, rules, printer.layer_height or _HEIGHT, name, shadow=shadow)


def _force_of(printer: PrinterSite, site: Site) -> InForce | None:
    """What the registry has in force, compared with its manifest; None where the site names a model's folder."""
    if printer.model_folder is not None:
        return None
    registry = Registry(site.data)
    if not registry.versions(printer.model):
        raise UsageError(
            f"{printer.name}: no model {printer.model!r}; give a model's folder, or add it to the registry"
        )
    try:
        force = registry.in_force(printer.name)
    except UsageError:
        registry.activate(printer.name, printer.model, registry.versions(printer.model)[-1], "site file")
        force = registry.in_force(printer.name)
    registry.verify(force.name, force.version)
    return force


def _shadow_of(site: Site, force: InForce | None, size: tuple[int, int] | None) -> Examiner | None:
    """A second model that judges silently."""
    if force is None or force.shadow is None:
        return None
    version = Registry(site.data).verify(force.shadow.name, force.shadow.version)
    model = load_stored(version.path)
    return Examiner(model.detector, judge_of(model, _rate(model)), size)


def _rate(model: StoredModel) -> float:
    return max(_RATE, 1 / (len(model.calibration["scores"]) + 1))


def _alarm_line(model: StoredModel, force: InForce | None, share: float) -> AlarmLine:
    """What was set by hand, else what the model's healthy jobs promise."""
    by_hand = None if force is None else force.threshold
    return alarm_line(model.calibration, share) if by_hand is None else AlarmLine(by_hand)


@dataclass(eq=False)
class PlanFolder:
    """Nominal masks as files: FOLDER/JOB/00012.png or FOLDER/00012.png, and 00012.coverage.png beside it."""

    folder: Path
    _known: dict[Path, dict[int, Path]] = field(default_factory=dict)

    def planned(self, job: str, layer: int) -> Planned | None:
        """The plan of a layer; None where there is no file of it.

        Raises:
            DataError: the file is no mask.
        """
        own = self.folder / job
        found = self._layers(own if job and own.is_dir() else self.folder).get(layer)
        if found is None:
            return None
        plan, beside = read_pixels(found), found.with_name(f"{found.stem}.coverage.png")
        cover = read_pixels(beside) if beside.is_file() else None
        is_plain = cover is None or cover.dtype == np.uint8
        if plan.dtype != np.uint8 or not is_plain:
            raise DataError(f"{found.name}: plans are grey pictures of 8 bits, 0 bed, 1.. which copy; export it again")
        return Planned(np.asarray(plan, np.uint8), None if cover is None else np.asarray(cover, np.uint8))

    def _layers(self, folder: Path) -> dict[int, Path]:
        """The files by layer, looked through once more where none is known."""
        if not self._known.get(folder):
            files = [path for path in image_files(folder) if path.stem.isdigit() and path.parent == folder]
            self._known[folder] = {int(path.stem): path for path in files}
        return self._known[folder]
