from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from layerwatch.images.archive import Archive, Header, StoredLayer, write_archive
from layerwatch.images.exports.mvtec import Mvtec
from layerwatch.images.grey import to_uint16
from layerwatch.records import DataError, DefectRecord, Truth


def printed(job: str) -> Iterator[StoredLayer]:
    frame = np.random.default_rng(int(job[1:])).integers(0, 65536, (16, 16), np.uint16)
    for layer in (3, 4):
        bad = job in {"j8", "j9"} and layer == 3
        defects = (DefectRecord("porous", 4.0, 0.7, 20.0, 3, 3, 1),) if bad else ()
        truth = Truth(
            job, layer, "porous" if bad else "trace" if job > "j7" else "healthy", np.eye(16, dtype=bool) & bad, defects
        )
        yield StoredLayer(layer, 0.3 * layer, frame, np.ones((16, 16), np.uint8), truth)


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return write_archive(tmp_path / "archive", Header(1.0, (20.0, 60.0)), [f"j{i}" for i in range(10)], printed)


def read(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.array(image)


def test_the_tree_is_the_one_that_anomalib_loads(archive: Archive, tmp_path: Path) -> None:
    assert Mvtec().write(archive, tmp_path / "out") == 18
    root = tmp_path / "out" / "layers"
    assert {p.name for p in root.iterdir()} == {"train", "test", "ground_truth", "manifest.csv"}
    assert [p.name for p in (root / "train").iterdir()] == ["good"]
    assert {p.stem for p in (root / "test/porous").iterdir()} == {"j8_00003", "j9_00003"}
    assert {p.stem for p in (root / "ground_truth/porous").iterdir()} == {"j8_00003_mask", "j9_00003_mask"}
    train, test = ({p.stem[:2] for p in (root / split / "good").iterdir()} for split in ("train", "test"))
    assert not train & test
    assert not {"j8", "j9"} & (train | test)


def test_pixels_masks_and_manifest_agree(archive: Archive, tmp_path: Path) -> None:
    Mvtec().write(archive, tmp_path / "out")
    root = tmp_path / "out" / "layers"
    rows = list(csv.DictReader((root / "manifest.csv").read_text().splitlines()))
    assert sum(int(row["label_index"]) for row in rows) == 2
    assert all(cell for row in rows for name, cell in row.items() if name != "mask_path"), (
        "anomalib refuses empty cells"
    )
    for row in rows:
        image = archive.image(row["job"], int(row["layer"]))
        eight, sixteen = (read(root / row[key]) for key in ("image_path", "image16_path"))
        np.testing.assert_array_equal(sixteen, to_uint16(image.pixels))
        assert np.abs(eight / 255 - image.pixels).max() <= 0.5 / 255 + 1e-6
        if row["mask_path"]:
            np.testing.assert_array_equal(read(root / row["mask_path"]) > 0, np.eye(16, dtype=bool))


def test_an_archive_without_healthy_jobs_is_refused(tmp_path: Path) -> None:
    archive = write_archive(tmp_path / "a", Header(1.0, (20.0, 60.0)), ["j8"], printed)
    with pytest.raises(DataError, match="at least 2 are needed"):
        Mvtec().write(archive, tmp_path / "out")
