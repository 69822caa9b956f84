"""Frames of a history as shots: times by tags where the camera's clock goes, a sample that is bounded."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import tifffile

from layerwatch.images.folder import image_files
from layerwatch.images.outside import shared_child
from layerwatch.journeys.clean_naming import History, named_history
from layerwatch.journeys.clean_reading import Cleaning, Reading
from layerwatch.records import silent

FRAME = np.arange(256, dtype=np.uint16).reshape(16, 16)
START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def history(folder: Path, jobs: int, layers: int, step: float | None = None) -> History:
    for job in range(jobs):
        (folder / f"job{job}").mkdir(parents=True)
        for layer in range(layers):
            told = {} if step is None else {"time": (START + timedelta(seconds=step * layer)).isoformat()}
            path = folder / f"job{job}" / f"{layer}.tiff"
            tifffile.imwrite(path, FRAME, description=json.dumps(told), metadata=None)
    return named_history(folder, image_files(folder), Cleaning().naming, shared_child(), silent)


def read(wish: Cleaning, asks_times: bool = True) -> Reading:
    return Reading(wish, shared_child(), asks_times)


def test_tags_tell_the_time_where_nothing_else_does(tmp_path: Path) -> None:
    files = history(tmp_path, 1, 4, 30.0).sequences["job0"]
    start = START.timestamp()
    assert [shot.time for shot in read(Cleaning()).shots(files)] == [start, start + 30, start + 60, start + 90]
    (tmp_path / "job0" / "1.json").write_text(json.dumps({"time": (START + timedelta(seconds=31)).isoformat()}))
    files = named_history(tmp_path, image_files(tmp_path), Cleaning().naming, shared_child(), silent).sequences["job0"]
    assert read(Cleaning()).shot(files[1]).time == start + 31
    assert np.isnan(read(Cleaning(), asks_times=False).shot(files[0]).time)


def test_a_clock_that_stands_is_not_believed(tmp_path: Path) -> None:
    reading = read(Cleaning())
    (run,) = reading.sample(history(tmp_path, 1, 6, 0.0).sequences, silent)
    assert np.isnan([shot.time for shot in run]).all()
    assert not reading.asks_times
    assert np.isnan([shot.time for shot in reading.kept.values()]).all()


def test_the_sample_is_as_large_as_wanted_however_many_jobs_there_are(tmp_path: Path) -> None:
    found = history(tmp_path, 12, 50)
    whole = read(Cleaning(sample=600)).sample(found.sequences, silent)
    assert sum(map(len, whole)) == 12 * 50
    runs = read(Cleaning(sample=160)).sample(found.sequences, silent)
    assert [len(run) for run in runs] == [20] * 8
    jobs = [int(run[0].job.removeprefix("job")) for run in runs]
    assert jobs == sorted(jobs)
    assert jobs[0] == 0
    assert jobs[-1] >= 6  # not from the beginning of the history alone
    assert [shot.layer for shot in runs[0]] == list(range(20))
    assert [shot.layer for shot in runs[1]] == list(range(25, 45))


def test_a_file_of_many_pages_is_no_frame(tmp_path: Path) -> None:
    found = history(tmp_path, 1, 2)
    tifffile.imwrite(tmp_path / "job0" / "1.tiff", np.stack([FRAME, FRAME]), metadata=None, photometric="minisblack")
    reading = read(Cleaning())
    shots = list(reading.shots(found.sequences["job0"]))
    assert [shot.share for shot in shots] == [1.0, 0.0]
    assert "2 pages; one image a file" in reading.refused["job0/1.tiff"]
