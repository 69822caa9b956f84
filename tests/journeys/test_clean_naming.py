"""Which frame of a history is which: sidecars, paths, then tags; a phase of a job is a sequence of its own."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import tifffile

from layerwatch.images.folder import image_files
from layerwatch.images.naming import Naming, Pattern
from layerwatch.images.outside import shared_child
from layerwatch.journeys.clean_naming import History, named_history
from layerwatch.records import DataError, UsageError, silent

FRAME = np.arange(256, dtype=np.uint16).reshape(16, 16)


def frame(path: Path, **told: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    tifffile.imwrite(path, FRAME, description=json.dumps(told) if told else "", metadata=None)


def named(folder: Path, pattern: str = "{job}/{layer}") -> History:
    naming = Naming(Pattern(pattern), ("job", "layer"))
    return named_history(folder, image_files(folder), naming, shared_child(), silent)


def told(history: History) -> dict[str, list[tuple[str, int]]]:
    return {name: [(file.name, file.layer) for file in files] for name, files in history.sequences.items()}


def test_tags_are_asked_where_neither_sidecar_nor_path_tells(tmp_path: Path) -> None:
    frame(tmp_path / "IMG_2.tiff", job="core", layer=7)
    frame(tmp_path / "IMG_10.tiff", job="core", layer=8)
    frame(tmp_path / "IMG_11.tiff", job="core")
    frame(tmp_path / "other" / "9.tiff", job="core", layer=3)  # the path goes before the tags
    frame(tmp_path / "IMG_12.tiff")
    (tmp_path / "IMG_13.tiff").write_bytes(b"II*\0 broken")
    history = named(tmp_path)
    assert told(history) == {"core": [("IMG_2.tiff", 7), ("IMG_10.tiff", 8)], "other": [("other/9.tiff", 9)]}
    reasons = {one.file: one.fault.evidence for one in history.nameless}
    assert sorted(reasons) == ["IMG_11.tiff", "IMG_12.tiff", "IMG_13.tiff"]
    assert reasons["IMG_11.tiff"].startswith("not known: layer;")
    assert "tags: IMG_13.tiff: broken or truncated TIFF" in reasons["IMG_13.tiff"]


def test_a_broken_sidecar_is_not_made_good_by_tags(tmp_path: Path) -> None:
    frame(tmp_path / "a.tiff", job="core", layer=7)
    frame(tmp_path / "b.tiff", job="core", layer=8)
    (tmp_path / "a.json").write_text("{")
    history = named(tmp_path)
    assert told(history) == {"core": [("b.tiff", 8)]}
    assert "sidecar" in history.nameless[0].fault.evidence


def test_each_phase_of_a_job_is_a_sequence_and_a_single_one_is_the_job(tmp_path: Path) -> None:
    for layer in (1, 2):
        frame(tmp_path / "core" / f"L{layer}_printed.tiff")
        frame(tmp_path / "core" / f"L{layer}_recoated.tiff")
        frame(tmp_path / "lid" / f"L{layer}_printed.tiff")
    frame(tmp_path / "core" / "odd.tiff", job="core", layer=3)
    history = named(tmp_path, "{job}/L{layer}_{phase}")
    assert told(history) == {
        "core@printed": [("core/L1_printed.tiff", 1), ("core/L2_printed.tiff", 2)],
        "core@recoated": [("core/L1_recoated.tiff", 1), ("core/L2_recoated.tiff", 2)],
        "lid": [("lid/L1_printed.tiff", 1), ("lid/L2_printed.tiff", 2)],
    }
    assert [file.sequence for file in history.sequences["core@recoated"]] == ["core@recoated"] * 2
    (odd,) = history.nameless
    assert (odd.file, odd.fault.layer, odd.fault.kind) == ("core/odd.tiff", 3, "unidentified")
    assert "other frames of this job are printed or recoated" in odd.fault.evidence


def test_a_pattern_that_takes_layers_for_phases_is_refused(tmp_path: Path) -> None:
    for number in range(12):
        frame(tmp_path / "core" / f"{number}.tiff", layer=number)
        (tmp_path / "core" / f"{number}.json").write_text(json.dumps({"layer": number}))
    with pytest.raises(UsageError, match=r"12 phases, such as 0 and 1; \{phase\} is a step"):
        named(tmp_path, "{job}/{phase}")


def test_a_phase_that_looks_like_another_job_is_refused(tmp_path: Path) -> None:
    for name in ("core/L1_a", "core/L1_b", "core@a/L1_a"):
        frame(tmp_path / f"{name}.tiff")
    with pytest.raises(UsageError, match="core@a is both a job and a phase"):
        named(tmp_path, "{job}/L{layer}_{phase}")


def test_phases_become_folders_and_lead_nowhere_else(tmp_path: Path) -> None:
    for number, phase in enumerate(("..", "a/../../b", "p" * 60)):
        frame(tmp_path / f"shot{number}.tiff", job="core", layer=number, phase=phase)
    with pytest.raises(DataError, match="none of 3 files"):
        named(tmp_path)
