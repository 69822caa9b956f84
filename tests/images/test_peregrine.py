"""An archive as Peregrine files: what DREAM3D-NX and Myna look up is there, and read back it is the same archive."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from layerwatch.images.archive import Archive, Header, StoredLayer, write_archive
from layerwatch.images.exports.peregrine import Peregrine
from layerwatch.records import DataError, DefectRecord, Truth, UsageError

h5py = pytest.importorskip("h5py")
KINDS = {"healthy-0": "healthy", "misprint-0": "misprint", "striation-0": "striation", "bleeding-0": "bleeding"}


def printed(job: str) -> Iterator[StoredLayer]:
    for number in range(5, 8):
        rng = np.random.default_rng([number, len(job)])
        bad = number == 6 and job != "healthy-0"
        mask = np.zeros((12, 20), bool)
        mask[2:5, 3:9] = bad
        record = DefectRecord(KINDS[job], 4.0, 0.5, 9.0, 6, 6, 3)
        truth = Truth(job, number, KINDS[job] if bad else "healthy", mask, (record,) if bad else ())
        frame, plan = rng.integers(0, 65536, (12, 20), np.uint16), rng.integers(0, 3, (12, 20), np.uint8)
        yield StoredLayer(number, 0.3 * (number + 1), frame, plan, truth)


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return write_archive(tmp_path / "archive", Header(3.0, (20.0, 60.0), {"machine": "m"}), list(KINDS), printed)


@pytest.fixture
def folder(archive: Archive, tmp_path: Path) -> Path:
    (tmp_path / "out").mkdir()
    assert Peregrine().write(archive, tmp_path / "out") == 12
    return tmp_path / "out"


def test_reading_back_gives_the_archive(folder: Path) -> None:
    assert {path.stem for path in folder.iterdir()} == set(KINDS)
    for job in KINDS:
        with h5py.File(folder / f"{job}.hdf5") as file:
            assert file["layerwatch/layers"][:].tolist() == [5, 6, 7]
            told = json.loads(file["layerwatch/truth"][()])
            classes = [file[f"slices/segmentation_results/{n}"] for n in range(14)]
            for row, one in enumerate(printed(job)):
                np.testing.assert_array_equal(file["slices/camera_data/visible/0"][row], one.frame)
                np.testing.assert_array_equal(file["slices/part_ids"][row], one.plan)
                found = np.array([stack[row] for stack in classes])
                np.testing.assert_array_equal(found[2:].any(axis=0), one.truth.mask)
                np.testing.assert_array_equal(found.sum(axis=0), 1)
                assert told[row]["label"] == one.truth.label
                assert [DefectRecord(**defect) for defect in told[row]["defects"]] == list(one.truth.defects)


def test_known_defects_have_peregrines_number_and_others_follow(folder: Path) -> None:
    with h5py.File(folder / "misprint-0.hdf5") as file:
        names = [name.decode() for name in file["slices/segmentation_results/class_names"][:]]
        assert file["slices/segmentation_results/9"][1].sum() == 18
    assert (names[0], names[1], names[9], names[12:]) == ("Powder", "Printed", "Misprint", ["bleeding", "striation"])


def test_what_dream3d_and_myna_look_up_is_there(folder: Path) -> None:
    wanted = ["camera_data/visible/0", "camera_data/visible/1", "part_ids", "sample_ids"]
    wanted += [f"segmentation_results/{n}" for n in range(12)]
    wanted += ["registered_data/anomaly_detection", "registered_data/x-ray_ct"]
    with h5py.File(folder / "bleeding-0.hdf5") as file:
        assert {file[f"slices/{name}"].shape for name in wanted} == {(3, 12, 20)}
        assert [file[f"scans/{row}"].shape for row in range(3)] == [(0, 5)] * 3
        x, y = (file.attrs[f"printer/{axis}_real_dimension"] for axis in "xy")
        assert (x, y, file.attrs["material/layer_thickness"]) == (60.0, 36.0, pytest.approx(0.3))
        pixels = [file.attrs[f"printer/{axis}_camera_dimension"] for axis in "xy"]
        assert (pixels, pixels[0].dtype, x.dtype) == ([20, 12], np.int32, np.float64)
        assert file.attrs["core/build_name"] == "bleeding-0"


def test_types_convert_as_dream3d_asks_for_them(folder: Path) -> None:
    """It reads classes as uint8 and frames as float32 through HDF5's own conversion."""
    with h5py.File(folder / "misprint-0.hdf5") as file:
        seen = {}
        for name, kind in (("segmentation_results/9", np.uint8), ("camera_data/visible/1", np.float32)):
            stack: Any = file[f"slices/{name}"]
            seen[name] = np.empty(stack.shape, kind)
            stack.id.read(h5py.h5s.ALL, h5py.h5s.ALL, seen[name], mtype=h5py.h5t.py_create(np.dtype(kind)))
            np.testing.assert_array_equal(seen[name], stack[:])
        assert seen["segmentation_results/9"].sum() == 18


def test_the_same_archive_gives_the_same_bytes(archive: Archive, folder: Path, tmp_path: Path) -> None:
    time.sleep(1.1)  # HDF5 stamps whole seconds where it is let
    (tmp_path / "again").mkdir()
    Peregrine().write(archive, tmp_path / "again")
    for path in folder.iterdir():
        assert path.read_bytes() == (tmp_path / "again" / path.name).read_bytes()


def test_a_layer_height_that_nobody_tells_is_refused(tmp_path: Path) -> None:
    archive = write_archive(
        tmp_path / "a", Header(3.0, (20.0, 60.0)), ["healthy-0"], lambda job: list(printed(job))[:1]
    )
    with pytest.raises(DataError, match="no layer height is known"):
        Peregrine().write(archive, tmp_path)


def test_without_h5py_the_line_that_installs_it_is_told(
    archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(UsageError, match=r"pip install 'layerwatch\[peregrine\]'"):
        Peregrine().write(archive, tmp_path)
