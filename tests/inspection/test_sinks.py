"""Each sink keeps its contract; what is not taken says why, and what comes again is not there twice."""

from __future__ import annotations

import hmac
import io
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from layerwatch import catalogue
from layerwatch.inspection.messages import Message
from layerwatch.inspection.names import safe
from layerwatch.inspection.sinks.base import EVERYTHING, NotTakenError
from layerwatch.inspection.sinks.console import Console
from layerwatch.inspection.sinks.folder import Folder
from layerwatch.inspection.sinks.jsonl import Jsonl
from layerwatch.inspection.sinks.prometheus import Prometheus
from layerwatch.inspection.sinks.webhook import Webhook
from layerwatch.records import UsageError
from layerwatch.testing.contracts import check_sink

HERE = {"console", "folder", "jsonl", "prometheus", "webhook"}
ELSEWHERE = {"mqtt"}  # test_mqtt_sink.py


def test_every_sink_is_tested() -> None:
    assert set(catalogue.names("inspection.sinks")) == HERE | ELSEWHERE, "a new sink needs a test here"


def test_console_and_jsonl_keep_their_contract(tmp_path: Path) -> None:
    stream, path = io.StringIO(), tmp_path / "deep" / "verdicts.jsonl"
    check_sink(Console(stream), stream.getvalue)
    check_sink(Jsonl(path), lambda: path.read_text(encoding="utf-8"))


# --- webhook ---------------------------------------------------------------------------------------------------------


@dataclass
class Receiver:
    """What an HTTP server was sent, and what it answers."""

    url: str = ""
    status: int = 204
    bodies: list[bytes] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)


@contextmanager
def http_server() -> Iterator[Receiver]:
    receiver = Receiver()

    class Page(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            receiver.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            receiver.headers.append(dict(self.headers))
            self.send_response(receiver.status)
            self.send_header("Location", receiver.url + "/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 # the library's name
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    receiver.url = f"http://127.0.0.1:{server.server_address[1]}/hook"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def alarm(number: int, event: str = "raised", level: str = "minor", name: str = "1") -> Message:
    body = {"alarm": name, "event": event, "level": level, "cause": "defect", "text": "a defect grows"}
    return Message("alarm", body, "printer 1", "job/1", number, 1000.0 + number)


def verdict(number: int, **more: Any) -> Message:
    return Message("verdict", {"layer": number, "word": "OK", **more}, "printer 1", "job/1", number, 1000.0 + number)


def test_a_webhook_keeps_its_contract() -> None:
    with http_server() as receiver:
        sink = Webhook(receiver.url, kinds=EVERYTHING)
        check_sink(sink, lambda: b"\n".join(receiver.bodies).decode())
        sink.close()
        assert all("Idempotency-Key" not in told for told in receiver.headers), "no journal, no number"


def test_a_webhook_signs_what_it_sends_and_numbers_it() -> None:
    with http_server() as receiver:
        sink = Webhook(receiver.url, secret="key")
        assert sink.wants == ("alarm", "job", "printer")
        assert "key" not in repr(sink)
        sink.take(alarm(7))
        sink.close()
    told, body = receiver.headers[0], receiver.bodies[0]
    assert json.loads(body) == alarm(7).as_json()
    assert told["Idempotency-Key"] == "7"
    assert told["Content-Type"] == "application/json"
    assert told["X-Layerwatch-Signature"] == "sha256=" + hmac.new(b"key", body, "sha256").hexdigest()


@pytest.mark.parametrize("status", [301, 307, 400, 404, 409, 429, 500, 503])
def test_whatever_is_not_2xx_is_not_taken_and_redirects_are_not_followed(status: int) -> None:
    with http_server() as receiver:
        sink, receiver.status = Webhook(receiver.url), status
        with pytest.raises(NotTakenError, match=str(status)):
            sink.take(alarm(1))
        assert len(receiver.bodies) == 1
        receiver.status = 200
        sink.take(alarm(1))
        sink.close()


def test_a_server_that_is_away_is_named_without_the_secrets_of_its_address() -> None:
    with http_server() as receiver:
        url = receiver.url
    sink = Webhook(url + "?token=hidden")
    with pytest.raises(NotTakenError, match=r"127\.0\.0\.1") as error:
        sink.take(alarm(1))
    assert "hidden" not in str(error.value) + repr(sink)
    sink.close()


@pytest.mark.parametrize("url", ["ftp://host/x", "host", "http://host:port/"])
def test_what_is_no_address_is_a_mistake_of_the_settings(url: str) -> None:
    sink = Webhook(url)
    with pytest.raises(UsageError, match="http://"):
        sink.take(alarm(1))
    sink.close()


# --- prometheus ------------------------------------------------------------------------------------------------------


@contextmanager
def prometheus() -> Iterator[Prometheus]:
    sink = Prometheus(port=0)
    try:
        yield sink
    finally:
        sink.close()


def metrics(sink: Prometheus) -> str:
    return httpx.get(f"http://127.0.0.1:{sink.bound_port}/metrics").text


def test_prometheus_keeps_its_contract() -> None:
    with prometheus() as sink:
        check_sink(sink, lambda: "\n".join(sorted(metrics(sink).split("\n"), key=by_word)))


def by_word(line: str) -> int:
    """Pages have no order of arrival; this is that of the contract."""
    found = [word in line for word in ('"OK"', '"NOK"', '"FAULT"')]
    return found.index(True) if any(found) else 3


def test_prometheus_counts_each_message_once() -> None:
    with prometheus() as sink:
        for message in (verdict(1, seconds={"read": 0.02, "gate": None}), verdict(2), verdict(2), verdict(1)):
            sink.take(message)
        page = metrics(sink)
    assert 'layerwatch_layers_total{printer="printer 1",word="OK"} 2.0' in page
    assert 'layerwatch_stage_seconds_count{printer="printer 1",stage="read"} 1.0' in page
    assert 'stage="gate"' not in page
    assert 'layerwatch_last_verdict_time_seconds{printer="printer 1"} 1002.0' in page


def test_prometheus_knows_the_open_alarms() -> None:
    def opened(level: str) -> str:
        return f'layerwatch_alarms_open{{level="{level}",printer="printer 1"}}'

    with prometheus() as sink:
        events = [
            ("raised", "minor", "1"),
            ("raised", "minor", "2"),
            ("worse", "critical", "1"),
            ("cleared", "minor", "2"),
        ]
        events += [("acknowledged", "minor", "2"), ("acknowledged", "critical", "1")]
        for number, (event, level, name) in enumerate(events, 1):
            sink.take(alarm(number, event, level, name))
        page = metrics(sink)
        assert 'layerwatch_alarms_raised_total{cause="defect",level="minor",printer="printer 1"} 2.0' in page
        assert opened("critical") + " 1.0" in page
        assert opened("minor") + " 0.0" in page
        sink.take(alarm(9, "cleared", "critical", "1"))
        assert opened("critical") + " 0.0" in metrics(sink)


def test_a_port_that_is_taken_is_a_mistake_of_the_settings() -> None:
    with prometheus() as sink:
        other = Prometheus(port=sink.bound_port)
        with pytest.raises(UsageError, match="another port"):
            other.take(verdict(1))


# --- folder ----------------------------------------------------------------------------------------------------------


def lines(folder: Path) -> list[dict[str, Any]]:
    file = folder / "printer%201" / "job%2F1" / "messages.jsonl"
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def test_a_folder_keeps_its_contract(tmp_path: Path) -> None:
    file = tmp_path / "out" / "-" / "job" / "messages.jsonl"
    check_sink(Folder(tmp_path / "out"), lambda: file.read_text(encoding="utf-8"))


def test_a_message_that_comes_again_is_not_written_again_even_by_another_process(tmp_path: Path) -> None:
    for numbers in ((1, 2, 2), (1, 2, 3), (3,)):
        sink = Folder(tmp_path)
        for number in numbers:
            sink.take(verdict(number))
    assert [line["number"] for line in lines(tmp_path)] == [1, 2, 3]


def test_a_new_journal_that_counts_from_1_again_is_written(tmp_path: Path) -> None:
    sink = Folder(tmp_path)
    sink.take(verdict(5))
    sink.take(replace(verdict(1), time=9000.0))
    assert [line["number"] for line in lines(tmp_path)] == [5, 1]


@given(cut=st.integers(0, 400))
def test_half_a_line_of_a_killed_write_is_cut_off(tmp_path_factory: pytest.TempPathFactory, cut: int) -> None:
    folder = tmp_path_factory.mktemp("folder")
    for number in (1, 2):
        Folder(folder).take(verdict(number))
    file = next(folder.rglob("messages.jsonl"))
    file.write_bytes(file.read_bytes()[:cut])
    sink = Folder(folder)
    for number in (1, 2, 3):
        sink.take(verdict(number))
    assert [line["number"] for line in lines(folder)] == [1, 2, 3]


def test_pictures_are_copied_beside_and_one_that_is_gone_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"heat")
    blobs = {"heat": str(tmp_path / "a.png"), "frame": str(tmp_path / "gone.tiff"), "../x": str(tmp_path / "a.png")}
    Folder(tmp_path / "out").take(replace(verdict(3), blobs=blobs))
    folder = tmp_path / "out" / "printer%201" / "job%2F1"
    assert sorted(path.name for path in folder.iterdir()) == [
        "00000003-..%2Fx.png",
        "00000003-heat.png",
        "messages.jsonl",
    ]
    assert (folder / "00000003-heat.png").read_bytes() == b"heat"


def test_a_folder_that_cannot_be_written_takes_nothing_and_recovers(tmp_path: Path) -> None:
    place = tmp_path / "out"
    place.write_text("a file is in the way")
    sink = Folder(place)
    with pytest.raises(NotTakenError, match="cannot write"):
        sink.take(verdict(1))
    place.unlink()
    sink.take(verdict(1))
    assert [line["number"] for line in lines(place)] == [1]


@given(st.text())
def test_a_name_from_outside_leads_nowhere_else(name: str) -> None:
    told = safe(name)
    assert 0 < len(told) <= 120
    assert set(told) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-%")
    assert told not in {".", ".."}


@given(st.text(), st.text())
def test_two_names_stay_two(one: str, other: str) -> None:
    assert (safe(one) == safe(other)) == (one == other)


@pytest.mark.parametrize(
    ("name", "told"),
    [("", "-"), ("-", "%2D"), ("..", "%2E%2E"), ("a/../b", "a%2F..%2Fb"), ("M-2.b_1", "M-2.b_1"), ("ü", "%C3%BC")],
)
def test_some_names(name: str, told: str) -> None:
    assert safe(name) == told
