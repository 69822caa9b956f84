from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from layerwatch import catalogue
from layerwatch.job.machine import Machine, default_machine
from layerwatch.job.printing import print_job
from layerwatch.journeys import contact_sheet as sheets
from layerwatch.journeys.contact_sheet import SEVERITIES, Source, contact_sheet
from layerwatch.journeys.plates import slice_part
from layerwatch.journeys.synthesise import Wish
from layerwatch.records import DataError, Shot, UsageError
from tests.journeys.test_cli import box, refused


def machine(pixels: int = 48) -> Machine:
    return replace(default_machine(), width=pixels, height=pixels)


@pytest.fixture
def source(tmp_path: Path) -> Source:
    wish = Wish(healthy=1, defective=0, layers=1)
    return Source(slice_part(box(tmp_path / "part.stl", 180.0, 120.0, 6.0), machine(), at_least=8), machine(), wish)


@pytest.mark.parametrize("count", [2, pytest.param(99, marks=pytest.mark.slow)])
def test_one_call_draws_all_three_sheets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    some = SimpleNamespace(names=lambda shelf: catalogue.names(shelf)[:count], load=catalogue.load)
    monkeypatch.setattr(sheets, "catalogue", some)
    part = box(tmp_path / "part.stl", 180.0, 120.0, 6.0)
    files = contact_sheet(part, tmp_path / "a", machine())
    assert [file.name for file in files] == ["layers.png", "faults.png", "defects.png"]
    for file in files:
        data = file.read_bytes()
        assert data.startswith(b"\x89PNG")
        assert int.from_bytes(data[16:20], "big") == 1600
        assert len(data) < 1_500_000


def test_a_ladder_is_one_defect_in_one_job_that_grows(source: Source) -> None:
    for name in ("foreign_object", "shift"):
        printed = sheets._ladder(source, name, 0)
        (healthy,) = print_job(replace(source.job(printed[0].layer, 1), orders=()))
        change = [np.abs(p.frame.astype(float) - healthy.frame).sum() for p in printed]
        assert change == sorted(change)
        reached = [p.truth.defects[0].severity for p in printed]
        assert reached[:3] == pytest.approx(SEVERITIES[:3], rel=0.1)  # beyond, what is believable ends it


def test_a_strip_begins_before_the_fault(source: Source) -> None:
    shots = tuple(Shot("job", n, 20.0 * n, np.full((48, 48), 30000 + 50 * n, np.uint16)) for n in range(8))
    for name in catalogue.names("job.faults"):
        fault = sheets._brief(catalogue.load("job.faults", name)())
        arrivals = tuple(fault.spoil(shots, np.random.default_rng(1), source.machine, shots))
        strip = sheets._fault(fault, arrivals, source.machine)
        assert len(strip.cells) == 4
        assert any(cell.is_marked for cell in strip.cells), name
        assert not strip.cells[0].is_marked, name
        assert strip.span[0] < strip.span[1]


@pytest.mark.parametrize(
    ("rows", "columns", "zoom"),
    [(slice(10, 14), slice(30, 36), 3), (slice(0, 20), slice(20, 40), 2), (slice(0, 64), slice(30, 34), 2)],
)
def test_a_window_shows_the_defect_as_large_as_it_can(rows: slice, columns: slice, zoom: int) -> None:
    mask = np.zeros((64, 96), bool)
    mask[rows, columns] = True
    window = sheets._window(mask)
    assert mask[window].shape == (round(64 / zoom), round(96 / zoom))
    assert mask[window].any()
    if rows.stop < 64:
        assert mask[window].sum() == mask.sum()


def test_a_flat_part_is_refused(tmp_path: Path) -> None:
    part = box(tmp_path / "part.stl", 100.0, 80.0, 1.0)
    with pytest.raises(DataError, match="the sheets need 8"):
        contact_sheet(part, tmp_path / "a", machine())
    assert not (tmp_path / "a").exists()


def test_the_command_refuses_what_it_cannot_draw(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    part, out = box(tmp_path / "part.stl"), tmp_path / "out"
    refused(capsys, ["contact-sheet", "--part", tmp_path / "none.stl", "--out", out], 2, "no such file")
    refused(capsys, ["contact-sheet", "--part", part, "--preset", "rosy", "--out", out], 2, "rosy", "paper")
    with pytest.raises(UsageError, match="rosy"):
        contact_sheet(tmp_path / "none.stl", out, machine(), preset="rosy")  # before the part is opened
    assert not out.exists()
