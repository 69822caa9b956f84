from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from layerwatch import catalogue
from layerwatch.crew.processes import Processes
from layerwatch.images.shots import read_shot_truths, read_shots, spoiled_jobs
from layerwatch.job.machine import default_machine
from layerwatch.job.printing import JobSettings
from layerwatch.journeys.faulty_jobs import print_faulty_jobs
from layerwatch.journeys.plates import slice_part
from layerwatch.journeys.synthesise import Wish, plan_jobs
from layerwatch.records import DataError, UsageError
from tests.journeys.test_cli import box
from tests.journeys.test_street import contents


@pytest.fixture
def healthy(tmp_path: Path) -> list[JobSettings]:
    machine = replace(default_machine(), width=32, height=32)
    part = slice_part(box(tmp_path / "part.stl", 150.0, 100.0, 9.0), machine)
    return list(plan_jobs([part], machine, Wish(healthy=3, defective=0, layers=6)).values())


def test_every_fault_becomes_jobs_with_truth(tmp_path: Path, healthy: list[JobSettings]) -> None:
    kinds = catalogue.names("job.faults")
    names = print_faulty_jobs(tmp_path / "out", healthy, kinds, 1)
    assert names == spoiled_jobs(tmp_path / "out") == tuple(f"{kind}-0000" for kind in kinds)
    for name, kind in zip(names, kinds, strict=True):
        shots, truths = read_shots(tmp_path / "out", name), read_shot_truths(tmp_path / "out", name)
        assert len(shots) == sum(truth.arrived for truth in truths)
        assert {truth.fault for truth in truths} == {"", kind}
        assert {shot.job for shot in shots} == {name}
        assert len(list((tmp_path / "out/plans" / name).glob("*.coverage.png"))) == 6
    fresh = [read_shots(tmp_path / "out", name)[0].data for name in names[:3]]
    assert len(set(fresh)) == 3  # every job is another one


def test_the_bytes_depend_on_nothing_but_the_settings(tmp_path: Path, healthy: list[JobSettings]) -> None:
    kinds = ("dropped", "wrong_job")
    print_faulty_jobs(tmp_path / "a", healthy, kinds, 2)
    print_faulty_jobs(tmp_path / "b", healthy, kinds, 2, crew=Processes(2))
    assert contents(tmp_path / "a") == contents(tmp_path / "b")

    # A job that is lost is printed again; the others stay.
    before = (tmp_path / "a/faults/dropped-0000/shots.json").stat().st_mtime_ns
    shutil.rmtree(tmp_path / "a/faults/wrong_job-0001")
    print_faulty_jobs(tmp_path / "a", healthy, kinds, 2)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    assert (tmp_path / "a/faults/dropped-0000/shots.json").stat().st_mtime_ns == before


def test_times_jitter_as_a_trigger_does(tmp_path: Path, healthy: list[JobSettings]) -> None:
    print_faulty_jobs(tmp_path, healthy, ["mirrored"], 1)
    steps = np.diff([shot.time for shot in read_shots(tmp_path, "mirrored-0000")])
    assert 0 < np.abs(steps - 20).max() < 1.5


def test_what_cannot_be_is_refused_before_anything_is_written(tmp_path: Path, healthy: list[JobSettings]) -> None:
    with pytest.raises(UsageError, match=r"no 'sabotage' among job\.faults"):
        print_faulty_jobs(tmp_path / "out", healthy, ["frozen", "sabotage"], 1)
    short = [replace(settings, layers=2) for settings in healthy]
    with pytest.raises(DataError, match="needs a job of 3 layers"):
        print_faulty_jobs(tmp_path / "out", short, ["frozen"], 1)
    assert not (tmp_path / "out").exists()
