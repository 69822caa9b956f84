"""The unit file and the container start the service as it is meant to be started, with no more rights than it needs."""

from __future__ import annotations

import json
import re
from configparser import RawConfigParser
from pathlib import Path

import pytest

from layerwatch.inspection.heartbeat import Heartbeat

DEPLOY = Path(__file__).parents[2] / "deploy"


@pytest.fixture(scope="module")
def unit() -> RawConfigParser:
    """The unit file; no key may come twice."""
    parser = RawConfigParser(delimiters=("=",), interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign] # keys as they are written
    parser.read(DEPLOY / "layerwatch.service", encoding="utf-8")
    return parser


def test_the_unit_starts_the_service_and_starts_it_again(unit: RawConfigParser) -> None:
    service = unit["Service"]
    program, *words = service["ExecStart"].split()
    assert program.startswith("/")
    assert program.endswith("/layerwatch")
    assert words == ["serve", "--site", "/etc/layerwatch/site.toml"]
    assert (service["Type"], service["Restart"], service["RestartSec"]) == ("notify", "always", "2")
    assert unit["Unit"]["StartLimitIntervalSec"] == "0"  # never gives up
    assert unit["Install"]["WantedBy"] == "multi-user.target"


def test_the_watchdog_is_more_patient_than_the_heart(unit: RawConfigParser) -> None:
    assert float(unit["Service"]["WatchdogSec"]) >= 3 * max(Heartbeat.every, 5.0)  # the longest that a site may set


def test_the_unit_has_no_more_rights_than_it_needs(unit: RawConfigParser) -> None:
    service = unit["Service"]
    assert service["NoNewPrivileges"] == "yes"
    assert service["ProtectSystem"] == "strict"
    assert service["ReadWritePaths"] == f"/var/lib/{service['StateDirectory']}" == service["WorkingDirectory"]
    assert service["User"] not in {"", "root"}
    assert service["CapabilityBoundingSet"] == ""


def test_the_container_runs_as_nobody_special_and_tells_its_health() -> None:
    lines = re.sub(r"\\\n\s*", "", (DEPLOY / "Containerfile").read_text("utf-8")).splitlines()
    told = dict(line.split(" ", 1) for line in lines if line and not line.startswith("#"))
    assert told["FROM"].endswith("-slim")
    assert "serve" in re.findall(r"\[([a-z,]+)\]", told["RUN"])[0].split(",")
    assert told["USER"] == "layerwatch"
    assert json.loads(told["HEALTHCHECK"].partition("CMD ")[2]) == ["layerwatch", "doctor", "--json"]
    start = json.loads(told["ENTRYPOINT"]) + json.loads(told["CMD"])
    assert start == ["layerwatch", "serve", "--site", "/etc/layerwatch/site.toml"]
