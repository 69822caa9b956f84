"""Peregrine's HDF5: what our own export writes comes back layer by layer; data that lie elsewhere are not followed."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from layerwatch.images.archive import Header, StoredLayer, write_archive
from layerwatch.images.exports.peregrine import Peregrine as Export
from layerwatch.images.folder import image_files, read_pictures
from layerwatch.images.readers.peregrine import Peregrine
from layerwatch.records import DataError, Truth

h5py = pytest.importorskip("h5py")
PLACE = "slices/camera_data/visible/0"
STACK = np.random.default_rng(1).integers(0, 65536, (4, 20, 30), np.uint16)


def printed(job: str) -> Iterator[StoredLayer]:
    for number, frame in enumerate(STACK):
        truth = Truth(job, 5 + number, "healthy", np.zeros(frame.shape, bool))
        yield StoredLayer(5 + number, 0.3 * (number + 1), frame, np.zeros(frame.shape, np.uint8), truth)


@pytest.fixture
def build(tmp_path: Path) -> Path:
    header = Header(3.0, (20.0, 60.0), {"machine": "press 7"})
    archive = write_archive(tmp_path / "archive", header, ["core-0"], printed)
    (tmp_path / "out").mkdir()
    Export().write(archive, tmp_path / "out")
    return tmp_path / "out" / "core-0.hdf5"


def made(**how: Any) -> bytes:
    file = io.BytesIO()
    with h5py.File(file, "w") as build:
        build.create_dataset(PLACE, **({"data": STACK} | how))
    return file.getvalue()


def test_our_export_is_read_back_with_its_layers(build: Path) -> None:
    found = read_pictures(build)
    assert [(p.page, p.pages, p.tags["layer"]) for p in found] == [(n, 4, str(5 + n)) for n in range(4)]
    for picture, frame in zip(found, STACK, strict=True):
        assert (picture.unit, picture.pixels.dtype.name) == ("counts", "uint16")
        np.testing.assert_array_equal(picture.pixels, frame)
    assert dict(found[2].tags) == {"job": "core-0", "printer": "press 7", "layer": "7", "span_degC": "20 60"}
    np.testing.assert_array_equal(read_pictures(build, page=3)[0].pixels, STACK[3])


@pytest.mark.parametrize(
    "how",
    [
        {},
        {"chunks": (1, 20, 30), "compression": "gzip", "shuffle": True},
        {"chunks": (3, 7, 11), "compression": "gzip"},
        {"chunks": (2, 8, 30), "shuffle": True},
        {"data": STACK.astype(">u2")},
        {"data": STACK.astype(np.float32), "compression": "gzip", "shuffle": True, "chunks": (2, 16, 16)},
        {"data": (STACK // 256).astype(np.uint8), "chunks": (1, 9, 30)},
    ],
)
def test_every_storage_gives_the_same_layers(how: dict[str, Any]) -> None:
    expected = how.get("data", STACK)
    for number, picture in enumerate(Peregrine().pictures(made(**how), "x")):
        assert picture.pixels.dtype == expected.dtype.newbyteorder("=")
        np.testing.assert_array_equal(picture.pixels, expected[number])


def test_a_layer_that_was_never_written_has_the_fill_value() -> None:
    how = {"data": None, "shape": (2, 20, 30), "dtype": "u2", "chunks": (1, 20, 30), "fillvalue": 7}
    assert (Peregrine().pictures(made(**how), "x")[1].pixels == 7).all()


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"data": STACK[0]}, "20 x 30, not layers"),
        ({"data": STACK.astype(np.int64)}, "not layers of 8 or 16 bit"),
        ({"data": STACK, "compression": "lzf"}, "neither gzip nor none"),
        ({"data": None, "shape": (4, 90000, 90000), "dtype": "u2", "chunks": (1, 64, 64)}, "more than the"),
        ({"data": None, "shape": (40000, 9, 9), "dtype": "u2", "chunks": (1, 9, 9)}, "more than 20,000 pictures"),
        ({"data": None, "shape": (90, 900, 900), "dtype": "u2", "chunks": (90, 900, 900)}, "chunks of"),
        ({"data": None, "shape": (200, 900, 900), "dtype": "u2", "chunks": (1, 900, 900)}, "read them one by one"),
    ],
)
def test_what_is_no_build_or_too_large_is_refused(how: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        Peregrine().pictures(made(**how), "x")


def test_a_file_leads_to_no_other_file(tmp_path: Path) -> None:
    for kind in ("link", "external", "virtual"):
        file = io.BytesIO()
        with h5py.File(file, "w") as build:
            group = build.create_group(PLACE.rpartition("/")[0])
            if kind == "link":
                group["0"] = h5py.ExternalLink("/etc/passwd", "/x")
            elif kind == "external":
                group.create_dataset("0", (1, 8, 8), "u1", external=[(str(tmp_path / "secret"), 0, 64)])
            else:
                layout = h5py.VirtualLayout((1, 8, 8), "u1")
                layout[0] = h5py.VirtualSource("other.hdf5", "x", (8, 8))
                group.create_virtual_dataset("0", layout)
        with pytest.raises(DataError, match=r"by a link|in other files"):
            Peregrine().pictures(file.getvalue(), "x")


def test_a_build_is_no_layer_of_a_folder(build: Path) -> None:
    with pytest.raises(DataError, match="no image"):
        image_files(build.parent)


def test_another_camera_and_a_missing_one(build: Path) -> None:
    np.testing.assert_array_equal(Peregrine(camera=1).from_file(build, "x", 0)[0].pixels, STACK[0])
    with pytest.raises(DataError, match="no slices/camera_data/visible/2"):
        Peregrine(camera=2).from_file(build, "x")
