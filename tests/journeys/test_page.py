"""The dashboard beside a running service: its address is told, a taken one stops nothing, and its users."""

from __future__ import annotations

import socket
from pathlib import Path
from threading import Event, Thread

import httpx
import numpy as np
import pytest

from layerwatch.cli import main
from layerwatch.dashboard.users import UserFile
from layerwatch.journeys.examples import example_parts
from layerwatch.journeys.machine_choice import machine_for
from layerwatch.journeys.page import page_of
from layerwatch.journeys.serve import serve_demo
from layerwatch.journeys.serving.bed_mesh import as_stl, part_in
from layerwatch.journeys.serving.dashboard import address_of
from layerwatch.journeys.serving.virtual_plant import PlantWish
from layerwatch.records import UsageError

JOB = {"printer": "virtual-printer", "job": "virtual-job"}


def wish() -> PlantWish:
    part = example_parts()[0]
    machine, _ = machine_for([part], None)
    return PlantWish(part, machine, 40)


def test_the_page_shows_the_virtual_job_and_hands_out_its_report(tmp_path: Path) -> None:
    said, is_over, stop = list[str](), Event(), Event()

    def hear(text: str) -> None:
        said.append(text)
        if text.startswith("the job is over"):
            is_over.set()

    page = page_of("127.0.0.1:0", tmp_path, None, stays=True)
    work = Thread(
        target=lambda: serve_demo(wish(), tmp_path, speed=1e4, stop=stop, quiet=True, page=page, said=hear), daemon=True
    )
    work.start()
    assert is_over.wait(240)
    address = next(text.removeprefix("page: ") for text in said if text.startswith("page: "))
    with httpx.Client(base_url=address, timeout=60, trust_env=False) as client:
        fleet = client.get("/api/fleet").json()["printers"]
        assert [one["name"] for one in fleet] == ["virtual-printer"]
        job = client.get("/api/job", params=JOB).json()
        assert len(job["layers"]) == 40
        assert {one["word"] for one in job["cores"]} == {"OK", "NOK"}
        defect = next(one for one in job["alarms"] if one["cause"] == "defect")["objects"][0]
        report = client.get("/api/report", params={**JOB, "form": "csv"})
        assert report.status_code == 200
        assert "attachment" in report.headers["content-disposition"]
        stl = client.get("/api/part", params=JOB).content
    stop.set()
    work.join(30)
    assert not work.is_alive()
    corners = np.frombuffer(stl[84:], np.dtype([("n", "<f4", 3), ("at", "<f4", (3, 3)), ("c", "<u2")]))["at"]
    low, high = corners.reshape(-1, 3).min(0), corners.reshape(-1, 3).max(0)
    where = np.array([defect["x"], defect["y"], (defect["z0"] + defect["z1"]) / 2])
    assert (low <= where).all()
    assert (where <= high).all()


def test_a_taken_address_is_told_and_the_service_runs_on(tmp_path: Path) -> None:
    said = list[str]()
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        page = page_of(f"127.0.0.1:{other.getsockname()[1]}", tmp_path, None)
        served = serve_demo(wish(), tmp_path, speed=1e4, quiet=True, page=page, said=said.append)
    assert served.counts["verdicts"] == 40
    assert any("cannot listen" in text and "give another --page" in text for text in said)
    assert not any(text.startswith("page: http") for text in said)


def test_an_open_address_without_users_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="users add"):
        page_of("0.0.0.0:0", tmp_path / "data", None)
    assert not list(tmp_path.iterdir())
    UserFile(tmp_path / "data").add("Kim", "admin", "a long password")
    assert page_of("0.0.0.0:0", tmp_path / "data", None).host == "0.0.0.0"


@pytest.mark.parametrize("told", ["", "8770", "127.0.0.1", ":8770", "127.0.0.1:http", "127.0.0.1:-1", "h:70000", "h:²"])
def test_what_is_no_address_is_refused(told: str) -> None:
    with pytest.raises(UsageError):
        address_of(told)


def test_addresses_of_both_kinds() -> None:
    assert address_of("127.0.0.1:8770") == ("127.0.0.1", 8770)
    assert address_of("[::1]:0") == ("::1", 0)


def test_users_are_added_listed_and_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(*words: str) -> tuple[int, str]:
        monkeypatch.setattr("sys.argv", ["layerwatch", "users", *words, "--data", str(tmp_path)])
        with pytest.raises(SystemExit) as ended:
            main()
        told = capsys.readouterr()
        return int(ended.value.code or 0), told.out + told.err

    monkeypatch.setenv("LAYERWATCH_PASSWORD", "a long password")
    assert run("list") == (0, "no user yet\n")
    assert run("add", "Kim", "--role", "operator") == (0, "Kim: operator\n")
    assert run("list") == (0, "Kim  operator\n")
    assert run("add", "Kim", "--role", "king")[0] == 2
    assert run("remove", "Kim")[0] == 0
    assert run("remove", "Kim")[0] == 2


def test_a_mesh_of_a_job_comes_before_that_of_all(tmp_path: Path) -> None:
    part, all_, own = part_in(tmp_path), as_stl(np.zeros((1, 3, 3))), as_stl(np.ones((2, 3, 3)))
    assert part("p", "job") is None
    (tmp_path / "part.stl").write_bytes(all_)
    (tmp_path / "job").mkdir()
    (tmp_path / "job" / "part.stl").write_bytes(own)
    assert (part("p", "job"), part("p", "other"), part("p", "../job")) == (own, all_, all_)
    assert (len(all_), len(own)) == (134, 184)
