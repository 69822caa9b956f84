"""An archive as one Zarr group: read back with zarr alone, it is the same archive; twice written, the same bytes."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from layerwatch.images.archive import Archive, Header, StoredLayer, write_archive
from layerwatch.images.exports.zarr import Zarr
from layerwatch.records import DataError, DefectRecord, Truth, UsageError

zarr = pytest.importorskip("zarr")
RECORD = DefectRecord("shift", 4.0, -0.7, 21.0, 5, 6, 11)


def layer(job: str, number: int, shape: tuple[int, int] = (12, 20)) -> StoredLayer:
    rng = np.random.default_rng(number)
    bad = job == "shift-0" and number == 6
    mask = np.zeros(shape, bool)
    mask[2:5, 3:9] = bad
    frame, plan = rng.integers(0, 65536, shape, np.uint16), rng.integers(0, 3, shape, np.uint8)
    coverage = rng.integers(0, 256, shape, np.uint8)
    label = "shift" if bad else "trace" if job == "shift-0" else "healthy"
    truth = Truth(job, number, label, mask, (RECORD,) if bad else ())
    return StoredLayer(number, 0.3 * (number + 1), frame, plan, truth, coverage)


def printed(job: str) -> Iterator[StoredLayer]:
    yield from (layer(job, number) for number in range(5, 8))


HEADER = Header(3.0, (20.0, 60.0), {"seed": 1, "machine": "m"})


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return write_archive(tmp_path / "archive", HEADER, ["healthy-0", "shift-0"], printed)


def test_reading_back_gives_the_archive(archive: Archive, tmp_path: Path) -> None:
    assert Zarr(shard_bytes=2 * 12 * 20 * 4).write(archive, tmp_path / "out") == 6
    group: Any = zarr.open(tmp_path / "out", mode="r")
    assert (group.attrs["mm_per_px"], group.attrs["span_degC"]) == (3.0, [20.0, 60.0])
    assert group.attrs["provenance"] == {"seed": 1, "machine": "m"}
    stored = [one for job in archive.jobs for one in printed(job)]
    for row, one in enumerate(stored):
        assert group["frames"][row].tolist() == one.frame.tolist()
        assert group["plans"][row].tolist() == np.asarray(one.plan).tolist()
        assert group["coverage"][row].tolist() == np.asarray(one.coverage).tolist()
        assert group["masks"][row].tolist() == one.truth.mask.tolist()
        assert group.attrs["jobs"][group["job"][row]] == one.truth.job
        assert group.attrs["labels"][group["label"][row]] == one.truth.label
        assert (group["layer"][row], group["z"][row]) == (one.layer, pytest.approx(one.z))
    (row,) = group["defects/row"][:]
    assert group["layer"][row] == 6
    assert group.attrs["defects"][group["defects/defect"][0]] == "shift"
    told = {name: group[f"defects/{name}"][0] for name in ("severity", "amplitude", "extent", "last_layer", "seed")}
    assert told == {"severity": 4.0, "amplitude": -0.7, "extent": 21.0, "last_layer": 6, "seed": 11}


def test_a_chunk_is_a_layer_and_a_file_a_shard_of_many(archive: Archive, tmp_path: Path) -> None:
    Zarr(shard_bytes=2 * 12 * 20 * 4).write(archive, tmp_path / "out")
    frames: Any = zarr.open(tmp_path / "out", mode="r")["frames"]
    assert (frames.chunks, frames.shards, frames.dtype) == ((1, 12, 20), (4, 12, 20), np.uint16)
    assert len([path for path in (tmp_path / "out/frames/c").rglob("*") if path.is_file()]) == 2


def test_the_same_archive_gives_the_same_bytes(archive: Archive, tmp_path: Path) -> None:
    written = []
    for name in ("a", "b"):
        Zarr().write(archive, tmp_path / name)
        written.append({str(p.relative_to(tmp_path / name)): p.read_bytes() for p in (tmp_path / name).rglob("*.*")})
    assert written[0] == written[1]


def test_frames_of_two_sizes_are_refused(tmp_path: Path) -> None:
    def mixed(job: str) -> Iterator[StoredLayer]:
        yield layer(job, 0)
        yield layer(job, 1, (12, 24))

    archive = write_archive(tmp_path / "archive", HEADER, ["healthy-0"], mixed)
    with pytest.raises(DataError, match=r"no frames of \(12, 20\) px"):
        Zarr().write(archive, tmp_path / "out")


def test_coverage_is_there_for_all_layers_or_for_none(tmp_path: Path) -> None:
    archive = write_archive(tmp_path / "a", HEADER, ["healthy-0"], lambda job: [layer(job, 0), layer(job, 1)])
    archive.coverage_file("healthy-0", 0).unlink()
    Zarr().write(archive, tmp_path / "out")
    assert "coverage" not in zarr.open(tmp_path / "out", mode="r")


def test_without_zarr_the_line_that_installs_it_is_told(
    archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "zarr", None)
    with pytest.raises(UsageError, match=r"pip install 'layerwatch\[zarr\]'"):
        Zarr().write(archive, tmp_path / "out")
