from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from layerwatch.images.archive import Archive, Header, StoredLayer, write_archive
from layerwatch.images.grey import to_grey
from layerwatch.records import DataError, DefectRecord, Truth, UsageError

HEADER = Header(3.75, (20.0, 60.0), {"seed": 3})
DEFECT = DefectRecord("porous", 4.0, 0.7, 21.0, 1, 1, 5)


def printed(job: str) -> Iterator[StoredLayer]:
    rng = np.random.default_rng(len(job))
    plan = np.zeros((16, 20), np.uint8)
    plan[4:9, 5:12] = 2
    for layer in (0, 1):
        label = ("healthy", "porous")[layer]
        mask = (plan > 0) & (layer == 1)
        truth = Truth(job, layer, label, mask, (DEFECT,) if layer else ())
        yield StoredLayer(layer, 0.3 * (layer + 1), rng.integers(0, 65536, (16, 20), np.uint16), plan, truth)


def digest(folder: Path) -> dict[str, str]:
    files = (p for p in sorted(folder.rglob("*")) if p.is_file())
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def test_written_then_read_is_the_same(tmp_path: Path) -> None:
    archive = write_archive(tmp_path / "a", HEADER, ["one", "three"], printed)
    assert archive.jobs == ("one", "three")
    images, truths = archive.images(["three"]), archive.truths(["three"])
    for image, truth, stored in zip(images, truths, printed("three"), strict=True):
        np.testing.assert_array_equal(image.pixels, to_grey(stored.frame, ""))
        assert image.plan is not None
        np.testing.assert_array_equal(image.plan, stored.plan)
        assert (image.mm_per_px, image.span) == (3.75, (20.0, 60.0))
        np.testing.assert_array_equal(truth.mask, stored.truth.mask)
        assert (truth.label, truth.defects) == (stored.truth.label, stored.truth.defects)


def test_layers_without_cad_come_back_without_a_plan(tmp_path: Path) -> None:
    def unplanned(job: str) -> Iterator[StoredLayer]:
        return (replace(layer, plan=None) for layer in printed(job))

    archive = write_archive(tmp_path / "a", HEADER, ["one"], unplanned)
    assert [image.plan for image in archive.images()] == [None, None]
    assert [truth.mask.shape for truth in archive.truths()] == [(16, 20)] * 2
    before = digest(tmp_path / "a")
    write_archive(tmp_path / "a", HEADER, ["one"], unplanned)
    assert digest(tmp_path / "a") == before


def test_a_job_that_lost_one_of_its_plans_says_so(tmp_path: Path) -> None:
    archive = write_archive(tmp_path / "a", HEADER, ["one"], printed)
    (tmp_path / "a" / "plans" / "one" / "00001.png").unlink()
    with pytest.raises(DataError, match="missing"):
        archive.images()


def test_the_same_layers_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_archive(tmp_path / name, HEADER, ["one"], printed)
    assert digest(tmp_path / "a") == digest(tmp_path / "b")


def test_an_interrupted_archive_is_taken_up_and_ends_the_same(tmp_path: Path) -> None:
    def breaks(job: str) -> Iterator[StoredLayer]:
        yield next(printed(job))
        if job == "three":
            raise KeyboardInterrupt
        yield list(printed(job))[1]

    with pytest.raises(KeyboardInterrupt):
        write_archive(tmp_path / "a", HEADER, ["one", "three"], breaks)
    assert not list(tmp_path.rglob("*.partial"))
    with pytest.raises(DataError, match="unfinished archive"):
        Archive.open(tmp_path / "a")
    called = []

    def counted(job: str) -> Iterator[StoredLayer]:
        called.append(job)
        return printed(job)

    write_archive(tmp_path / "a", HEADER, ["one", "three"], counted)
    write_archive(tmp_path / "b", HEADER, ["one", "three"], printed)
    assert called == ["three"]
    assert digest(tmp_path / "a") == digest(tmp_path / "b")


def test_other_settings_never_mix_into_an_archive(tmp_path: Path) -> None:
    write_archive(tmp_path, HEADER, ["one"], printed)
    with pytest.raises(UsageError, match="archive of other settings"):
        write_archive(tmp_path, HEADER, ["two"], printed)


def test_a_folder_of_other_things_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("precious")
    with pytest.raises(UsageError, match="not empty and holds no archive"):
        write_archive(tmp_path, HEADER, ["one"], printed)
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.txt"]


def test_what_is_no_archive_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="layerwatch synthesise"):
        Archive.open(tmp_path)
    (tmp_path / "archive.json").write_text("{")
    with pytest.raises(DataError, match=r"archive\.json is broken"):
        Archive.open(tmp_path)


def test_a_broken_frame_is_named(tmp_path: Path) -> None:
    archive = write_archive(tmp_path, HEADER, ["one"], printed)
    (tmp_path / "frames/one/00001.tiff").write_bytes(b"II*\0")
    with pytest.raises(DataError, match=r"frames/one/00001\.tiff"):
        archive.images()


def test_broken_truth_is_named(tmp_path: Path) -> None:
    archive = write_archive(tmp_path, HEADER, ["one"], printed)
    whole = (tmp_path / "truth/one.json").read_bytes()
    for data in (b"junk", b"[]", b'[{"layer": 0, "label": "healthy"}]'):
        (tmp_path / "truth/one.json").write_bytes(data)
        with pytest.raises(DataError, match=r"truth/one\.json: missing or broken"):
            archive.truths()
    (tmp_path / "truth/one.json").write_bytes(whole)
    masks = list((tmp_path / "truth/one").glob("*.png"))
    assert masks
    masks[0].unlink()
    with pytest.raises(DataError, match="missing or broken"):
        archive.truths()
    (tmp_path / "truth/one.json").unlink()
    with pytest.raises(DataError, match="remove it and run the same"):
        archive.truths()


@pytest.mark.parametrize(
    "lost",
    ["frames/one/00001.tiff", "plans/one/00000.png", "plans/one/layers.json", "truth/one.json", "truth/one", "frames"],
)
def test_a_finished_archive_that_lost_a_file_is_mended(tmp_path: Path, lost: str) -> None:
    write_archive(tmp_path, HEADER, ["one", "two"], printed)
    whole = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    gone = tmp_path / lost
    shutil.rmtree(gone) if gone.is_dir() else gone.unlink()
    again: list[str] = []

    def print_again(job: str) -> Iterator[StoredLayer]:
        again.append(job)
        return iter(printed(job))

    write_archive(tmp_path, HEADER, ["one", "two"], print_again)
    assert again == (["one", "two"] if lost == "frames" else ["one"])
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == whole


@pytest.mark.parametrize("job", ["../../etc", "/etc", "a/b", "", ".."])
def test_an_archive_leads_nowhere_else(tmp_path: Path, job: str) -> None:
    told = {"format": "layerwatch archive 1", "mm_per_px": 1, "span": [0, 1], "provenance": {}, "jobs": {job: []}}
    (tmp_path / "archive.json").write_text(json.dumps(told))
    with pytest.raises(DataError, match="no name of a job"):
        Archive.open(tmp_path)


def test_a_job_whose_plans_were_lost_is_written_again(tmp_path: Path) -> None:
    write_archive(tmp_path, HEADER, ["one"], printed)
    before = digest(tmp_path)
    (tmp_path / "archive.json").rename(tmp_path / "archive.unfinished.json")
    shutil.rmtree(tmp_path / "plans")
    described = json.loads((tmp_path / "archive.unfinished.json").read_bytes())
    del described["jobs"]
    (tmp_path / "archive.unfinished.json").write_text(json.dumps(described))
    write_archive(tmp_path, HEADER, ["one"], printed)
    assert digest(tmp_path) == before


@pytest.mark.parametrize("job", ["../beside", "..", ".", "a/b", ""])
def test_a_job_that_would_lie_elsewhere_is_refused(tmp_path: Path, job: str) -> None:
    beside = tmp_path / "beside"
    beside.mkdir()
    (beside / "kept").write_text("x")
    with pytest.raises(DataError, match="no name of a job"):
        write_archive(tmp_path / "a", HEADER, [job], printed)
    assert [path.name for path in tmp_path.iterdir()] == ["beside"]
    assert (beside / "kept").read_text() == "x"
