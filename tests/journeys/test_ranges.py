"""What went into the renderer comes out of `layerwatch ranges`; what a picture does not show is left out and said."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from layerwatch.images.archive import Archive, Header, StoredLayer, write_archive
from layerwatch.job.layout import fill_bed
from layerwatch.job.machine import Machine
from layerwatch.job.printing import JobSettings, print_job
from layerwatch.job.ranges import Interval, Ranges, paper, physical
from layerwatch.job.rangesfile import read_ranges
from layerwatch.journeys.layer_runs import Given, open_source, random_runs
from layerwatch.journeys.range_intervals import learn
from layerwatch.journeys.ranges import Lesson, Study, study
from layerwatch.records import Island, Layer
from layerwatch.testing.images import healthy_image, spoiled_image
from tests.job.conftest import machine_of
from tests.journeys.test_cli import refused, run

NARROW = {
    "texture_length": Interval(12.0, 14.0, 0.1),
    "anisotropy": Interval(1.8, 2.2, 0.1),
    "bed_texture": Interval(0.25, 0.30, 0.1),
    "part_texture": Interval(0.30, 0.36, 0.1),
    "texture_memory": Interval(0.50, 0.55, 0.1),
    "blur": Interval(0.6, 0.7, 0.1),
}
MACHINE = machine_of(128)


def leaning(count: int = 60) -> tuple[Layer, ...]:
    """A block that leans and grows, so that its outline moves from layer to layer."""
    square = np.array([[0.0, 0.0], [150.0, 0.0], [150.0, 110.0], [0.0, 110.0]])
    return tuple(
        Layer(
            k,
            0.3 * (k + 1),
            0.3 * k + 0.15,
            0.3,
            (
                Island(
                    square * (1 + 0.004 * k) + 0.4 * k,
                ),
            ),
            16_500.0,
        )
        for k in range(count)
    )


def printed(folder: Path, ranges: Ranges, *, jobs: int, layers: int, burn_in: int, machine: Machine = MACHINE) -> Path:
    """An archive of healthy jobs of that part."""
    instances = fill_bed(leaning(), machine)

    def print_one(job: str) -> Iterator[StoredLayer]:
        number = int(job.removeprefix("job-"))
        first = burn_in + (number * 7) % (60 - layers - burn_in)
        settings = JobSettings(job, (5, number), machine, instances, first, layers, ranges, burn_in=burn_in)
        for p in print_job(settings):
            yield StoredLayer(p.layer, p.z, p.frame, p.plan, p.truth, p.coverage)

    header = Header(machine.mm_per_px, machine.span, {})
    write_archive(folder, header, [f"job-{number}" for number in range(jobs)], print_one)
    return folder


@pytest.fixture(scope="module")
def paper_ranges() -> Ranges:
    more = {
        "decay": Interval(0.25, 0.30, 0.1),
        "binder": Interval(4.0, 4.4, 0.2),
        "lamp": Interval(36.0, 40.0, 0.06),
        "uneven": Interval(0.008, 0.012),
    }
    return replace(paper(), **NARROW, **more)  # type: ignore[arg-type] # names are its own


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory, paper_ranges: Ranges) -> Path:
    folder = tmp_path_factory.mktemp("ranges") / "archive"
    return printed(folder, paper_ranges, jobs=8, layers=8, burn_in=4)


@pytest.fixture(scope="module")
def learnt(archive: Path) -> Study:
    return study(Given(archive, machine=MACHINE), archive.parent / "learnt", Lesson(sample=64))


def middles(found: Study, true: Ranges) -> dict[str, float]:
    """Middle of each learnt interval over that of the true one, minus 1."""
    return {
        key: (own.low + own.high) / (getattr(true, key).low + getattr(true, key).high) - 1
        for key, own in found.learnt.intervals.items()
        if key != "place"
    }


def test_the_papers_intervals_come_back(learnt: Study, paper_ranges: Ranges) -> None:
    away = middles(learnt, paper_ranges)
    good = ("blur", "binder", "lamp", "bed_texture", "part_texture", "texture_length", "anisotropy", "texture_memory")
    for key in good:
        assert abs(away[key]) < 0.10, (key, away[key])
    for key in ("decay", "uneven"):
        assert abs(away[key]) < 0.30, (key, away[key])
    assert learnt.learnt.noise == pytest.approx(MACHINE.noise, rel=0.05)
    assert learnt.learnt.omitted == {}


def test_learnt_intervals_are_hardly_wider_than_the_true_ones(learnt: Study, paper_ranges: Ranges) -> None:
    for key in ("blur", "binder", "lamp", "bed_texture", "texture_length", "anisotropy"):
        own, true = learnt.learnt.intervals[key], getattr(paper_ranges, key)
        assert own.high - own.low < 2.5 * (true.high - true.low), key
    place = learnt.learnt.intervals["place"]
    assert place.layer == pytest.approx(paper_ranges.place.layer, rel=0.5)


def test_the_file_is_one_that_synthesise_takes_and_it_says_how(learnt: Study, archive: Path) -> None:
    text = (archive.parent / "learnt" / "ranges.toml").read_text()
    found = read_ranges(text, "ranges.toml", "paper")
    assert found.blur.low == pytest.approx(learnt.learnt.intervals["blur"].low, rel=1e-4)
    assert "blur = [" in text
    assert "from 64 image(s)" in text
    assert "# noise = 0.0" in text


@pytest.mark.slow
def test_the_physical_presets_intervals_come_back(tmp_path: Path) -> None:
    true = replace(physical(), **NARROW, binder=Interval(0.8, 0.95, 0.1), hot_part=0.0, pauses=0.0)  # type: ignore[arg-type]
    folder = printed(tmp_path / "a", true, jobs=10, layers=24, burn_in=24)
    found = study(Given(folder, machine=MACHINE), tmp_path / "out", Lesson("physical", sample=120))
    away = middles(found, true)
    for key in ("bed_texture", "texture_length", "anisotropy", "texture_memory", "binder", "fixed_pattern"):
        assert abs(away[key]) < 0.10, (key, away[key])
    for key in ("blur", "part_texture"):
        assert abs(away[key]) < 0.30, (key, away[key])
    assert {"lamp", "sand", "chamber", "uneven"} <= found.learnt.omitted.keys()


def as_folder(archive: Path, frames: Path, plans: Path | None) -> None:
    """The same layers as any other program would store them."""
    shutil.copytree(archive / "frames", frames)
    if plans is not None:
        shutil.copytree(archive / "plans", plans)


def test_a_folder_with_plans_gives_what_the_archive_gives(archive: Path, tmp_path: Path) -> None:
    as_folder(archive, tmp_path / "frames", tmp_path / "plans")
    given = Given(tmp_path / "frames", tmp_path / "plans", MACHINE.mm_per_px, MACHINE.span)
    found = [study(one, tmp_path / "out", Lesson(sample=8)) for one in (given, Given(archive, machine=MACHINE))]
    assert found[0].learnt.intervals == found[1].learnt.intervals
    assert found[0].real.runs[0].layers[0].source == "coverage"


def test_without_plans_two_levels_do_and_what_needs_plans_is_left_out(
    archive: Path, paper_ranges: Ranges, tmp_path: Path
) -> None:
    as_folder(archive, tmp_path / "frames", None)
    found = study(
        Given(tmp_path / "frames", None, MACHINE.mm_per_px, MACHINE.span), tmp_path / "out", Lesson(sample=32)
    )
    away = middles(found, paper_ranges)
    for key in ("blur", "binder", "lamp", "bed_texture", "texture_length", "anisotropy"):
        assert abs(away[key]) < 0.10, (key, away[key])
    assert {"place", "decay"} <= found.learnt.omitted.keys()
    assert any("two levels in each picture" in line for line in found.lines)


def test_percentiles_lie_within_minimum_and_maximum(learnt: Study) -> None:
    found = learn(learnt.real.runs, paper(), MACHINE, "percentiles", MACHINE.mm_per_px)
    for key in ("blur", "lamp", "binder"):
        inner, outer = found.intervals[key], learnt.learnt.intervals[key]
        assert outer.low <= inner.low < inner.high <= outer.high


def test_the_same_seed_gives_the_same_bytes_and_another_one_other_layers(archive: Path, tmp_path: Path) -> None:
    given = Given(archive, machine=MACHINE)
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        study(given, tmp_path / name, Lesson(sample=4, seed=seed))
    for file in ("ranges.toml", "ranges.json", "report.html"):
        a, b, c = ((tmp_path / name / file).read_bytes() for name in "abc")
        assert a == b
        assert a != c


def test_runs_are_consecutive_layers_of_as_many_jobs_as_there_are(archive: Path) -> None:
    source = open_source(Given(archive), MACHINE)
    runs = random_runs(source, 20, 0)
    assert sum(length for _, _, length in runs) == 20
    assert len({job for job, _, _ in runs}) == len(runs) == 3
    assert random_runs(source, 10_000, 0) != []
    assert sum(length for _, _, length in random_runs(source, 10_000, 0)) == 64


@pytest.mark.slow
def test_synthetic_layers_of_the_learnt_ranges_cover_the_real_ones(
    archive: Path, learnt: Study, tmp_path: Path
) -> None:
    text = (archive.parent / "learnt" / "ranges.toml").read_text()
    again = printed(tmp_path / "again", read_ranges(text, "", "paper"), jobs=8, layers=2, burn_in=4)
    other = replace(paper(), blur=Interval(1.5, 1.6), binder=Interval(2.0, 2.1))
    far = printed(tmp_path / "far", other, jobs=8, layers=2, burn_in=4)
    given, lesson = Given(archive, machine=MACHINE), Lesson(sample=16)
    alike = {gap.name: gap for gap in study(given, tmp_path / "o1", lesson, against=again).gaps}
    apart = {gap.name: gap for gap in study(given, tmp_path / "o2", lesson, against=far).gaps}
    assert alike["contrast"].covered > 0.7 > apart["contrast"].covered
    assert apart["blur"].ks == 1
    assert "raise its high end" in apart["contrast"].advice
    page = (tmp_path / "o2" / "report.html").read_text()
    assert "Real against synthetic" in page
    assert "lower its low end" in page
    assert json.loads((tmp_path / "o2" / "ranges.json").read_text())["gaps"]


def pictures(folder: Path, count: int, *, size: int = 40, value: int | None = None) -> Path:
    rng = np.random.default_rng(0)
    folder.mkdir()
    for number in range(count):
        pixels = (
            rng.integers(0, 255, (size, size), np.uint8) if value is None else np.full((size, size), value, np.uint8)
        )
        Image.fromarray(pixels).save(folder / f"{number}.png")
    return folder


def test_bad_input_gets_one_clear_line(tmp_path: Path, archive: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = ("--out", tmp_path / "out")
    empty, one = tmp_path / "empty", pictures(tmp_path / "one", 1)
    empty.mkdir()
    refused(capsys, ["ranges", empty, *out], 1, "no image in this folder")
    refused(capsys, ["ranges", tmp_path / "nowhere", *out], 2, "no such folder")
    refused(capsys, ["ranges", one, *out], 1, "holds 1 usable layer")
    refused(capsys, ["ranges", pictures(tmp_path / "flat", 3, value=7), *out], 1, "0.png: every pixel is 0.02")
    mixed = pictures(tmp_path / "mixed", 3)
    Image.fromarray(np.zeros((50, 40), np.uint8)).save(mixed / "2.png")
    refused(capsys, ["ranges", mixed, *out], 1, "images of mixed sizes", "40 x 50")
    refused(capsys, ["ranges", pictures(tmp_path / "tiny", 3, size=8), *out], 1, "textures need 12 x 12")
    refused(capsys, ["ranges", one, "--by", "mean", *out], 2, "there are minmax and percentiles")
    refused(capsys, ["ranges", one, "--span", "60", "20", *out], 2, "degC of the darkest grey")
    refused(capsys, ["ranges", one, "--mm-per-px", "-1", *out], 2, "-1 mm per pixel")
    refused(capsys, ["ranges", one, "--plans", tmp_path / "no", *out], 2, "give a folder of nominal masks")
    refused(capsys, ["ranges", archive, "--mm-per-px", "2", *out], 2, "is an archive and knows its plans")
    refused(capsys, ["ranges", archive, "--sample", "1", *out], 2, "--sample 1")
    refused(capsys, ["ranges", archive, "--out", archive / "x"], 2, "lies inside")
    refused(capsys, ["ranges", archive, "--model", one, *out], 2, "an order needs two --model or more")
    assert not (tmp_path / "out").exists()


def test_large_photographs_are_shrunk_and_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, told, _ = run(capsys, "ranges", pictures(tmp_path / "big", 2, size=1030), "--out", tmp_path / "out")
    assert code == 0
    assert "1030 x 1030 px are shrunk 2 times by area" in told
    assert "the size of a pixel is not known" in told
    assert json.loads((tmp_path / "out/ranges.json").read_text())["real"]["size"] == [515, 515]


def labelled(folder: Path, seed: int) -> Path:
    """Healthy and spoiled images, one sub-folder a class."""
    for kind, count in (("good", 12), ("spot", 12)):
        (folder / kind).mkdir(parents=True)
        for number in range(count):
            image = healthy_image(100 * seed + number + (50 if kind == "spot" else 0), 32)
            shown = spoiled_image(image) if kind == "spot" else image
            pixels = np.rint(255 * shown.pixels).astype(np.uint8)
            Image.fromarray(pixels).save(folder / kind / f"{seed}-{number}.png")
    return folder


def test_the_order_of_detectors_on_both_sides(
    archive: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    real, synthetic = labelled(tmp_path / "real", 1), labelled(tmp_path / "synthetic", 2)
    good = labelled(tmp_path / "train", 3) / "good"
    for name, seed in (("m1", 0), ("m2", 1)):
        words = ["train", good, "--detector", "pca", "--out", tmp_path / name, "--seed", seed]
        assert run(capsys, *words)[0] == 0
    words = ["ranges", archive, "--sample", 4, "--out", tmp_path / "out", "--model", tmp_path / "m1"]
    words += ["--model", tmp_path / "m2", "--labelled-real", real, "--labelled-synthetic", synthetic]
    code, told, error = run(capsys, *words)
    assert code == 0, error
    assert "Kendall's tau" in told
    found = json.loads((tmp_path / "out/ranges.json").read_text())["agreement"]
    assert found["real"].keys() == found["synthetic"].keys() == {"m1", "m2"}
    assert len(found["kendall_tau"]) == 3
    assert "Do detectors rank alike?" in (tmp_path / "out/report.html").read_text()


def test_only_healthy_jobs_of_an_archive_are_learnt_from(archive: Path) -> None:
    source = open_source(Given(archive), MACHINE)
    assert set(source.shelf.jobs) == set(Archive.open(archive).jobs)
