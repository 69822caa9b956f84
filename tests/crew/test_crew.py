"""Whoever does the work, every item is done once, errors come out, and a dead worker costs only what it held."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.journeys.test_cli import box

from layerwatch import catalogue
from layerwatch.crew.base import Crew
from layerwatch.crew.inline import Inline
from layerwatch.crew.processes import Processes
from layerwatch.crew.ray import Ray, _cluster, _ray
from layerwatch.images.archive import (
    Header,
    StoredLayer,
    begin_archive,
    finish_archive,
    write_archive,
    write_job,
)
from layerwatch.job.machine import default_machine
from layerwatch.journeys.synthesise import Wish, synthesise
from layerwatch.records import DataError, Truth, UsageError
from layerwatch.testing import contracts

ray = _ray() if sys.version_info < (3, 15) else pytest.importorskip("ray")  # later Pythons have no wheel of it yet
ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])  # its workers cannot import this file
CREWS = [Inline(), Processes(1), Processes(2), Ray(2)]
ITEMS = [f"item-{number}" for number in range(9)]


def length(item: str) -> int:
    return len(item)


def fails(item: str) -> int:
    if item == "item-4":
        raise DataError("item-4 is broken")
    return 0


@dataclass(frozen=True)
class Dies:
    """Kills its own process at one item, the first time only."""

    mark: Path

    def __call__(self, item: str) -> str:
        if item == "item-3" and not self.mark.exists():
            self.mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return item.upper()


def kills_its_worker(item: str) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


JOBS, HEADER = [f"job-{number}" for number in range(6)], Header(1.0, (20.0, 60.0))


def printed(job: str, mark: Path | None = None) -> Iterator[StoredLayer]:
    """Three layers; where there is a mark to leave, the second one of job-2 kills the process, the first time only."""
    for layer in range(3):
        if layer == 1 and job == "job-2" and mark and not mark.exists():
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        frame = np.random.default_rng([layer, int(job[-1])]).integers(0, 65536, (8, 8), np.uint16)
        truth = Truth(job, layer, "healthy", np.zeros((8, 8), bool))
        yield StoredLayer(layer, 0.3 * (layer + 1), frame, np.ones((8, 8), np.uint8), truth)


@dataclass(frozen=True)
class PrintsAndDies:
    """Prints a job into an archive and says so beside it."""

    folder: Path
    notes: Path

    def __call__(self, job: str) -> None:
        with (self.notes / "begun").open("a") as file:
            file.write(f"{job}\n")
        write_job(self.folder, job, printed(job, self.notes / "mark"))


def contents(folder: Path) -> dict[Path, bytes]:
    return {p.relative_to(folder): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


@pytest.fixture(scope="module")
def cluster() -> Iterator[None]:
    """A small Ray cluster, begun once: a start takes seconds."""
    with _cluster(ray, 2, "auto"):
        yield


@pytest.fixture(params=CREWS, ids=str)
def crew(request: pytest.FixtureRequest) -> Any:
    if isinstance(request.param, Ray):
        request.getfixturevalue("cluster")
    return request.param


def test_every_crew_on_the_shelf_is_tested_here() -> None:
    assert catalogue.names("crew") == ("inline", "processes", "ray")
    assert {catalogue.load("crew", name) for name in catalogue.names("crew")} == {type(crew) for crew in CREWS}


def test_ray_shuts_down_what_it_started() -> None:
    before = set(Path(tempfile.gettempdir()).glob("lw-*"))
    assert sorted(Ray(2).each(length, ITEMS[:2])) == [("item-0", 6), ("item-1", 6)]
    assert not ray.is_initialized()
    assert set(Path(tempfile.gettempdir()).glob("lw-*")) == before


def test_a_crew_keeps_its_contract(crew: Crew) -> None:
    contracts.check_crew(crew)


def test_an_error_of_the_work_comes_out(crew: Crew) -> None:
    with pytest.raises(DataError, match="item-4 is broken"):
        list(crew.each(fails, ITEMS))


@pytest.mark.parametrize("kind", [Processes, Ray])
@pytest.mark.usefixtures("cluster")
def test_a_killed_worker_costs_only_what_it_held(kind: type[Processes | Ray], tmp_path: Path) -> None:
    found = sorted(kind(2).each(Dies(tmp_path / "mark"), ITEMS))
    assert found == [(item, item.upper()) for item in ITEMS]
    assert (tmp_path / "mark").exists()


@pytest.mark.parametrize("kind", [Processes, Ray])
@pytest.mark.usefixtures("cluster")
def test_a_worker_killed_in_mid_job_costs_only_its_job(kind: type[Processes | Ray], tmp_path: Path) -> None:
    whole = write_archive(tmp_path / "whole", HEADER, JOBS, printed).folder
    out = tmp_path / "out"
    work = PrintsAndDies(out, tmp_path)
    assert sorted(job for job, _ in kind(2).each(work, begin_archive(out, HEADER, JOBS))) == JOBS
    finish_archive(out, HEADER, JOBS)
    assert contents(out) == contents(whole)
    begun = (tmp_path / "begun").read_text().split()
    assert begun.count("job-2") == 2
    assert len(begun) <= len(JOBS) + 2, "a job a worker at most is printed again"


@pytest.mark.parametrize("kind", [Processes, Ray])
@pytest.mark.usefixtures("cluster")
def test_workers_that_die_at_every_try_are_an_error_with_advice(
    kind: type[Processes | Ray], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("layerwatch.crew.processes._TRIES", 2)
    monkeypatch.setattr("layerwatch.crew.ray._TRIES_AGAIN", 1)
    with pytest.raises(DataError, match="give fewer --workers"):
        list(kind(2).each(kills_its_worker, ITEMS[:1]))


def test_without_ray_the_line_that_installs_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(UsageError, match=r"pip install 'layerwatch\[ray\]'"):
        list(Ray().each(length, ITEMS))


@pytest.mark.usefixtures("cluster")
def test_any_crew_writes_the_same_bytes(tmp_path: Path) -> None:
    part, wish = box(tmp_path / "block.stl", 300.0, 200.0, 12.0), Wish(healthy=3, defective=1, layers=3)
    written = []
    for number, crew in enumerate(CREWS):
        out = tmp_path / str(number)
        synthesise([part], out, default_machine(), wish, crew=crew)
        written.append(contents(out))
    assert all(one == written[0] for one in written[1:])
    assert len(written[0]) > 50


@pytest.mark.skipif(sys.platform == "win32", reason="processes are killed with a signal")
def test_workers_end_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    lines = [
        "import os, sys, time",
        "from pathlib import Path",
        "from layerwatch.crew.processes import Processes",
        "def sleep(item):",
        "    Path(sys.argv[1], str(os.getpid())).touch()",
        "    time.sleep(600)",
        "if __name__ == '__main__':",
        "    list(Processes(2).each(sleep, ['a', 'b']))",
    ]
    (tmp_path / "parent.py").write_text("\n".join(lines))
    started = tmp_path / "started"
    started.mkdir()
    with subprocess.Popen([sys.executable, tmp_path / "parent.py", started]) as parent:
        wait_until(lambda: len(list(started.iterdir())) == 2)
        parent.kill()
    wait_until(lambda: not any(is_alive(int(worker.name)) for worker in started.iterdir()))


def wait_until(holds: Callable[[], bool], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")  # an orphan that nobody waits for stays there as a zombie
    return not (stat.exists() and stat.read_text().rpartition(")")[2].split()[0] == "Z")
