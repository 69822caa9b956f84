from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis.extra import numpy as hnp
from PIL import Image

from layerwatch.images.archive import Header, StoredLayer, write_archive
from layerwatch.images.exports.coco import Coco, _runs
from layerwatch.records import Truth

MASK = np.zeros((16, 20), bool)
MASK[2:5, 3:9] = True
MASK[10:14, 15:17] = True


def printed(job: str) -> Iterator[StoredLayer]:
    for layer in range(2):
        bad = job == "porous-0" and layer == 1
        truth = Truth(job, layer, "porous" if bad else "healthy", MASK & bad)
        frame = np.full((16, 20), 1000 * (layer + 1), np.uint16)
        yield StoredLayer(layer, 0.3 * (layer + 1), frame, np.ones((16, 20), np.uint8), truth)


@given(hnp.arrays(bool, hnp.array_shapes(min_dims=1, max_dims=1, min_side=1, max_side=60)))
def test_runs_give_the_mask_back(mask: np.ndarray) -> None:
    runs = _runs(mask)
    back = np.repeat(np.arange(len(runs)) % 2 == 1, runs)
    np.testing.assert_array_equal(back, mask)


def test_every_defective_place_is_annotated_where_it_is(tmp_path: Path) -> None:
    archive = write_archive(tmp_path / "archive", Header(3.0, (20.0, 60.0)), ["healthy-0", "porous-0"], printed)
    assert Coco().write(archive, tmp_path / "coco") == 4
    told = json.loads((tmp_path / "coco" / "annotations.json").read_text())
    assert [category["name"] for category in told["categories"]] == ["porous"]
    assert [row["bbox"] for row in told["annotations"]] == [[3, 2, 6, 3], [15, 10, 2, 4]]
    assert [row["area"] for row in told["annotations"]] == [18, 8]
    spoiled = {row["id"]: row for row in told["images"]}[told["annotations"][0]["image_id"]]
    assert (spoiled["job"], spoiled["layer"], spoiled["label"]) == ("porous-0", 1, "porous")
    total = np.zeros(16 * 20, bool)
    for row in told["annotations"]:
        runs = row["segmentation"]["counts"]
        total |= np.repeat(np.arange(len(runs)) % 2 == 1, runs)
    np.testing.assert_array_equal(total.reshape((16, 20), order="F"), MASK)
    for row in told["images"]:
        with Image.open(tmp_path / "coco" / "images" / row["file_name"]) as image:
            assert image.size == (row["width"], row["height"])
