"""The paper's evaluation as one command, at a tiny size: everything is there, resumes, and is the same again."""

from __future__ import annotations

import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from layerwatch import catalogue
from layerwatch.evaluation import components
from layerwatch.evaluation.cohorts import Mix
from layerwatch.job.machine import default_machine
from layerwatch.journeys.examples import example_parts
from layerwatch.journeys.reproduce import reproduce
from layerwatch.journeys.reproduction import prevalence, step_times
from layerwatch.journeys.reproduction.paper_table2 import PAPER
from layerwatch.journeys.reproduction.protocol import Protocol, protocol
from layerwatch.journeys.reproduction.shown import Shown
from layerwatch.journeys.reproduction.timing import timing
from layerwatch.journeys.reproduction.variants import VARIANTS, varied
from layerwatch.journeys.reproduction.workshop import Workshop
from layerwatch.journeys.synthesise import Wish, crew_of
from layerwatch.recipes import Recipe
from layerwatch.records import DataError, UsageError

TINY = {"size": 32, "width": 0.125, "z_dim": 8, "batch": 8, "gan_steps": 3}
RECIPE = Recipe(
    "tiny",
    settings={
        "vae": {"size": 32, "width": 0.125, "steps": 4, "batch": 8},
        "fanogan": {**TINY, "encoder_steps": 3},
        "anogan": {**TINY, "search_steps": 3},
    },
)
SMALL = Protocol(
    RECIPE,
    layers=4,
    healthy_jobs=16,
    held_jobs=8,
    more_jobs=6,
    defective_jobs=8,
    each=24,
    faulty_jobs=1,
    severities=(4.0,),
    seeds=(0,),
    mix=Mix(10, 2, 10, 2),
)
TABLE = ["data", "severity", "split", "search", "mapping", "covariance", "input", "dimension"]


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("reproduced")
    with pytest.MonkeyPatch.context() as patch:  # forests take most of the time, and are the same at every step
        patch.setattr(components, "steps", lambda: iter((1, 2, 4)))
        patch.setattr(prevalence, "_REPEATS", 1)
        reproduce(SMALL, (), folder / "out", folder / "work")
    return folder


def test_table_2_has_every_input_of_the_paper_in_its_columns(done: Path) -> None:
    table = rows(done / "out" / "table2.csv")
    assert list(table[0])[:12] == [*TABLE, "isolation_forest", "k_means", "otsu", "gmm"]
    assert list(table[0])[-1] == "seed"
    assert set(PAPER) <= {row["input"] for row in table}
    assert {"pca A_R", "plan_residual score"} <= {row["input"] for row in table}  # whatever stands on the shelf
    assert {row["split"] for row in table} == {"job", "layer"}
    assert {row["search"] for row in table} == {"none", "variance", "paper"}


def test_every_claim_has_a_row_and_those_that_were_not_run_say_so(done: Path) -> None:
    claims = rows(done / "out" / "claims.csv")
    assert list(claims[0])[:4] == ["claim", "paper", "ours", "holds"]
    assert {row["holds"] for row in claims} <= {"yes", "no", "cannot be judged"}
    assert all(row["ours"] for row in claims)
    counts = next(row for row in claims if "trainable parameters" in row["claim"])
    assert (counts["ours"], counts["holds"]) == ("1430209, 3039041, 5697347", "yes")


def test_what_was_printed_is_told_with_its_real_counts_and_severities(done: Path) -> None:
    defects = rows(done / "out" / "defects.csv")
    assert {row["defect"] for row in defects} == set(SMALL.defects)
    for row in defects:
        assert 0 < int(row["layers"]) <= min(int(row["layers_printed"]), SMALL.each)
        assert 0 < float(row["reached_lowest"]) <= float(row["reached_median"]) <= 1.05 * float(row["severity"])
        assert 0 <= float(row["share_below"]) <= 1
    first = defects[0]
    said = f"{first['defect'].replace('_', ' ')} {first['layers']} layers"
    assert said in (out := done / "out").joinpath("table2.md").read_text()
    assert said in (out / "reproduction.md").read_text()
    assert json.loads((out / "summary.json").read_text())["defects"][0]["layers"] == int(first["layers"])


def test_whatever_stands_on_the_shelves_is_in_every_table(done: Path) -> None:
    page = (done / "out" / "table2.md").read_text()
    methods, reductions = catalogue.names("verdict.clusters"), catalogue.names("verdict.reductions")
    labels = [catalogue.load("verdict.reductions", name).label for name in reductions]
    assert all(f"| {method} |" in page for method in methods)
    assert all(f"| {label} on D_f |" in page for label in labels)
    assert "| plan_residual score |" in page
    figure, classes = rows(done / "out" / "figure7.csv"), rows(done / "out" / "classes.csv")
    assert {"VAE, A_R", "pca A_R", "plan_residual score"} <= {row["score"] for row in figure}
    assert set(methods) == {method for row in figure for method in row["nok"].split()}
    assert set(methods) == {row["method"] for row in classes}
    found = rows(done / "out" / "prevalence.csv")
    assert {f"{label} on D_f - D_f(G(E(X)))" for label in labels} <= {row["input"] for row in found}
    assert set(methods) == {row["method"] for row in found}


def test_average_precision_stands_beside_its_base_rate(done: Path) -> None:
    for row in rows(done / "out" / "detection.csv"):
        assert 0 < float(row["base_rate"]) < 1
    every, one = (next(r for r in rows(done / "out" / "detection.csv") if r["defect"] == d) for d in ("all", "porous"))
    assert float(every["base_rate"]) > float(one["base_rate"])


def test_a_network_that_was_trained_elsewhere_has_an_estimated_time(done: Path, tmp_path: Path) -> None:
    assert {row["how"] for row in rows(done / "out" / "timing.csv")} == {"measured"}
    work = Path(shutil.copytree(done / "work", tmp_path / "work"))
    (clock,) = (work / "clocks").glob("train fanogan-*.json")
    clock.unlink()
    shop = Workshop(SMALL, example_parts()[:1], default_machine(), work, crew_of("processes", 1))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(step_times, "_IMAGES", 16)
        timing(shop, shown := Shown(tmp_path / "out"))
    found = {row["step"]: row for row in rows(tmp_path / "out" / "timing.csv")}[clock.stem]
    assert found["how"].startswith("estimated")
    assert float(found["seconds"]) > 0
    assert "nan" not in "".join(shown.sections)


def test_a_perfect_reconstruction_finds_more_where_one_pixel_counts_than_where_all_do(done: Path) -> None:
    ceiling = {(row["score"], row["defect"]): float(row["auroc"]) for row in rows(done / "out" / "ceiling.csv")}
    assert ceiling["largest", "foreign_object"] > 0.9
    assert ceiling["largest", "foreign_object"] > ceiling["mean square", "foreign_object"]


def test_all_files_are_there(done: Path) -> None:
    out = done / "out"
    names = ("figure7", "table2", "detection", "ceiling", "prevalence", "classes", "pixels", "claims", "timing")
    assert all((out / f"{name}.csv").stat().st_size > 100 for name in names)
    for figure in ("figure1", "figure2", "figure3", "figure4", "figure6", "figure7", "detection"):
        assert (out / "figures" / f"{figure}.png").read_bytes()[:4] == b"\x89PNG"
        assert b"<svg" in (out / "figures" / f"{figure}.svg").read_bytes()[:600]
    page = (out / "reproduction.md").read_text()
    assert all(f"(figures/{name}.png)" in page for name in ("figure3", "figure7"))
    assert json.loads((out / "summary.json").read_text())["protocol"]["seeds"] == [0]


def test_nothing_is_made_twice(done: Path) -> None:
    clocks = {path: path.stat().st_mtime_ns for path in (done / "work" / "clocks").glob("*.json")}
    before = {path.name: path.read_bytes() for path in (done / "out").glob("*.csv")}
    reproduce(SMALL, (), done / "out", done / "work")
    assert {path: path.stat().st_mtime_ns for path in (done / "work" / "clocks").glob("*.json")} == clocks
    assert {path.name: path.read_bytes() for path in (done / "out").glob("*.csv")} == before


def test_a_folder_of_other_settings_is_refused(done: Path) -> None:
    with pytest.raises(UsageError, match="holds a reproduction of other settings"):
        reproduce(replace(SMALL, seeds=(1,)), (), done / "out", done / "work")


def test_figures_of_another_protocol_are_not_mixed_in(done: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="another --out"):
        reproduce(replace(SMALL, seeds=(1,)), (), done / "out", tmp_path / "work")
    assert not (tmp_path / "work").exists()


def test_a_damaged_protocol_is_named_and_a_damaged_figure_is_made_anew(done: Path, tmp_path: Path) -> None:
    out, work = (Path(shutil.copytree(done / name, tmp_path / name)) for name in ("out", "work"))
    figure = next(path for path in sorted((work / "figures").glob("*.json")) if path.name.startswith("ceiling"))
    whole = figure.read_bytes()
    figure.write_bytes(whole[: len(whole) // 2])
    next((work / "clocks").glob("*.json")).write_bytes(b"")
    reproduce(SMALL, (), out, work)
    assert figure.read_bytes() == whole
    (work / "protocol.json").write_bytes(b"{")
    with pytest.raises(DataError, match=r"protocol.json is damaged"):
        reproduce(SMALL, (), out, work)


def test_a_part_that_cannot_be_printed_leaves_no_claim(tmp_path: Path) -> None:
    soup = Path(__file__).parent.parent / "parts" / "soup.stl"
    with pytest.raises(DataError, match="nothing can be printed"):
        reproduce(SMALL, [soup], tmp_path / "out", tmp_path / "work")
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


@pytest.mark.slow
def test_costly_claims_run_too(done: Path) -> None:
    reproduce(SMALL, (), done / "costly", done / "work", costly=True)
    assert not [row for row in rows(done / "costly" / "claims.csv") if "not run" in row["ours"]]
    for name in ("causes", "contaminated", "variability"):
        assert len(rows(done / "costly" / f"{name}.csv")) >= 3
    levels = rows(done / "costly" / "variability_table2.csv")
    assert {row["variability"] for row in levels} == {"0.5", "1.0", "2.0"}
    assert set(PAPER) - {"VAE A_R"} <= {row["input"] for row in levels if row["variability"] == "2.0"}
    told = json.loads((done / "costly" / "one_number.json").read_text())
    assert told["reached"] == (max(told["measured"].values()) >= 0.695)
    assert 4.0 <= told["severity"] <= max(map(float, told["measured"])) <= 100  # the protocol's only one, or doubled


def test_recipes_and_presets_that_are_not_there_are_named() -> None:
    assert protocol("cpu", "physical").name == "reproduce-cpu-physical"
    assert protocol("quick", seeds=2).seeds == (0, 1)
    for words, said in (
        (("slow",), "no recipe 'slow'; there are: quick, cpu, paper"),
        (("quick", "real"), "no preset 'real'"),
    ):
        with pytest.raises(UsageError, match=said):
            protocol(*words)
    with pytest.raises(UsageError, match="no precision 'int8'; there are: fp32, bf16"):
        protocol("quick", precision="int8")


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_variant_changes_the_ranges_and_nothing_else(variant: str) -> None:
    wish = Wish(seed=3)
    changed = varied(wish, variant)
    assert changed.ranges != wish.ranges
    assert replace(changed, learnt=None) == wish
