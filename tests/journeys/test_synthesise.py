"""Parts, layouts and machines as a user gives them -> archives; what was guessed or changed is said."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from layerwatch.images.archive import Archive
from layerwatch.job.layout import Instance
from layerwatch.job.machine import default_machine, shipped_text
from layerwatch.job.printing import JobSettings, PrintedLayer, print_job
from layerwatch.journeys import synthesise as journey
from layerwatch.journeys.machine_choice import machine_for
from layerwatch.journeys.plates import Plate, read_plate, slice_part
from layerwatch.journeys.synthesise import Wish, synthesise
from layerwatch.records import DataError, UsageError
from tests.journeys.test_cli import box, refused, run

LAYOUT = """
[[part]]
file = "block.stl"
x = 40.0
y = 50.0

[[part]]
file = "block.stl"
x = 40.0
y = 300.0
turn = 90.0
scale = 0.5

[[part]]
file = "other.stl"
x = 350.0
y = 300.0
"""


@pytest.fixture
def layout(tmp_path: Path) -> Path:
    box(tmp_path / "block.stl", 200.0, 80.0, 9.0)
    box(tmp_path / "other.stl", 60.0, 60.0, 30.0)
    path = tmp_path / "job.toml"
    path.write_text(LAYOUT)
    return path


def test_a_layout_prints_every_copy_at_its_place_turned_and_scaled(layout: Path) -> None:
    machine = default_machine()
    archive = synthesise([], layout.parent / "a", machine, Wish(1, 0, layers=100), layout=layout)
    plan = np.asarray(archive.image("healthy-0000", archive.layers["healthy-0000"][0]).plan)
    areas = [float((plan == number).sum()) * machine.mm_per_px**2 for number in (1, 2, 3)]
    assert areas == pytest.approx([200 * 80, 100 * 40, 60 * 60], rel=0.1)
    rows, columns = np.nonzero(plan == 2)
    assert np.ptp(rows) * machine.mm_per_px == pytest.approx(100, abs=8)
    assert np.ptp(columns) * machine.mm_per_px == pytest.approx(40, abs=8)
    assert set(archive.header.provenance["parts"]) == {"block", "other"}


def test_copies_of_one_file_and_scale_are_sliced_once(layout: Path) -> None:
    plate, parts = read_plate(layout, default_machine())
    assert [len(part.layers) for part in parts] == [30, 15, 100]
    assert len(plate.instances) == 3
    assert plate.layers == 100


def test_a_copy_off_the_bed_is_refused_with_its_number(layout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    layout.write_text(LAYOUT.replace("x = 350.0", "x = 450.0"))
    words = ["synthesise", "--layout", layout, "--out", layout.parent / "a"]
    refused(capsys, words, 1, "copy 3 reaches from (450.0, 300.0)")
    assert not (layout.parent / "a").exists()


def test_either_parts_or_a_layout(layout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    refused(capsys, ["synthesise"], 2, "give either --part")
    both = ["synthesise", "--part", layout.parent / "block.stl", "--layout", layout]
    refused(capsys, both, 2, "give either --part")


def test_a_part_too_large_for_the_usual_machine_gets_a_larger_one(tmp_path: Path) -> None:
    small, large = box(tmp_path / "s.stl", 100.0, 80.0, 20.0), box(tmp_path / "l.stl", 0.9, 0.6, 0.5)
    assert machine_for([small], None) == (default_machine(), "")
    machine, said = machine_for([large], None)  # in metres, for its size in mm would be absurd
    assert machine.bed[0] == 1800
    assert "large_bed" in said
    assert machine_for([large], None, "mm")[0] == default_machine()


def test_a_part_too_small_for_the_usual_camera_gets_a_finer_one(tmp_path: Path) -> None:
    tiny, usual = box(tmp_path / "t.stl", 27.0, 16.0, 8.0), box(tmp_path / "u.stl", 27.0, 20.0, 8.0)
    machine, said = machine_for([tiny], None)
    assert machine.mm_per_px < 1
    assert "fine_bed" in said
    assert "3.75 mm/px" in said
    assert machine_for([usual], None) == (default_machine(), "")
    assert machine_for([usual, tiny], None)[0] == machine
    inches = box(tmp_path / "i.stl", 1.09, 0.64, 0.34)  # the unit that the usual machine would guess
    assert machine_for([inches], None)[0] == machine
    assert machine_for([box(tmp_path / "m.stl", 0.4, 0.3, 0.2)], None)[0].bed[0] == 480  # in metres it is seen well


@pytest.mark.parametrize("preset", ["paper", "physical"])
def test_presets_variability_and_ranges_reach_the_archive(
    tmp_path: Path, preset: str, capsys: pytest.CaptureFixture[str]
) -> None:
    part, machine = box(tmp_path / "b.stl", 300.0, 200.0, 12.0), tmp_path / "m.toml"
    machine.write_text(shipped_text().replace("width = 128", "width = 32").replace("height = 128", "height = 32"))
    ranges = tmp_path / "ranges.toml"
    ranges.write_text("blur = [0.6, 0.7]\n")
    words = ["synthesise", "--part", part, "--machine", machine, "--jobs", 2, "--defective", 0, "--layers", 3]
    code, _, error = run(
        capsys, *words, "--preset", preset, "--ranges", ranges, "--variability", 3, "--out", tmp_path / "a"
    )
    assert code == 0, error
    told = Archive.open(tmp_path / "a").header.provenance
    assert told["preset"] == preset
    assert told["ranges"]["blur"]["low"] == pytest.approx(0.5)
    assert told["ranges"]["blur"]["high"] == pytest.approx(0.8)
    refused(capsys, [*words, "--variability", -1, "--out", tmp_path / "b"], 2, "variability -1")
    refused(capsys, [*words, "--preset", "real", "--out", tmp_path / "b"], 2, "there are: paper, physical")


def test_all_jobs_are_alike_without_variability(tmp_path: Path) -> None:
    part = box(tmp_path / "b.stl", 300.0, 200.0, 12.0)
    wish = Wish(4, 0, layers=1, variability=0.0)
    archive = synthesise([part], tmp_path / "a", default_machine(), wish)
    means = [float(image.pixels.mean()) for image in archive.images()]
    wide = synthesise([part], tmp_path / "w", default_machine(), Wish(4, 0, layers=1, variability=2.0))
    assert np.std(means) < 0.05 * np.std([float(image.pixels.mean()) for image in wide.images()])


def test_a_mesh_without_a_closed_contour_is_refused(tmp_path: Path) -> None:
    text = (
        "solid s\n"
        + "facet normal 0 0 1\nouter loop\nvertex 0 0 0\nvertex 90 0 40\nvertex 0 90 80\nendloop\nendfacet\n"
    )
    (tmp_path / "sheet.stl").write_text(text + "endsolid s\n")
    with pytest.raises(DataError, match=r"sheet\.stl"):
        synthesise([tmp_path / "sheet.stl"], tmp_path / "a", default_machine(), Wish(1, 0, layers=3))
    assert not (tmp_path / "a").exists()


def test_heights_of_equally_spaced_layers_are_kept(tmp_path: Path) -> None:
    said: list[str] = []
    part = box(tmp_path / "b.stl", 300.0, 200.0, 3.0)
    synthesise([part], tmp_path / "a", default_machine(), Wish(1, 0, layers=30), say=said.append)
    heights = json.loads((tmp_path / "a" / "archive.json").read_bytes())["jobs"]["healthy-0000"]
    assert [row["z"] for row in heights] == pytest.approx(np.arange(1, 31) * 0.1)
    assert any("10 layers of 0.3 mm; cut into 30 equally spaced ones" in line for line in said)


def test_far_too_many_layers_are_refused_and_thinner_ones_said_before_slicing(tmp_path: Path) -> None:
    said: list[str] = []
    part = box(tmp_path / "b.stl", 300.0, 200.0, 3.0)
    with pytest.raises(DataError, match=r"201 layers wanted .* has 10; .* lower --layers to 200"):
        synthesise([part], tmp_path / "a", default_machine(), Wish(1, 0, layers=201))
    assert not (tmp_path / "a").exists()

    def told(step: str, done: int, total: int, note: str = "") -> None:
        assert any("cut into 30 equally spaced ones" in line for line in said)

    synthesise([part], tmp_path / "a", default_machine(), Wish(1, 0, layers=30), say=said.append, progress=told)


def test_all_parts_of_a_layout_are_cut_thinner_alike(layout: Path) -> None:
    said: list[str] = []
    plate, parts = read_plate(layout, default_machine(), at_least=200, say=said.append)
    assert [len(part.layers) for part in parts] == [60, 30, 200]
    assert plate.layers == 200
    assert len(said) == len(set(said))


def test_nothing_is_left_of_a_synthesis_that_the_camera_cannot_see(tmp_path: Path) -> None:
    part, machine, out = box(tmp_path / "b.stl", 300.0, 200.0, 3.0), default_machine(), tmp_path / "a"
    wish = Wish(2, 1, layers=3, defects=("shift",), faulty=1, faults=("black",))
    with pytest.raises(DataError, match="widen camera"):
        synthesise([part], out, replace(machine, span=(20.0, 30.0)), wish)
    assert not out.exists()
    assert synthesise([part], out, machine, wish).jobs


def test_nothing_is_left_where_no_job_could_be_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    part, out = box(tmp_path / "b.stl", 300.0, 200.0, 3.0), tmp_path / "a"

    def refuse(settings: JobSettings) -> Iterator[PrintedLayer]:
        if settings.name != "healthy-0000":
            raise DataError("no room for the defect")
        yield from print_job(settings)

    monkeypatch.setattr(journey, "print_job", refuse)
    with pytest.raises(DataError, match="no room"):
        synthesise([part], out, default_machine(), Wish(0, 1, layers=3))
    assert not out.exists()
    with pytest.raises(DataError, match="no room"):
        synthesise([part], out, default_machine(), Wish(1, 1, layers=3))
    assert (out / "frames" / "healthy-0000").exists()  # a finished job is kept


def test_a_severity_that_is_not_reached_is_said(tmp_path: Path) -> None:
    part, said = box(tmp_path / "b.stl", 300.0, 200.0, 3.0), list[str]()
    wish = Wish(0, 1, layers=3, severity=100, defects=("thermal_drift",))
    synthesise([part], tmp_path / "a", default_machine(), wish, say=said.append)
    assert "thermal_drift (asked 100, reached " in said[-1]
    assert "12 K or 15 mm" in said[-1]
    said.clear()
    synthesise([part], tmp_path / "b", default_machine(), replace(wish, severity=0.5), say=said.append)
    assert not any("severity" in line for line in said)


def test_copies_in_one_another_are_refused(layout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    layout.write_text(LAYOUT + '[[part]]\nfile = "block.stl"\nx = 40.0\ny = 50.0\n')
    words = ["synthesise", "--layout", layout, "--out", layout.parent / "a"]
    refused(capsys, words, 1, "copies 1 and 4 overlap")
    assert not (layout.parent / "a").exists()
    layout.write_text(LAYOUT + '[[part]]\nfile = "block.stl"\nx = 40.0\ny = 130.0\n')  # they touch
    assert len(read_plate(layout, default_machine())[0].instances) == 4


def test_a_folder_that_holds_other_things_is_refused_before_slicing(tmp_path: Path) -> None:
    def never(step: str, done: int, total: int, note: str = "") -> None:
        raise AssertionError(step)

    part = box(tmp_path / "b.stl", 300.0, 200.0, 3.0)
    with pytest.raises(UsageError, match="is not empty"):
        synthesise([part], tmp_path, default_machine(), Wish(1, 0), progress=never)


def test_defects_begin_where_something_is_printed(tmp_path: Path) -> None:
    """Two plates with nothing between them, and a needle on top: no job may fail for its drawn layers."""
    machine = default_machine()
    layer = slice_part(box(tmp_path / "block.stl", 60.0, 40.0, 3.0), machine).layers[0]
    empty = replace(layer, islands=(), area=0.0)
    layers = tuple(replace(layer if k < 5 or k > 90 else empty, index=k, z=0.3 * k) for k in range(100))
    plate = Plate("stack", (Instance(layers, 100.0, 100.0),))
    assert plate.areas[4] == pytest.approx(2400.0)
    assert plate.areas[50] == 0
    wish = Wish(healthy=0, defective=1, layers=10)
    for number in range(40):
        job = journey._job(plate, machine, wish, number, "job", "agglomerate")
        onset = job.orders[0].first_layer
        assert plate.areas[onset] > 0
        assert job.first_layer <= onset <= job.last_layer < 100
        assert job.burn_in <= job.first_layer
        if number < 6:
            assert any(layer.truth.defects for layer in print_job(job))


@pytest.mark.parametrize(
    ("old", "new"),
    [("noise = 0.05", "noise = 0.5"), ("swath = 120.0", "swath = 40.0"), ("layer_time = 20.0", "layer_time = 60.0")],
)
def test_an_archive_of_another_machine_is_not_gone_on_with(
    tmp_path: Path, old: str, new: str, capsys: pytest.CaptureFixture[str]
) -> None:
    part, machine = box(tmp_path / "b.stl", 300.0, 200.0, 12.0), tmp_path / "m.toml"
    words = ["synthesise", "--part", part, "--machine", machine, "--jobs", 1, "--defective", 0, "--layers", 2]
    machine.write_text(shipped_text())
    assert run(capsys, *words, "--out", tmp_path / "a")[0] == 0
    assert run(capsys, *words, "--out", tmp_path / "a")[0] == 0
    assert old in shipped_text()
    machine.write_text(shipped_text().replace(old, new))
    refused(capsys, [*words, "--out", tmp_path / "a"], 2, "other settings")


def test_an_archive_of_the_part_in_another_unit_is_not_gone_on_with(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    part = box(tmp_path / "b.stl", 12.0, 9.0, 3.0)
    words = ["synthesise", "--part", part, "--jobs", 1, "--defective", 0, "--layers", 2, "--out", tmp_path / "a"]
    assert run(capsys, *words, "--unit", "inch")[0] == 0
    refused(capsys, [*words, "--unit", "cm"], 2, "other settings")
