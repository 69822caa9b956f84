"""site.toml -> what a plant has: its printers with their cameras, models and plans, and where messages go."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

from layerwatch import catalogue
from layerwatch.images.grey import check_span
from layerwatch.images.scales import scale_named
from layerwatch.inspection.cameras.base import Camera
from layerwatch.inspection.journal.retention import Retention
from layerwatch.inspection.messages import Kind, Message
from layerwatch.inspection.settings import Place, check_name, filled
from layerwatch.inspection.sinks.base import Sink
from layerwatch.inspection.site_names import check_folder_name, check_folders_differ, check_names_differ, is_name
from layerwatch.records import UsageError

_CAMERAS, _TRIGGERS, _SINKS = "inspection.cameras", "inspection.triggers", "inspection.sinks"
_SECTIONS = ("site", "printer", "sink")


@dataclass(frozen=True)
class Thing:
    """Something on a shelf with its settings as the file gives them; it is built when it is used."""

    shelf: str
    kind: str  # name on the shelf
    settings: Mapping[str, Any] = field(repr=False)  # may hold passwords
    place: Place

    def build(self, **given: Any) -> Any:
        """The thing itself; what is given and is no field of it is left aside.

        Raises:
            UsageError: a setting is unknown, missing or of the wrong type, or a secret is not there.
        """
        try:
            kind = catalogue.load(self.shelf, self.kind)
        except ImportError as error:
            text = f"{self.kind!r} needs {error.name}; install it: pip install 'layerwatch[serve]'"
            raise self.place.wrong(text) from None
        known = {name: value for name, value in given.items() if name in kind.__dataclass_fields__}
        return filled(kind, self.settings, self.place, **known)


@dataclass(frozen=True)
class PrinterSite:
    """One printer: where its frames come from and what they are judged by."""

    name: str
    model: str  # a stored model's folder, or a name in the registry
    camera: Thing
    place: Place
    trigger: Thing | None = None
    plans: Path | None = None  # folder of the plans, named as their layers
    mm_per_px: float | None = None  # None: that of the training
    layer_height: float | None = None  # mm
    span: tuple[float, float] | None = None  # degC at grey 0 and 1
    scale: str | None = None  # what a thermal camera's counts mean
    binning: int = 1  # pixels of the camera a side of one that is judged
    false_alarms: float = 0.05  # share of the healthy jobs that raise any alarm
    escalate_after: float = 300.0  # s until an alarm that nobody acknowledged is told again, louder

    @property
    def model_folder(self) -> Path | None:
        """The model's folder; None where ``model`` is a name in the registry."""
        folder = self.place.path(self.model)
        return folder if folder.is_dir() else None


@dataclass(frozen=True)
class Only(Sink):
    """Another sink that gets some kinds of messages only."""

    sink: Sink
    kinds: tuple[Kind, ...]

    @property
    def wants(self) -> tuple[Kind, ...]:
        """See Sink."""
        return tuple(kind for kind in self.sink.wants if kind in self.kinds)

    def take(self, message: Message) -> None:
        """See Sink."""
        if message.kind in self.wants:
            self.sink.take(message)

    def close(self) -> None:
        """See Sink."""
        self.sink.close()


@dataclass(frozen=True)
class SinkSite:
    """Where messages go, and which."""

    name: str  # in the journal and in messages; default: the kind
    sink: Thing
    kinds: tuple[Kind, ...] | None = None  # None: those that the sink takes by itself

    def build(self) -> Sink:
        """The sink, for these kinds of messages only.

        Raises:
            UsageError: its settings do not fit.
        """
        given = {} if self.kinds is None else {"kinds": self.kinds}
        sink: Sink = self.sink.build(**given)
        return sink if self.kinds is None or hasattr(sink, "kinds") else Only(sink, self.kinds)


@dataclass(frozen=True)
class Site:
    """One plant, as its site file says."""

    name: str
    data: Path  # everything that is stored lies in here
    database: str = field(repr=False)  # URL, perhaps with a password
    heartbeat: float  # s between two signs of life
    retention: Retention
    printers: tuple[PrinterSite, ...]
    sinks: tuple[SinkSite, ...]
    file: Path

    def check(self) -> None:
        """Prove that everything the file names is there and can be built, before the service starts.

        Raises:
            UsageError: something is not, with its place in the file.
        """
        for printer in self.printers:
            _check_printer(printer, self.data)
        sinks_of(self)

    def printer(self, name: str) -> PrinterSite:
        """The printer of that name.

        Raises:
            UsageError: there is none.
        """
        check_name(name, (p.name for p in self.printers), "printer", Place(self.file))
        return next(p for p in self.printers if p.name == name)


def example_text() -> str:
    """The site file that comes with layerwatch, with every key explained."""
    return resources.files("layerwatch.inspection").joinpath("example_site.toml").read_text("utf-8")


def read_site(path: Path) -> Site:
    """Read a site file; nothing that it names is imported or opened yet, see ``Site.check``.

    Raises:
        UsageError: no such file, broken TOML, or an unknown, missing or impossible key, with its place.
    """
    place = Place(path)
    told = _loaded(place)
    for key in told:
        check_name(key, _SECTIONS, "section", place)
    printers = tuple(_printer(table, place.inside(f"printer {n}")) for n, table in _tables(told, "printer", place))
    if not printers:
        raise place.wrong("no [[printer]]; give at least one, see docs/site.md")
    check_names_differ([p.name for p in printers], "printer", place)
    check_folders_differ([p.name for p in printers], place)
    sinks = tuple(_sink(table, place.inside(f"sink {n}")) for n, table in _tables(told, "sink", place))
    check_names_differ([s.name for s in sinks], "sink", place)
    return _site(_table(told, "site", place), place.inside("site"), printers, sinks)


def camera_of(printer: PrinterSite) -> Camera:
    """The camera of a printer.

    Raises:
        UsageError: its settings do not fit.
    """
    camera: Camera = printer.camera.build(printer=printer.name)
    return camera


def trigger_of(printer: PrinterSite) -> Any:
    """The trigger of a printer; None where it has none.

    Raises:
        UsageError: its settings do not fit.
    """
    return None if printer.trigger is None else printer.trigger.build(printer=printer.name)


def sinks_of(site: Site) -> dict[str, Sink]:
    """All sinks by their names, each for the kinds of messages that the file gives it.

    Raises:
        UsageError: the settings of one do not fit.
    """
    return {one.name: one.build() for one in site.sinks}


def _loaded(place: Place) -> dict[str, Any]:
    try:
        return tomllib.loads(place.file.read_text(encoding="utf-8"))
    except OSError as error:
        raise place.wrong(f"cannot be read: {error.strerror}; give a site file, see docs/site.md") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise place.wrong(f"broken TOML ({error}); compare it with the example in docs/site.md") from None


def _table(told: Mapping[str, Any], key: str, place: Place) -> dict[str, Any]:
    found = told.get(key)
    if not isinstance(found, dict):
        raise place.wrong(f"table {key} is missing" if found is None else f"{key} = {found!r}; it must be a table")
    return dict(found)


def _tables(told: Mapping[str, Any], key: str, place: Place) -> list[tuple[int, dict[str, Any]]]:
    """A list of tables, numbered from 1."""
    found = told.get(key, [])
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise place.wrong(f"{key} must be written [[{key}]], with two brackets; there may be several")
    return [(number, dict(one)) for number, one in enumerate(found, 1)]


def _site(table: dict[str, Any], place: Place, printers: tuple[PrinterSite, ...], sinks: tuple[SinkSite, ...]) -> Site:
    told = dict(table)
    data = told.setdefault("data", "data")
    told.setdefault("database", f"sqlite:///{place.path(str(data))}/journal.db")
    told.setdefault("heartbeat", 2)
    retention = filled(Retention, _table({"retention": {}, **told}, "retention", place), place.inside("retention"))
    told.pop("retention", None)
    site = filled(Site, told, place, retention=retention, printers=printers, sinks=sinks, file=place.file)
    check_folder_name(site.name, place)
    _check_bounds(
        place,
        {
            "heartbeat must lie between 0.1 and 5 s": not 0.1 <= site.heartbeat <= 5,
            "retention.ok_days must be 0 or more": retention.ok_days < 0,
            "retention.nok_days must not be less than retention.ok_days": retention.nok_days < retention.ok_days,
            "retention.free_gb must be 0 or more": retention.free_gb < 0,
            "database must be a URL, such as sqlite:///journal.db": "://" not in site.database,
        },
    )
    return _with_absolute_database(site, place)


def _with_absolute_database(site: Site, place: Place) -> Site:
    """A relative SQLite file lies beside the site file, wherever the service is started."""
    start, slashes, path = site.database.partition(":///")
    if not start.startswith("sqlite") or not slashes or not path or path.startswith((":memory:", "file:")):
        return site
    absolute = f"{start}:///{place.path(path)}"
    return Site(**{**vars(site), "database": absolute})


def _printer(table: dict[str, Any], place: Place) -> PrinterSite:
    camera = _thing(_table(table, "camera", place), _CAMERAS, place.inside("camera"))
    has_trigger = table.get("trigger") is not None
    trigger = _thing(_table(table, "trigger", place), _TRIGGERS, place.inside("trigger")) if has_trigger else None
    plain = {key: value for key, value in table.items() if key not in {"camera", "trigger"}}
    printer = filled(PrinterSite, plain, place, camera=camera, trigger=trigger, place=place)
    check_folder_name(printer.name, place)
    _check_bounds(
        place,
        {
            "model is empty; give a model's folder or a name in the registry": not printer.model,
            "mm_per_px must lie between 0.001 and 100 mm": not 0.001 <= (printer.mm_per_px or 1) <= 100,
            "mm_per_px must be above 0 mm": printer.mm_per_px == 0,
            "layer_height must lie between 0.005 and 5 mm": not 0.005
            <= (1 if printer.layer_height is None else printer.layer_height)
            <= 5,
            "false_alarms must lie between 0 and 0.5, a share of the healthy jobs": not 0 < printer.false_alarms <= 0.5,
            "binning must lie between 1 and 16": not 1 <= printer.binning <= 16,
            "escalate_after must be above 0 s": printer.escalate_after <= 0,
        },
    )
    _check_grey(printer)
    return printer


def _check_grey(printer: PrinterSite) -> None:
    try:
        check_span(printer.span)
        if printer.scale is not None:
            scale_named(printer.scale)
    except UsageError as error:
        raise printer.place.wrong(str(error)) from None


def _sink(table: dict[str, Any], place: Place) -> SinkSite:
    own = {"name": table.pop("name", table.get("kind", ""))}
    own |= {"kinds": table.pop("kinds")} if "kinds" in table else {}
    sink = filled(SinkSite, own, place, sink=_thing(table, _SINKS, place))
    check_folder_name(sink.name, place)
    return sink


def _thing(table: dict[str, Any], shelf: str, place: Place) -> Thing:
    if "kind" not in table:
        raise place.wrong(f"kind is missing; there are: {', '.join(_names(shelf, place))}")
    kind = check_name(table.pop("kind"), _names(shelf, place), "kind", place)
    return Thing(shelf, kind, table, place)


def _names(shelf: str, place: Place) -> tuple[str, ...]:
    try:
        return catalogue.names(shelf)
    except UsageError as error:
        raise place.wrong(str(error)) from None


def _check_bounds(place: Place, wrongs: Mapping[str, bool]) -> None:
    for text, is_wrong in wrongs.items():
        if is_wrong:
            raise place.wrong(text)


def _check_printer(printer: PrinterSite, data: Path) -> None:
    in_registry = is_name(printer.model) and (data / "models" / printer.model).is_dir()
    if printer.model_folder is None and not in_registry:
        places = f"{printer.place.path(printer.model)} and {data / 'models' / printer.model}"
        raise printer.place.wrong(f"model = {printer.model!r} is neither a folder nor registered ({places})")
    if printer.plans is not None and not printer.plans.is_dir():
        raise printer.place.wrong(f"plans: {printer.plans} is no folder; make it, or leave plans away")
    camera_of(printer)
    trigger_of(printer)
