"""A large archive is seen layer by layer, in the archive's own order."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from layerwatch.images.archive import Archive, Header, StoredLayer, write_archive
from layerwatch.images.walk import count_layers, heights, walk, walk_truths
from layerwatch.records import DataError, Truth


def printed(job: str) -> Iterator[StoredLayer]:
    for layer in range(35 if job == "long" else 2):
        frame = np.full((8, 10), 1000 * layer, np.uint16)
        truth = Truth(job, layer, "porous" if layer == 34 else "healthy", np.ones((8, 10), bool))
        yield StoredLayer(layer, 0.3 * (layer + 1), frame, np.ones((8, 10), np.uint8), truth)


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return write_archive(tmp_path / "archive", Header(1.0, (20.0, 60.0)), ["short", "long"], printed)


def test_walking_gives_what_reading_at_once_gives(archive: Archive) -> None:
    walked = list(walk(archive))
    assert len(walked) == count_layers(archive) == 37
    for (image, truth), whole, alone in zip(walked, archive.images(), walk_truths(archive), strict=True):
        assert (image.job, image.layer) == (whole.job, whole.layer) == (truth.job, truth.layer)
        np.testing.assert_array_equal(image.pixels, whole.pixels)
        np.testing.assert_array_equal(truth.mask, alone.mask)
    assert [(image.job, image.layer) for image, _ in walk(archive, ["short"])] == [("short", 0), ("short", 1)]


def test_heights_are_those_that_were_stored(archive: Archive) -> None:
    assert heights(archive)["long"][9] == pytest.approx(3.0)


def test_an_archive_without_heights_is_refused(archive: Archive) -> None:
    path = archive.folder / "archive.json"
    path.write_text(path.read_text().replace('"z"', '"w"'))
    with pytest.raises(DataError, match="names no heights"):
        heights(archive)
