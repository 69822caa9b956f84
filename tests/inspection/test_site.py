"""A site file says everything once; what is wrong in it is named with its place and with what would do."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import pytest

from layerwatch.inspection.cameras.watch_folder import WatchFolder
from layerwatch.inspection.journal.retention import Retention
from layerwatch.inspection.messages import Message
from layerwatch.inspection.settings import Place, filled
from layerwatch.inspection.sinks.base import EVERYTHING
from layerwatch.inspection.sinks.jsonl import Jsonl
from layerwatch.inspection.site import (
    Only,
    PrinterSite,
    SinkSite,
    Site,
    camera_of,
    example_text,
    read_site,
    sinks_of,
    trigger_of,
)
from layerwatch.records import UsageError

SMALL = """
[site]
name = "hall"

[[printer]]
name = "p1"
model = "model"
[printer.camera]
kind = "watch_folder"
path = "frames"
"""
PAGE = Path(__file__).parents[2] / "docs" / "site.md"
SECOND = SMALL[SMALL.index("[[printer]]") :].replace("p1", "p2")


def site(folder: Path, text: str) -> Site:
    file = folder / "site.toml"
    file.write_text(text, encoding="utf-8")
    return read_site(file)


def refusal(folder: Path, text: str) -> str:
    with pytest.raises(UsageError) as caught:
        site(folder, text).check()
    message = str(caught.value)
    assert message.startswith(str(folder / "site.toml"))
    return message


def test_the_shortest_file_has_sensible_defaults_and_paths_beside_it(tmp_path: Path) -> None:
    read = site(tmp_path, SMALL)
    assert read.data == tmp_path / "data"
    assert read.database == f"sqlite:///{tmp_path}/data/journal.db"
    assert (read.heartbeat, read.retention.ok_days, read.retention.nok_days, read.retention.free_gb) == (2, 30, 365, 5)
    printer = read.printer("p1")
    assert (printer.false_alarms, printer.mm_per_px, printer.span, printer.plans) == (0.05, None, None, None)
    camera = camera_of(printer)
    assert isinstance(camera, WatchFolder)
    assert (camera.printer, camera.path) == ("p1", tmp_path / "frames")
    assert trigger_of(printer) is None
    assert sinks_of(read) == {}


def test_the_example_is_read_and_every_thing_in_it_can_be_built(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAYERWATCH_MQTT_PASSWORD", "hidden word")
    read = site(tmp_path, example_text())
    for folder in ("models/cores", "data/models/cores", "plans"):
        (tmp_path / folder).mkdir(parents=True)
    read.check()
    assert [p.name for p in read.printers] == ["printer-1", "printer-2"]
    assert read.printers[0].span == (20.0, 60.0)
    assert read.printers[0].model_folder is None
    assert read.printers[1].model_folder == tmp_path / "models/cores"
    built: Any = sinks_of(read)
    assert list(built) == ["jsonl", "control room"]
    assert built["control room"].password == "hidden word"
    assert built["control room"].wants == ("alarm", "printer")
    assert "hidden word" not in repr(read) + repr(built)


def test_the_page_shows_the_example_and_explains_every_key() -> None:
    page = PAGE.read_text("utf-8")
    assert example_text() in page
    plain = {f.name for kind in (PrinterSite, SinkSite) for f in fields(kind)} - {"place", "sink", "camera", "trigger"}
    keys = plain | {f"retention.{f.name}" for f in fields(Retention)} | {"name", "data", "database", "heartbeat"}
    assert not [key for key in keys if f"| `{key}` |" not in page]


@pytest.mark.parametrize(
    ("old", "new", "parts"),
    [
        ('name = "p1"\n', "", ["printer 1: name is missing"]),
        ('name = "p1"', 'name = "a/b"', ["printer 1", "'a/b'", "letters"]),
        ('name = "p1"', 'name = ".."', ["printer 1", "'..'"]),
        ('name = "p1"', "name = 5", ["printer 1: name = 5", "a text in quotes"]),
        ('model = "model"', 'modle = "model"', ["printer 1", "'modle'", "did you mean 'model'"]),
        ('model = "model"', 'model = ""', ["printer 1", "model is empty"]),
        ('model = "model"', 'model = "nowhere"', ["printer 1", "'nowhere'", "nor registered"]),
        ('"watch_folder"', '"watchfolder"', ["printer 1, camera", "did you mean 'watch_folder'", "there are:"]),
        ('kind = "watch_folder"', "", ["printer 1, camera: kind is missing", "watch_folder"]),
        ('path = "frames"', 'pth = "frames"', ["printer 1, camera", "'pth'", "did you mean 'path'", "settle"]),
        ('path = "frames"', "", ["printer 1, camera: path is missing", "a path in quotes"]),
        ('path = "frames"', 'path = "f"\nsettle = "long"', ["camera: settle = 'long'", "a number"]),
        ('path = "frames"', 'path = "f"\nprinter = "p2"', ["camera: no key 'printer'"]),
        ('path = "frames"', 'path = "f"\nafter = "burn"', ["after = 'burn'", "one of 'keep', 'delete', 'move'"]),
        ('path = "frames"', 'path = "f"\nleft_alone = "x"', ["left_alone = 'x'", "a list"]),
        ("[printer.camera]", "[printer.kamera]", ["printer 1: table camera is missing"]),
        ("[[printer]]", "[printer]", ["[[printer]], with two brackets"]),
        ('name = "hall"', 'name = "hall"\nheartbeat = 60', ["site: heartbeat must lie between"]),
        ('name = "hall"', 'name = "hall"\nheartbeat = true', ["site: heartbeat = True", "a number"]),
        ('name = "hall"', 'name = "hall"\ndatabase = "pw@x"', ["site: database must be a URL"]),
        ('name = "hall"', 'name = "hall"\nretention = 3', ["site: retention = 3"]),
        ('name = "hall"', 'name = "hall"\nretention = {ok_day = 3}', ["site, retention", "did you mean 'ok_days'"]),
        ('name = "hall"', 'name = "hall"\nretention = {nok_days = 3}', ["nok_days must not be less"]),
        ("[site]", "[[site]]", ["it must be a table"]),
        ("[site]", "[sites]", ["no section 'sites'", "did you mean 'site'"]),
        ("[site]", "[site", ["broken TOML"]),
        ('model = "model"', 'model = "model"\nspan = [60, 20]', ["printer 1", "lower end first"]),
        ('model = "model"', 'model = "model"\nspan = [60]', ["span = [60]", "a list of a number and a number"]),
        ('model = "model"', 'model = "model"\nscale = "mono"', ["printer 1", "'mono'", "mono14-40mK"]),
        ('model = "model"', 'model = "model"\nfalse_alarms = 5', ["false_alarms must lie between 0 and 0.5"]),
        ('model = "model"', 'model = "model"\nmm_per_px = nan', ["mm_per_px = nan", "a number"]),
        ('model = "model"', 'model = "model"\nlayer_height = 0', ["layer_height must lie"]),
        ('model = "model"', 'model = "model"\nplans = "none"', ["printer 1: plans", "no folder"]),
    ],
)
def test_what_is_wrong_is_said_with_its_place(tmp_path: Path, old: str, new: str, parts: list[str]) -> None:
    (tmp_path / "model").mkdir()
    site(tmp_path, SMALL).check()
    assert old in SMALL
    message = refusal(tmp_path, SMALL.replace(old, new, 1))
    assert all(part in message for part in parts), message


def test_two_of_one_name_are_refused(tmp_path: Path) -> None:
    assert len(site(tmp_path, SMALL + SECOND).printers) == 2
    assert "printer 2: name = 'p1' is that of printer 1" in refusal(tmp_path, SMALL + SECOND.replace("p2", "p1"))
    twice = '[[sink]]\nkind = "console"\n' * 2
    assert "sink 2: name = 'console' is that of sink 1" in refusal(tmp_path, SMALL + twice)


def test_no_file_and_no_printer_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        read_site(tmp_path / "site.toml")
    assert "no [[printer]]" in refusal(tmp_path, '[site]\nname = "hall"\n')
    with pytest.raises(UsageError, match="did you mean 'p1'"):
        site(tmp_path, SMALL).printer("p11")


def test_a_sink_gets_the_kinds_that_the_file_says(tmp_path: Path) -> None:
    text = SMALL + '[[sink]]\nkind = "jsonl"\npath = "out.jsonl"\nkinds = ["alarm"]\n'
    (sink,) = sinks_of(site(tmp_path, text)).values()
    assert isinstance(sink, Only)
    assert isinstance(sink.sink, Jsonl)
    assert sink.wants == ("alarm",)
    for kind in EVERYTHING:
        sink.take(Message(kind, {}))
    sink.close()
    assert (tmp_path / "out.jsonl").read_text("utf-8").count("\n") == 1
    assert "sink 1: kinds = ['alert']" in refusal(tmp_path, text.replace('"alarm"', '"alert"'))
    hook = SMALL + '[[sink]]\nkind = "webhook"\nurl = "http://127.0.0.1:1"\nkinds = ["audit"]\n'
    assert sinks_of(site(tmp_path, hook))["webhook"].wants == ("audit",)


def test_secrets_come_from_the_environment_or_a_file_and_are_never_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = SMALL + '[[sink]]\nkind = "mqtt"\nhost = "127.0.0.1"\npassword = {file = "word"}\n'
    read = site(tmp_path, text)
    with pytest.raises(UsageError, match=r"sink 1.*cannot read .*word"):
        sinks_of(read)
    (tmp_path / "word").write_text("xyzzy\n", encoding="utf-8")
    built: Any = sinks_of(read)["mqtt"]
    assert built.password == "xyzzy"
    by_env = text.replace('{file = "word"}', '{env = "WORD_OF_TEST"}')
    (tmp_path / "model").mkdir()
    assert "WORD_OF_TEST is not set" in refusal(tmp_path, by_env)
    monkeypatch.setenv("WORD_OF_TEST", "plugh")
    built = sinks_of(site(tmp_path, by_env))["mqtt"]
    assert built.password == "plugh"
    assert "hidden" not in refusal(tmp_path, text.replace('{file = "word"}', '["hidden"]'))
    database = SMALL.replace('"hall"', '"hall"\ndatabase = {env = "WORD_OF_DATABASE"}')
    monkeypatch.setenv("WORD_OF_DATABASE", "postgresql+pg8000://me:plugh@host/x")
    read = site(tmp_path, database)
    assert read.database.endswith("plugh@host/x")
    assert "plugh" not in repr(read)


def test_a_relative_sqlite_file_lies_beside_the_site_file(tmp_path: Path) -> None:
    for given, wanted in {
        "sqlite:///x.db": f"sqlite:///{tmp_path}/x.db",
        "sqlite:////tmp/x.db": "sqlite:////tmp/x.db",
        "sqlite://": "sqlite://",
    }.items():
        assert site(tmp_path, SMALL.replace('"hall"', f'"hall"\ndatabase = "{given}"')).database == wanted


@dataclass(frozen=True)
class Inner:
    size: int


@dataclass(frozen=True)
class Everything:
    """One field of each type that may stand in a file, and some that may not."""

    text: str
    number: float = 0.0
    whole: int | None = None
    words: dict[str, str] = field(default_factory=dict)
    inner: Inner | None = None
    pair: tuple[int, str] = (0, "")
    names: frozenset[str] = frozenset()
    call: Any = None
    clock: type | None = None
    _own: int = 0

    def __post_init__(self) -> None:
        if self.number < 0:
            raise ValueError("number is below 0")


def test_fields_of_every_type_are_filled(tmp_path: Path) -> None:
    place = Place(tmp_path / "x.toml", "thing")
    table = {"text": "t", "number": 1, "whole": 2, "words": {"a": "b"}, "inner": {"size": 3}, "pair": [1, "x"]}
    made = filled(Everything, {**table, "names": ["n"]}, place)
    assert made == Everything("t", 1.0, 2, {"a": "b"}, Inner(3), (1, "x"), frozenset({"n"}))
    for wrong, text in {
        "whole": "whole = 2.5",
        "inner": "thing, inner: no key 'x'",
        "clock": "no key 'clock'",
        "_own": "no key '_own'",
        "number": "number is below 0",
    }.items():
        value: Any = {"whole": 2.5, "inner": {"x": 1}, "number": -1}.get(wrong, 1)
        with pytest.raises(UsageError, match=text):
            filled(Everything, {"text": "t", wrong: value}, place)


PORTS = {"camera": ("http_push", "mqtt"), "trigger": ("http", "mqtt"), "sink": ("prometheus", "mqtt")}


@pytest.mark.parametrize("port", [-1, 65536, 70000])
@pytest.mark.parametrize(
    ("where", "kind"),
    [(a, b) for a, kinds in PORTS.items() for b in kinds],
)
def test_a_port_beyond_all_ports_is_refused_by_its_key(tmp_path: Path, where: str, kind: str, port: int) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "frames").mkdir()
    told = f'kind = "{kind}"\nport = {port}\n' + ('host = "127.0.0.1"\n' if (where, kind) == ("sink", "mqtt") else "")
    text = {
        "camera": SMALL.replace('kind = "watch_folder"\npath = "frames"\n', told),
        "trigger": f"{SMALL}[printer.trigger]\n{told}",
        "sink": f"{SMALL}[[sink]]\n{told}",
    }[where]
    message = refusal(tmp_path, text)
    assert f"port = {port}; give a number between 1 and 65535" in message
    assert where in message


@pytest.mark.parametrize(("one", "other"), [("P1", "p1"), ("Straße", "STRASSE"), ("caf\u00e9", "cafe\u0301")])
def test_printers_that_some_disks_take_for_one_are_refused(tmp_path: Path, one: str, other: str) -> None:
    text = SMALL.replace('"p1"', f'"{one}"') + SECOND.replace('"p2"', f'"{other}"')
    assert "upper and lower case" in refusal(tmp_path, text)
