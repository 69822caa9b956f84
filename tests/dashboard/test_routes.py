"""Every address of the dashboard answers, to those who may ask it, and wrong names are told so."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi.routing import APIRoute
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from layerwatch.dashboard.app import POLICY
from layerwatch.dashboard.guard import LEAST
from layerwatch.dashboard.routes import router
from layerwatch.dashboard.users import ROLES
from layerwatch.inspection.journal.journal import Journal
from tests.dashboard.conftest import NASTY, PRINTER

LAYER = {"printer": PRINTER, "job": "job", "layer": "5"}
QUERIES: dict[str, dict[str, str]] = {
    "/api/job": {"printer": PRINTER, "job": "job"},
    "/api/picture": LAYER,
    "/api/scale": LAYER,
    "/api/feedback": {"printer": PRINTER, "job": "job"},
    "/api/models": {"printer": PRINTER},
    "/api/part": {"printer": PRINTER, "job": "job"},
    "/api/report": {"printer": PRINTER, "job": "job", "form": "html"},
}
BODIES: dict[str, dict[str, Any]] = {
    "/api/login": {"name": "nobody", "password": "wrong"},
    "/api/alarms/act": {"name": f"{PRINTER}/job/1", "action": "comment", "comment": "seen"},
    "/api/feedback": {"printer": PRINTER, "job": "job", "layer": 5, "label": "true"},
    "/api/models/change": {"printer": PRINTER, "what": "roll_back", "reason": "it was better"},
}


def routes() -> list[tuple[str, str]]:
    found = [one for one in router.routes if isinstance(one, APIRoute)]
    return sorted((method, one.path) for one in found for method in one.methods or ())


def ask(client: httpx.Client, method: str, path: str, headers: dict[str, str] | None = None) -> httpx.Response:
    if path == "/api/events":
        with client.stream("GET", path, headers=headers or {}) as told:
            if told.status_code != 200:
                told.read()
            return told
    body = BODIES.get(path, {}) if method == "POST" else None
    return client.request(method, path, params=QUERIES.get(path), json=body, headers=headers or {})


def test_every_route_has_a_least_role() -> None:
    assert set(routes()) == set(LEAST)


@pytest.mark.parametrize(("method", "path"), routes())
def test_every_route_answers(client: httpx.Client, method: str, path: str) -> None:
    told = ask(client, method, path)
    assert told.status_code == (401 if path == "/api/login" else 200), told.text
    assert told.headers["content-security-policy"] == POLICY
    assert told.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(("method", "path"), [one for one in routes() if LEAST[one]])
@pytest.mark.parametrize("role", ROLES)
def test_every_route_asks_for_its_role(
    guarded: httpx.Client, logged_in: Callable[[str], dict[str, str]], role: str, method: str, path: str
) -> None:
    may = ROLES.index(role) >= [*ROLES].index(next(one for one in ROLES if one == LEAST[method, path]))
    assert ask(guarded, method, path, logged_in(role)).status_code == (200 if may else 403)


@pytest.mark.parametrize(("method", "path"), [one for one in routes() if LEAST[one]])
def test_nobody_gets_in_without_a_login(guarded: httpx.Client, method: str, path: str) -> None:
    told = ask(guarded, method, path)
    assert told.status_code == 401
    assert told.json()["error"] == "log in first"


@pytest.mark.parametrize("path", [path for method, path in routes() if method == "POST"])
@pytest.mark.parametrize("token", ["", "wrong", "é".encode().decode("latin-1")])
def test_a_post_without_its_token_is_refused(client: httpx.Client, path: str, token: str) -> None:
    told = client.post(path, json=BODIES.get(path, {}), headers=[(b"X-CSRF-Token", token.encode("latin-1"))])
    assert told.status_code == 403
    assert "X-CSRF-Token" in told.json()["error"]


def test_another_name_of_this_machine_is_refused(client: httpx.Client) -> None:
    assert client.get("/api/fleet", headers={"Host": "evil.example"}).status_code == 403
    assert client.get("/api/fleet", headers={"Host": "localhost:8770"}).status_code == 200


def test_a_long_body_is_refused_before_it_is_read(client: httpx.Client) -> None:
    assert client.post("/api/feedback", content=b"x" * 70_000).status_code == 413

    def parts() -> Iterator[bytes]:
        yield b"x"

    assert client.post("/api/feedback", content=parts()).status_code == 411


@pytest.mark.parametrize("name", ["../../../etc/passwd", "..", "a/b", "\0", "%2e%2e", "x" * 5000, "'; DROP TABLE jobs"])
@pytest.mark.parametrize("path", ["/api/job", "/api/picture", "/api/scale", "/api/models", "/api/part", "/api/report"])
def test_wrong_names_are_told_so(client: httpx.Client, path: str, name: str) -> None:
    for wrong in ({"printer": name, "job": "job"}, {"printer": PRINTER, "job": name}):
        told = client.get(path, params={"layer": "5", **wrong, "kind": "frame"})
        is_fine = path == "/api/models" and wrong["printer"] == PRINTER
        assert told.status_code in ({200} if is_fine else {404, 422}), told.text
        assert is_fine or isinstance(told.json()["error"], str)


@pytest.mark.parametrize(
    "path", ["/../users.json", "/%2e%2e/users.json", "/..%2fapp.py", "//etc/passwd", "/journal.db"]
)
def test_no_path_leads_out_of_the_page(client: httpx.Client, path: str) -> None:
    told = client.get(path)
    assert told.status_code == 404 or "layerwatch" in told.text
    assert "create_app" not in told.text
    assert "root:" not in told.text


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    which=st.sampled_from([one for one in routes() if one[1] not in {"/api/events", "/api/login"}]),
    words=st.dictionaries(
        st.sampled_from(
            ["printer", "job", "layer", "kind", "form", "after", "every", "name", "label", "value", "what"]
        ),
        st.one_of(st.text(max_size=30), st.integers(), st.floats(), st.none(), st.sampled_from([PRINTER, "job", "5"])),
    ),
)
def test_whatever_is_asked_the_service_does_not_fail(
    client: httpx.Client, which: tuple[str, str], words: dict[str, Any]
) -> None:
    method, path = which
    given = {key: str(value).encode("utf-8", "replace").decode() for key, value in words.items()}
    body = json.dumps({**BODIES.get(path, {}), **words}).encode()
    told = client.request(method, path, params=given, content=body if method == "POST" else None)
    assert told.status_code < 500, told.text


def test_a_jobs_name_comes_back_as_it_is(client: httpx.Client) -> None:
    told = client.get("/api/job", params={"printer": PRINTER, "job": NASTY})
    assert told.headers["content-type"] == "application/json"
    assert told.json()["job"] == NASTY
    assert [one["job"] for one in client.get("/api/jobs").json()["jobs"]] == [NASTY, "job"]
    report = client.get("/api/report", params={"printer": PRINTER, "job": NASTY, "form": "html"})
    assert report.headers["content-disposition"].startswith('attachment; filename="%3Cimg')


def test_the_job_is_told_layer_by_layer(client: httpx.Client) -> None:
    job = client.get("/api/job", params={"printer": PRINTER, "job": "job"}).json()
    levels = {one["layer"]: one["level"] for one in job["layers"]}
    assert {levels[n] for n in (7, 8)} == {"unjudged"}
    assert {levels[n] for n in (5, 6)} <= {"minor", "critical"}
    hot = next(one for one in job["layers"] if one["layer"] == 5)
    assert any(abs(one["x"] - 14) < 4 and abs(one["y"] - 14) < 4 for one in hot["regions"])
    assert hot["has_frame"]
    assert hot["has_heat"]
    assert hot["has_plan"]
    assert job["size"] is not None
    assert {one["cause"] for one in job["alarms"]} == {"defect", "fault"}
    fleet = client.get("/api/fleet").json()["printers"][0]
    assert fleet["open_alarms"]["fault"] >= 1
    assert fleet["judged"] == 9
    why = client.get("/api/why").json()["printers"][0]
    assert why["name"] == PRINTER


@pytest.mark.parametrize("kind", ["frame", "heat", "outline"])
def test_pictures_are_of_the_size_that_is_judged_and_are_kept(client: httpx.Client, kind: str) -> None:
    told = client.get("/api/picture", params={**LAYER, "kind": kind})
    assert told.content[:4] == b"\x89PNG"
    size = [int.from_bytes(told.content[at : at + 4], "big") for at in (16, 20)]
    assert size == client.get("/api/job", params={"printer": PRINTER, "job": "job"}).json()["size"]
    assert "immutable" in told.headers["cache-control"]
    again = client.get("/api/picture", params={**LAYER, "kind": kind}, headers={"If-None-Match": told.headers["etag"]})
    assert again.status_code == 304
    if kind == "frame":
        scale = client.get("/api/scale", params=LAYER).json()
        assert scale["unit"] == told.headers["x-unit"] == "degC"
        assert 100 <= scale["low"] < scale["high"] <= 200
        assert float(told.headers["x-low"]) == pytest.approx(scale["low"], abs=1e-3)


def test_a_layer_that_never_came_has_no_picture(client: httpx.Client) -> None:
    for kind in ("frame", "heat"):
        told = client.get("/api/picture", params={**LAYER, "layer": "7", "kind": kind})
        assert told.status_code == 404
        assert told.json()["error"]


def test_an_alarm_is_acknowledged_once_and_the_audit_says_by_whom(
    guarded: httpx.Client, logged_in: Callable[[str], dict[str, str]]
) -> None:
    headers = logged_in("operator")
    name = next(
        one["name"] for one in guarded.get("/api/alarms", headers=headers).json()["alarms"] if one["cause"] == "fault"
    )
    body = {"name": name, "action": "acknowledge", "comment": "camera looked at"}
    told = guarded.post("/api/alarms/act", json=body, headers=headers)
    assert told.json()["state"] == "acknowledged"
    assert told.json()["by"] == "operator"
    assert guarded.post("/api/alarms/act", json=body, headers=headers).status_code == 409
    assert guarded.post("/api/alarms/act", json={**body, "name": "no/such/1"}, headers=headers).status_code == 404
    said = {"name": name, "action": "comment", "comment": "lamp was off"}
    acts = guarded.post("/api/alarms/act", json=said, headers=headers).json()["acts"]
    assert [(one["action"], one["by"], one["text"]) for one in acts if one["action"] == "comment"][-1] == (
        "comment",
        "operator",
        "lamp was off",
    )
    rows = guarded.get("/api/audit", headers=headers).json()["rows"]
    assert any(one["event"] == "acknowledge" and one["who"] == "operator" and one["what"] == name for one in rows)


def test_a_label_is_kept_in_the_journal(client: httpx.Client, filled: tuple[Path, Journal]) -> None:
    body = {"printer": PRINTER, "job": "job", "layer": 6, "x": 14.0, "y": 14.5, "label": "false alarm", "kind": "dust"}
    number = client.post("/api/feedback", json=body).json()["number"]
    labels = client.get("/api/feedback", params={"printer": PRINTER, "job": "job"}).json()["labels"]
    kept = next(one for one in labels if one["number"] == number)
    assert {key: kept[key] for key in ("layer", "x", "y", "label", "kind", "by")} == {
        **{key: body[key] for key in ("layer", "x", "y", "label", "kind")},
        "by": "local",
    }
    assert client.post("/api/feedback", json={**body, "layer": 77}).status_code == 404
    assert filled[1].told(number - 1)[0].body["event"] == "label"


def test_a_change_of_model_needs_a_reason(client: httpx.Client) -> None:
    body = {"printer": PRINTER, "what": "activate", "name": "cores", "version": "0001", "reason": "better"}
    assert "activate" in client.post("/api/models/change", json=body).json()["text"]
    assert client.post("/api/models/change", json={**body, "reason": " "}).status_code == 409
    assert client.post("/api/models/change", json={**body, "version": None}).status_code == 409
    assert client.post("/api/models/change", json={**body, "printer": "other"}).status_code == 404
