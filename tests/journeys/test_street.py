"""The whole street at a tiny size: repeatable, resumable, whole."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from layerwatch import catalogue, recipes
from layerwatch.job.machine import default_machine
from layerwatch.journeys import demo as street
from layerwatch.journeys.demo_data import print_demo
from layerwatch.journeys.sources import healthy_images, labelled_images
from layerwatch.journeys.synthesise import Wish, synthesise
from layerwatch.journeys.train import Training, load_stored, train
from layerwatch.recipes import Amounts, Recipe
from layerwatch.records import Progress, UsageError, silent
from tests.journeys.test_cli import box

DEFECTS = {"agglomerate", "foreign_object", "porous", "shift", "striation"}


def tiny() -> Recipe:
    return Recipe(
        "tiny",
        Amounts(layers=3, healthy_jobs=24, calibration=0.5, test_jobs=6, defective_jobs=2, inspected_layers=36),
        {
            "plan_aware": {},
            "pca": {"size": 16, "components": 8},
            "vae": {"size": 32, "width": 0.125, "steps": 20, "batch": 8},
            "fanogan": {
                "size": 32,
                "width": 0.125,
                "z_dim": 8,
                "batch": 8,
                "gan_steps": 4,
                "encoder_steps": 4,
                "tuning_steps": 4,
            },
        },
        false_alarm_rate=0.1,
    )


@pytest.fixture(autouse=True)
def _tiny_recipe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recipes, "RECIPES", {"tiny": tiny})


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


class Cut:
    """A Progress that stops everything the first time a step has begun."""

    def __init__(self, step: str) -> None:
        self.step = step

    def __call__(self, step: str, done: int, total: int, note: str = "") -> None:
        if step == self.step:
            raise KeyboardInterrupt


def run(out: Path, part: Path, seed: int = 0, progress: Progress = silent) -> street.Summary:
    return street.demo(out, [part], "tiny", seed, progress)


def test_the_demo_is_whole_repeatable_and_resumable(tmp_path: Path) -> None:
    part = box(tmp_path / "block.stl", 300.0, 200.0, 30.0)
    summary = run(tmp_path / "a", part)
    assert any("report.html" in line for line in summary.lines)
    assert sum(" layer " in line for line in summary.lines) >= 36

    # summary.json holds what scripts read.
    told = json.loads((tmp_path / "a" / "summary.json").read_text())
    assert set(told["auroc"]) == {"plan_aware", "pca", "vae", "fanogan"}
    for row in told["auroc"].values():
        assert set(row) == DEFECTS | {"all"}
        assert all(0 <= low <= value <= high <= 1 for value, low, high in row.values())
    assert {"promised", "measured", "layers"} <= set(told["false_alarms"])
    keys = {"data", "severity", "split", "search", "mapping", "covariance", "input", "dimension", "seed"}
    assert keys | {"isolation_forest", "k_means", "otsu", "gmm"} == set(told["table2"][0])
    assert {"slice and print", "train fanogan", "inspect the job"} <= set(told["seconds"])
    report = (tmp_path / "a" / "report.html").read_text()
    assert report.count("data:image/png;base64,") >= 7
    assert "http://" not in report.replace("http://www.w3.org", "")

    # Interrupted in two places, it goes on and ends in the same bytes.
    for step in ("print jobs: test", "encoder"):
        with pytest.raises(KeyboardInterrupt):
            run(tmp_path / "b", part, progress=Cut(step))
    run(tmp_path / "b", part)
    first, second = contents(tmp_path / "a"), contents(tmp_path / "b")
    for name in first:
        if name not in {"seconds.json", "summary.json", "report.html"}:  # these tell the time
            assert first[name] == second[name], name
    again = json.loads(second["summary.json"])
    assert {**told, "seconds": 0} == {**again, "seconds": 0}
    assert not [name for name in second if ".partial" in name or "/." in name or "checkpoint" in name]

    # Another seed gives other layers; the folder of one demo is no place for another.
    with pytest.raises(UsageError, match="holds an archive of other settings"):
        run(tmp_path / "a", part, seed=1)
    print_demo([part], tmp_path / "c", tiny(), 1, silent)
    other = contents(tmp_path / "c")
    assert other["job/archive.json"] != first["job/archive.json"]
    assert all(other.get(name) != first[name] for name in first if name.startswith("train/frames"))


def test_an_interrupted_archive_and_training_leave_nothing_half_written(tmp_path: Path) -> None:
    part, machine = box(tmp_path / "block.stl", 300.0, 200.0, 30.0), default_machine()
    wish = Wish(healthy=6, defective=0, layers=4)
    with pytest.raises(KeyboardInterrupt):
        synthesise([part], tmp_path / "archive", machine, wish, progress=Cut("print jobs"))
    assert not (tmp_path / "archive" / "archive.json").exists()
    archive = synthesise([part], tmp_path / "archive", machine, wish)
    assert len(archive.jobs) == 6
    healthy = healthy_images(tmp_path / "archive")
    training = Training("vae", tiny())
    with pytest.raises(KeyboardInterrupt):
        train(healthy, training, tmp_path / "model", progress=Cut("VAE"))
    assert not (tmp_path / "model").exists()
    train(healthy, training, tmp_path / "model")
    train(healthy, training, tmp_path / "other")
    assert load_stored(tmp_path / "model").sha256 == load_stored(tmp_path / "other").sha256
    assert not list(tmp_path.glob(".*training*"))


def test_healthy_layers_of_a_spoiled_job_count_on_no_side(tmp_path: Path) -> None:
    part = box(tmp_path / "block.stl", 300.0, 200.0, 30.0)
    synthesise([part], tmp_path / "archive", default_machine(), Wish(healthy=2, defective=1, layers=8, severity=8.0))
    found = labelled_images(tmp_path / "archive")
    for image, kind in zip(found.images, found.kinds, strict=True):
        expected = {"healthy"} if image.job.startswith("healthy") else {"", image.job.rsplit("-", 1)[0]}
        assert kind in expected
    assert {image.job.rsplit("-", 1)[0] for image in healthy_images(tmp_path / "archive").fit} == {"healthy"}


def test_a_model_remembers_its_jobs(tmp_path: Path) -> None:
    from layerwatch.journeys.evaluate import unseen

    part = box(tmp_path / "block.stl", 300.0, 200.0, 30.0)
    synthesise([part], tmp_path / "a", default_machine(), Wish(healthy=6, defective=1, layers=4))
    model = train(healthy_images(tmp_path / "a"), Training("pca", tiny()), tmp_path / "model")
    found = labelled_images(tmp_path / "a")
    assert {image.job for image in unseen(found, model).images} == {
        f"{defect}-0000" for defect in catalogue.names("job.defects")
    }
    renamed = replace(found, images=tuple(replace(i, pixels=1 - i.pixels) for i in found.images))
    assert len(unseen(renamed, model).images) == len(found.images)
