"""The story of a job comes out of its messages alone, in any order and however often they come."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from importlib import resources
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator  # type: ignore[import-untyped] # its stubs are a package of their own

from layerwatch.inspection.messages import Kind, Message, as_json, verdict_message
from layerwatch.inspection.story import Story
from layerwatch.records import DataError, Region, Verdict

SCHEMA = json.loads(resources.files("layerwatch.inspection").joinpath("message_schema.json").read_text("utf-8"))
VALID = Draft202012Validator(SCHEMA)
EVENTS = ("raised", "grown", "worse", "cleared", "reopened", "acknowledged", "shelved", "escalated")
REGION = Region(1, 10.0, 20.0, 4.0, 2.0, float("nan"), (1, 2, 3, 4))


def message(number: int, kind: Kind, body: Mapping[str, Any], job: str = "job-1") -> dict[str, Any]:
    told = Message(kind, body, "M2", job, number, 1000.0 + number)
    back: dict[str, Any] = json.loads(told.text())
    return back


def verdict_body(layer: int, word: Any = "OK", **more: Any) -> dict[str, Any]:
    score = float("nan") if word == "FAULT" else float(layer)
    return {**as_json(Verdict("job-1", layer, word, score, 5.0, 0.25, (REGION,) if word == "NOK" else ())), **more}


def alarm_body(name: str, event: str, layer: int, level: str = "minor") -> dict[str, Any]:
    told = {"alarm": name, "event": event, "level": level, "cause": "defect", "text": f"{event} at layer {layer}"}
    return {
        **told,
        "first_layer": 1,
        "raised_layer": 2,
        "last_layer": layer,
        "delay": 1.5,
        "objects": [],
        "state": "open",
    }


LAYERS = st.tuples(
    st.integers(1, 12),  # some come twice, some never
    st.sampled_from(["OK", "NOK", "FAULT"]),
    st.none() | st.tuples(st.sampled_from("12"), st.sampled_from(EVENTS)),
)


def messages_of(layers: list[tuple[int, str, tuple[str, str] | None]]) -> list[dict[str, Any]]:
    """The messages of one job, in the order in which they were told."""
    told: list[tuple[Kind, dict[str, Any]]] = [("job", {"event": "began"})]
    for layer, word, alarm in layers:
        told.append(("verdict", verdict_body(layer, word)))
        if alarm:
            told.append(("alarm", alarm_body(*alarm, layer)))
    told.append(("job", {"event": "ended"}))
    return [message(number, kind, body) for number, (kind, body) in enumerate(told, 1)]


def story(messages: list[dict[str, Any]]) -> dict[str, Any]:
    found = Story("job-1")
    for one in messages:
        found.take(one)
    return found.as_json()


@given(st.lists(LAYERS, max_size=12), st.integers(0, 2**32))
def test_order_and_doubles_do_not_change_the_story(
    layers: list[tuple[int, str, tuple[str, str] | None]], seed: int
) -> None:
    messages, rng = messages_of(layers), random.Random(seed)
    shuffled = messages + rng.choices(messages, k=len(messages))
    rng.shuffle(shuffled)
    assert story(shuffled) == story(messages)
    for one in messages:
        VALID.validate(one)


def test_a_story() -> None:
    told = story(
        [
            message(1, "job", {"event": "began"}),
            message(2, "verdict", verdict_body(1)),
            message(3, "verdict", verdict_body(2, "FAULT", fault="black")),
            message(4, "verdict", verdict_body(6, "NOK")),
            message(5, "alarm", alarm_body("1", "raised", 6)),
            message(6, "verdict", verdict_body(1), job="job-2"),
            message(7, "alarm", alarm_body("1", "worse", 7, "critical")),
            message(8, "verdict", verdict_body(2, "OK")),
        ]
    )
    assert (told["began"], told["ended"]) == (1001.0, None)
    assert [(one["layer"], one["word"], one["score"], one["p_value"]) for one in told["layers"]] == [
        (1, "OK", 1.0, 0.25),
        (2, "OK", 2.0, 0.25),
        (6, "NOK", 6.0, 0.25),
    ]
    assert told["gaps"] == [[3, 5]]
    assert [(one["alarm"], one["event"], one["level"], one["last_layer"]) for one in told["alarms"]] == [
        ("1", "worse", "critical", 7)
    ]
    assert json.loads(json.dumps(told)) == told


@pytest.mark.parametrize("wrong", [{"schema": "layerwatch/9"}, {"number": None}, {"number": 0}])
def test_what_tells_no_story_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(DataError, match="a story is made of"):
        Story("job-1").take({**message(1, "job", {"event": "began"}), **wrong})


def test_stories_of_two_printers_with_a_job_of_the_same_name_stay_apart() -> None:
    mine, other = Story("job-1", "M2"), Story("job-1", "M3")
    for found in (mine, other):
        found.take(message(1, "verdict", verdict_body(1)))
    assert (len(mine.layers), len(other.layers)) == (1, 0)


def test_the_schema_is_one_and_knows_every_kind() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    full = verdict_body(
        3, "NOK", model="ab12", file="f.png", heat="h.png", fault="", seconds={"read": 0.1, "gate": None}
    )
    bodies: list[tuple[Kind, dict[str, Any]]] = [
        ("verdict", full),
        ("alarm", alarm_body("1", "raised", 3)),
        ("job", {"event": "ended", "layers": 40}),
        ("printer", {"event": "trouble", "text": "no frame for 60 s"}),
        ("audit", {"event": "threshold", "who": "anna", "what": "model", "before": None, "after": {"rate": 0.05}}),
    ]
    for kind, body in bodies:
        VALID.validate(message(1, kind, body))
        for key in ("word", "event", "seconds"):
            if key in body and kind != "audit":
                assert not VALID.is_valid({**message(1, kind, body), key: 5}), f"{kind} {key}"
    VALID.validate(json.loads(verdict_message(Verdict("j", 1, "OK", 1.0, 2.0, 0.5)).text()))
