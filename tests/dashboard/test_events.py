"""The event stream goes on after the last event that a page has had: none is missing, none comes twice."""

from __future__ import annotations

import json
from itertools import islice
from pathlib import Path
from threading import Thread

import httpx

from layerwatch.dashboard.events import resumed
from layerwatch.inspection.journal.journal import Journal
from layerwatch.inspection.messages import Message
from tests.dashboard.conftest import PRINTER


def numbers(client: httpx.Client, count: int, last: str | None) -> list[int]:
    """Of the next events."""
    headers = {} if last is None else {"Last-Event-ID": last}
    with client.stream("GET", "/api/events", headers=headers) as told:
        assert told.headers["content-type"].startswith("text/event-stream")
        return [int(line[4:]) for line in islice((x for x in told.iter_lines() if x.startswith("id: ")), count)]


def say(journal: Journal, count: int) -> list[int]:
    texts = [f"line {n}\nand another" for n in range(count)]
    return [journal.say([Message("printer", {"event": "remark", "text": text}, PRINTER)])[0] for text in texts]


def test_a_cut_stream_goes_on_without_a_gap(client: httpx.Client, filled: tuple[Path, Journal]) -> None:
    _, journal = filled
    every = [one.number for one in journal.told()]
    first = numbers(client, 5, "0")
    assert first == every[:5]
    late = say(journal, 3)
    assert numbers(client, len(every) - 5 + 3, str(first[-1])) == [*every[5:], *late]


def test_what_is_said_while_a_page_listens_comes_at_once(client: httpx.Client, filled: tuple[Path, Journal]) -> None:
    _, journal = filled
    last, found = journal.told(0, 100_000)[-1].number, list[int]()
    listening = Thread(target=lambda: found.extend(numbers(client, 20, str(last))))
    listening.start()
    said = say(journal, 20)
    listening.join(10)
    assert found == said


def test_an_event_is_one_line_of_json(client: httpx.Client, filled: tuple[Path, Journal]) -> None:
    number = say(filled[1], 1)[0]
    with client.stream("GET", "/api/events", params={"after": number - 1}) as told:
        lines = list(islice((x for x in told.iter_lines() if x and not x.startswith("retry")), 3))
    assert lines[:2] == [f"id: {number}", "event: printer"]
    assert json.loads(lines[2].removeprefix("data: "))["text"] == "line 0\nand another"


def test_a_number_that_is_none_is_left_aside() -> None:
    assert resumed("12") == 12
    assert [resumed(text) for text in ("", "x", "-1", "1e3", "²", "9" * 40)] == [None] * 6
