"""The sheet of a history's faults: some of each kind, whatever their number, and how many there are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from layerwatch.evaluation.fault_figures import Cell
from layerwatch.images.archive import encode_png
from layerwatch.images.outside import shared_child
from layerwatch.journeys import clean_pictures
from layerwatch.records import Fault


def test_every_kind_is_there_and_says_how_often_it_came(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[Cell] = []
    titles: list[str] = []

    def figure(cells: list[Cell], title: str) -> bytes:
        shown.extend(cells)
        titles.append(title)
        return b""

    monkeypatch.setattr(clean_pictures, "figure_of_faults", figure)
    (tmp_path / "a.png").write_bytes(encode_png(np.full((16, 16), 9, np.uint8)))
    (tmp_path / "b.png").write_bytes(b"broken")
    np.save(tmp_path / "c.npy", np.full((16, 16), np.nan, np.float32))
    files = ("a.png", "b.png", "c.npy", "")
    found = [(files[k % 4], Fault("job", k, f"kind{k % 20}", "", "")) for k in range(120)] + [
        ("a.png", Fault("", -1, "unidentified", "", ""))
    ]
    clean_pictures.faults_sheet(tmp_path, found, shared_child())
    assert len(shown) == 20 * 4 + 1
    assert titles == ["121 faults, 81 of them shown: up to 4 of a kind"]
    assert shown[0].kind == "kind0, 1 of 6"
    assert shown[0].place == "job, layer 0"
    assert (shown[-1].kind, shown[-1].place) == ("unidentified, 1 of 1", "a.png")
    assert [one.pixels is not None for one in shown[::4]][:4] == [True, False, False, False]
