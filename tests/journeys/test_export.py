"""What an export leaves out is said, and a failed one leaves nothing behind."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from layerwatch.images.archive import Header, StoredLayer, write_archive
from layerwatch.journeys.export import export
from layerwatch.records import DataError, Truth, UsageError
from tests.journeys.test_cli import refused


def printed(job: str) -> Iterator[StoredLayer]:
    truth = Truth(job, 0, "healthy", np.zeros((8, 8), bool))
    yield StoredLayer(0, 0.3, np.zeros((8, 8), np.uint16), np.ones((8, 8), np.uint8), truth)


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    return write_archive(tmp_path / "archive", Header(1.0, (20.0, 60.0)), ["healthy-0"], printed).folder


def test_what_is_left_out_is_said(archive: Path, tmp_path: Path) -> None:
    assert export(archive, "coco", tmp_path / "a").left_out.startswith("the lower 8 of 16 bits")
    shots = archive / "faults" / "black-0000" / "shots.json"
    shots.parent.mkdir(parents=True)
    shots.write_text("[]")
    assert export(archive, "coco", tmp_path / "b").left_out.endswith("1 job spoiled by faults of the camera")


def test_a_missing_package_leaves_nothing_behind(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(UsageError, match="pip install"):
        export(archive, "peregrine", tmp_path / "out")
    assert {path.name for path in tmp_path.iterdir()} == {"archive"}


def test_nothing_is_written_into_the_archive_that_is_read(
    archive: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    refused(capsys, ["export", archive, "--to", "coco", "--out", archive / "sub"], 2, "lies inside")
    assert not (archive / "sub").exists()


def test_layers_that_lost_their_coverage_or_frame_are_named(archive: Path, tmp_path: Path) -> None:
    def covered(job: str) -> Iterator[StoredLayer]:
        (layer,) = printed(job)
        for n in range(2):
            yield replace(layer, layer=n, truth=replace(layer.truth, layer=n), coverage=layer.plan)

    folder = write_archive(tmp_path / "b", Header(1.0, (20.0, 60.0)), ["healthy-0", "healthy-1"], covered).folder
    (folder / "plans" / "healthy-1" / "00001.coverage.png").unlink()
    for form in ("coco", "mvtec", "zarr", "peregrine"):
        with pytest.raises(DataError, match=r"healthy-1/00001\.coverage\.png: .* prints its job anew"):
            export(folder, form, tmp_path / form)
    (archive / "frames" / "healthy-0" / "00000.tiff").unlink()
    with pytest.raises(DataError, match=r"00000\.tiff: the file is missing; run the same"):
        export(archive, "coco", tmp_path / "a")
    assert not (tmp_path / "a").exists()


def test_a_folder_with_something_in_it_is_refused(archive: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is not empty"):
        export(archive, "coco", archive)
