"""A folder as a camera: the layer of a frame is what its name says, or it is not known."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from layerwatch.images.archive import encode_png
from layerwatch.inspection.frame_folder import Folder
from layerwatch.records import Fault

PNG = encode_png(np.full((16, 16), 7000, np.uint16))


def layers(folder: Path, names: list[str], pattern: str | None = None) -> list[int]:
    for name in names:
        (folder / f"{name}.png").write_bytes(PNG)
    return [frame.layer for frame in Folder(folder, pattern=pattern).frames()]


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (["00007", "00008", "00010"], [7, 8, 10]),
        (["shot_0000_v2", "shot_0001_v2", "shot_0002_v2"], [0, 1, 2]),
        (["P1_20260102T030400_L5", "P1_20260102T030430_L6"], [5, 6]),
        (["P1_20260102T030400", "P1_20260102T030430"], [-1, -1]),
        (["cam1_5_0", "cam1_6_1"], [-1, -1]),
        (["a", "b"], [-1, -1]),
        (["1", "2", "noname"], [1, 2, -1]),
        (["layer 3"], [3]),
    ],
)
def test_the_layer_is_the_only_number_that_differs(tmp_path: Path, names: list[str], told: list[int]) -> None:
    assert layers(tmp_path, names) == told


def test_a_frame_without_a_layer_is_a_fault_that_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(PNG)
    (frame,) = Folder(tmp_path).frames()
    assert isinstance(frame, Fault)
    assert frame.kind == "unidentified"
    assert "--pattern" in frame.advice


def test_a_pattern_or_a_sidecar_says_it(tmp_path: Path) -> None:
    assert layers(tmp_path, ["cam1_5_0", "cam1_6_1"], "cam1_{layer}_0") == [5, -1]
    (tmp_path / "cam1_6_1.json").write_text(json.dumps({"layer": 203}))
    assert layers(tmp_path, []) == [-1, 203]


def test_a_broken_sidecar_is_not_passed_over(tmp_path: Path) -> None:
    (tmp_path / "7.json").write_text("{")
    assert layers(tmp_path, ["7", "8"]) == [-1, 8]
