from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from layerwatch.crew.inline import Inline
from layerwatch.detectors.pca import Pca
from layerwatch.evaluation.courses import Course
from layerwatch.job.machine import Machine, default_machine
from layerwatch.job.printing import healthy_covariance
from layerwatch.journeys.compare import Comparison, Contest, compare
from layerwatch.journeys.comparison.amounts import PAPERS, Amounts
from layerwatch.journeys.comparison.bench import Bench, images_of
from layerwatch.journeys.comparison.competitors import competitors_of
from layerwatch.journeys.comparison.groups import CALIBRATION, FROM_FIRST, Group, Planner, groups_of, polluted_jobs
from layerwatch.journeys.comparison.plan_errors import PlanError
from layerwatch.journeys.comparison.rows import Scored, rows_of
from layerwatch.journeys.comparison.shifts import SHIFTS
from layerwatch.journeys.comparison.unlisted import UNLISTED, spoiled
from layerwatch.journeys.comparison.views import viewed
from layerwatch.journeys.examples import example_parts
from layerwatch.journeys.plates import fill_beds, slice_part
from layerwatch.records import LayerImage, UsageError

COLUMNS = ["detector", "input", "data", "defect", "severity", "layers", "metric", "value", "low", "high", "seeds"]
TINY = Amounts(1, 1, 2, 2, 2, 0, 8, 3, 5, (2.0,), ("striation",), (1.0,), (), (0.3,))


@pytest.fixture(scope="module")
def machine() -> Machine:
    return replace(default_machine(), width=64, height=64)


@pytest.fixture(scope="module")
def planner(machine: Machine) -> Planner:
    part = slice_part(example_parts()[1], machine, at_least=20)
    return Planner(tuple(fill_beds([part], machine)), machine, TINY)


def contest(folder: Path, *detectors: str) -> Contest:
    learn, test = example_parts()
    return Contest((learn,), (test,), folder / "detection.csv", folder / "work", detectors or ("pca",), amounts=TINY)


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory, machine: Machine) -> tuple[Path, Comparison]:
    folder = tmp_path_factory.mktemp("compare")
    return folder, compare(contest(folder), machine)


def test_the_table_has_every_measure(compared: tuple[Path, Comparison]) -> None:
    folder, done = compared
    with (folder / "detection.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == COLUMNS
    assert {row["detector"] for row in rows} == {"pca"}
    assert {row["input"] for row in rows} == {"image"}
    assert {"striation", *UNLISTED, "healthy"} <= {row["defect"] for row in rows}
    told = {(row["data"], row["defect"], row["metric"], row["layers"]): row for row in rows}
    for metric, layers in (("AUROC", "1"), ("AUROC at the onset", "1"), ("AUROC", "5"), ("jobs found", "5")):
        row = told["physical", "ring", metric, layers]
        assert 0 <= float(row["low"]) <= float(row["value"]) <= float(row["high"]) <= 1
    assert float(told["physical", "striation", "severity reached", ""]["value"]) == pytest.approx(2, rel=0.02)
    assert ("physical, from layer 1", "striation", "jobs found", "8") in told
    for condition in ("plan off 1 px", "30 % of fitting layers defective"):
        assert (f"physical, {condition}", "the paper's five, mean", "AUROC", "1") in told
        assert (f"physical, {condition}", "healthy", "false-alarm jobs", "") in told
    assert float(told["physical", "healthy", "ms a layer", "1"]["value"]) > 0
    assert {file.name for file in done.files} == {path.name for path in folder.iterdir() if path.is_file()}
    page = (folder / "detection.md").read_text(encoding="utf-8")
    assert "2 healthy jobs cannot promise 5 %" in page
    assert "| the paper's five, mean | 2 | AUROC, 1 layer |" in page


def test_what_was_measured_is_not_measured_again(
    compared: tuple[Path, Comparison], machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, before = compared
    (folder / "work/scores/pca-image/ring-2-0-0.json").unlink()
    (folder / "work/scores/pca-image/checker-2-0-0.json").write_text('{"key": "of other settings", "jobs": []}')
    read = list[str]()
    call = Bench.__call__

    def told(bench: Bench, name: str) -> object:
        read.append(name)
        return call(bench, name)

    monkeypatch.setattr(Bench, "__call__", told)
    monkeypatch.setattr(Pca, "fit", None)
    after = compare(contest(folder), machine, crew=Inline())
    assert sorted(read) == ["checker-2-0-0", "ring-2-0-0"]
    assert [row for row in after.rows if row.metric != "ms a layer"] == [
        row for row in before.rows if row.metric != "ms a layer"
    ]


def test_another_detector_joins_without_the_first_being_read_anew(
    compared: tuple[Path, Comparison], machine: Machine
) -> None:
    folder, before = compared
    kept = {path: path.stat().st_mtime_ns for path in (folder / "work/scores/pca-image").iterdir()}
    after = compare(contest(folder, "pca", "plan_residual"), machine)
    assert kept == {path: path.stat().st_mtime_ns for path in (folder / "work/scores/pca-image").iterdir()}
    assert {(row.detector, row.input) for row in after.rows} == {("pca", "image"), ("plan_residual", "image+plan")}
    assert len(after.rows) == 2 * len(before.rows)


def test_detectors_that_follow_jobs_are_compared_without_their_past_too() -> None:
    told = [
        (one.detector, one.input, one.follows)
        for one in competitors_of(("plan_aware", "plan_aware@alone", "pca", "pca"))
    ]
    assert told == [
        ("plan_aware", "image+plan+job", True),
        ("plan_aware", "image+plan", False),
        ("pca", "image", False),
    ]
    with pytest.raises(UsageError, match="nobody"):
        competitors_of(("nobody",))
    with pytest.raises(UsageError, match="reads each layer alone anyhow; give pca"):
        competitors_of(("pca@alone",))


def test_what_the_past_is_worth_is_shown_where_nothing_is_off(tmp_path: Path, machine: Machine) -> None:
    told = compare(contest(tmp_path, "plan_aware@alone", "pca"), machine)
    assert {row.data for row in told.rows if row.detector == "plan_aware"} == {"physical"}
    assert any("," in row.data for row in told.rows if row.detector == "pca")


def test_a_detector_of_images_may_be_given_residuals(tmp_path: Path, machine: Machine) -> None:
    told = compare(contest(tmp_path, "pca@plan_residual", "pca@job_residual", "pca"), machine)
    assert {row.input for row in told.rows} == {"plan residual", "job residual", "image"}
    values = {row.input: row.value for row in told.rows if row.defect == "ring" and row.metric == "AUROC at the onset"}
    assert len(values) == 3
    with pytest.raises(UsageError, match="plan_aware takes the plan away itself"):
        competitors_of(("plan_aware@plan_residual",))
    with pytest.raises(UsageError, match="no such input; there are: pca@plan_residual, pca@job_residual"):
        competitors_of(("pca@bed",))


def test_the_jobs_own_bed_is_taken_away_where_it_was_bed(planner: Planner) -> None:
    job = planner.jobs("views", 0, 1)[0]
    images = [layer.image for layer in images_of(job)]
    stain = np.zeros_like(images[0].pixels)
    stain[2:5, :] = 0.05
    own = [replace(image, pixels=np.clip(image.pixels + stain, 0, 1)) for image in images]
    left = [viewed(own, view)[-1].pixels for view in ("plan_residual", "job_residual")]
    at_stain = [float(np.abs(pixels[1:6] - 0.5).mean() / np.abs(pixels[20:] - 0.5).mean()) for pixels in left]
    assert at_stain[0] > 1.5 * at_stain[1]
    future = [*own[:-1], replace(own[-1], pixels=images[-1].pixels[::-1])]
    for before, after in zip(viewed(own, "job_residual")[:-1], viewed(future, "job_residual")[:-1], strict=True):
        assert np.array_equal(before.pixels, after.pixels)


def test_groups_are_told_apart_and_compared_on_the_same_jobs(planner: Planner) -> None:
    amounts = replace(TINY, severities=(1.0, 2.0), jobs=2, defects=())
    groups = groups_of(replace(planner, amounts=amounts), replace(planner, amounts=amounts))
    assert len({group.name for group in groups}) == len(groups)
    weak, strong = (g for g in groups if g.kind == "porous" and not g.condition)
    assert [job.seed for job in weak.jobs] == [job.seed for job in strong.jobs]
    assert [job.orders[0].first_layer - job.first_layer for job in weak.jobs] == [3, 3]
    off = [g for g in groups if g.error.px and g.kind in PAPERS]
    assert {(g.kind, g.severity) for g in off} == {(kind, 2.0) for kind in PAPERS}
    first = next(g for g in groups if g.variant == FROM_FIRST)
    assert [job.orders[0].first_layer for job in first.jobs] == [job.first_layer for job in first.jobs]
    seeds = [
        {job.seed for g in groups if g.kind == kind for job in g.jobs} for kind in (CALIBRATION, "healthy", "ring")
    ]
    assert not set.intersection(*seeds)


def test_shifted_groups_differ_from_the_usual_in_what_their_name_says(planner: Planner, machine: Machine) -> None:
    assert not [g for g in groups_of(planner, planner) if g.variant in {shift.name for shift in SHIFTS}]
    asked = replace(planner, amounts=replace(TINY, shifted=3))
    groups = {g.variant: g for g in groups_of(asked, asked) if g.variant and g.variant != FROM_FIRST}
    assert list(groups) == [shift.name for shift in SHIFTS]
    for shift in SHIFTS:
        job = groups[shift.name].jobs[0]
        assert job.machine.noise == pytest.approx(shift.noise * machine.noise)
        assert job.machine.layer_time == pytest.approx(shift.layer_time * machine.layer_time)
        assert len(list(images_of(job))) == TINY.layers
    usual, wide = (groups[name].jobs[0].ranges.lamp for name in ("parts never seen", "variability x 2"))
    assert wide.reach == pytest.approx(2 * usual.reach)


def test_false_alarms_of_shifted_groups_are_told_together_and_at_worst() -> None:
    scored = Scored(competitors_of(("pca",))[0], replace(TINY, shifted=1))
    plain = Group("healthy", 0.0, 0, ())

    def course(score: float) -> Course:
        return Course("job", 0, np.array([0.0, score]), np.zeros(2, bool))

    scored.add(replace(plain, kind=CALIBRATION), [course(1.0)])
    scored.add(plain, [course(0.5)])
    for shift in SHIFTS:
        scored.add(replace(plain, variant=shift.name), [course(2.0 if shift.noise == 2 else 0.5)])
    told = {row.data: row.value for row in rows_of(scored, None) if row.metric == "false-alarm jobs"}
    assert told["physical"] == 0
    assert told["physical, noise x 2"] == 1
    assert told["physical, ten shifted groups"] == pytest.approx(0.1)
    assert told["physical, ten shifted groups, worst"] == 1


def test_polluted_jobs_hold_the_share_of_defective_layers(planner: Planner) -> None:
    many = replace(planner, amounts=replace(TINY, fit=20))
    jobs = polluted_jobs(many, 0, 0.1)
    spoilt = [job for job in jobs if job.orders]
    assert [job.orders[0].layers for job in spoilt] == [5, 5, 5, 1]
    assert sum(job.orders[0].layers or 0 for job in spoilt) == 0.1 * 20 * 8
    assert [job.orders[0].layers for job in polluted_jobs(many, 0, 0.01) if job.orders] == [2]
    assert len({job.orders[0].defect for job in spoilt}) == len(spoilt)
    assert not any(job.orders for job in polluted_jobs(many, 0, 0.0))


@pytest.mark.parametrize("kind", UNLISTED)
def test_unlisted_defects_have_the_severity_wanted(planner: Planner, kind: str) -> None:
    job = replace(planner.jobs("unlisted", 0, 1)[0], orders=())
    images = [layer.image for layer in images_of(job)]
    told = list(spoiled(images, job, kind, 2.0, range(3, 8)))
    assert [bad for _, bad, _ in told] == [False] * 3 + [True] * 5
    assert told[0][0] is images[0]
    span = job.machine.span[1] - job.machine.span[0]
    change = np.asarray((told[3][0].pixels - images[3].pixels) * span, np.float32)
    severity = healthy_covariance(job, images[3].layer).detectability(change) / 10
    assert severity == pytest.approx(told[3][2], rel=0.02)
    assert severity == pytest.approx(2.0, rel=0.02)
    again = list(spoiled(images, job, kind, 2.0, range(3, 8)))
    assert np.array_equal(again[5][0].pixels, told[5][0].pixels)


def test_a_plan_error_moves_plan_and_coverage_alike() -> None:
    plan = np.zeros((40, 40), np.uint8)
    plan[10:20, 12:30] = 3
    image = LayerImage("job", 0, np.zeros((40, 40), np.float32), plan=plan, coverage=np.asarray(85 * plan, np.uint8))

    def middle(mask: np.ndarray | None) -> np.ndarray:
        assert mask is not None
        return np.array([np.average(places, weights=mask) for places in np.indices(mask.shape)])

    off = PlanError(2.0).applied(image, np.random.default_rng(5))
    assert np.hypot(*(middle(off.coverage) - middle(image.coverage))) == pytest.approx(2.0, abs=0.01)
    assert np.hypot(*(middle(off.plan) - middle(off.coverage))) < 0.5
    assert off.plan is not None
    assert set(np.unique(off.plan)) == {0, 3}
    turned = PlanError(turn_deg=1.0).applied(image, np.random.default_rng(5))
    arm = middle(image.coverage) - 19.5
    assert np.hypot(*(middle(turned.coverage) - middle(image.coverage))) == pytest.approx(
        np.deg2rad(1) * np.hypot(*arm), rel=0.05
    )
    assert PlanError().applied(image, np.random.default_rng(5)) is image


def test_what_would_spoil_the_comparison_is_refused(tmp_path: Path, machine: Machine) -> None:
    part = example_parts()[0]
    with pytest.raises(UsageError, match=r"core_waterjacket4\.stl: learnt from and tested on"):
        compare(replace(contest(tmp_path), test_parts=(part,)), machine)
    with pytest.raises(UsageError, match="fifth layer in a row"):
        compare(replace(contest(tmp_path), amounts=replace(TINY, layers=7)), machine)
    with pytest.raises(UsageError, match="severities are above 0"):
        compare(replace(contest(tmp_path), amounts=replace(TINY, severities=(0.0,))), machine)
    with pytest.raises(UsageError, match="1 at least"):
        compare(replace(contest(tmp_path), amounts=replace(TINY, fit=0)), machine)
    assert not list(tmp_path.iterdir())


def test_a_detector_measured_elsewhere_joins_the_table(
    compared: tuple[Path, Comparison], machine: Machine, tmp_path: Path
) -> None:
    folder, before = compared
    (table,) = (path for path in before.files if path.suffix == ".csv")
    other = tmp_path / "peers.csv"
    head, *lines = table.read_text().splitlines()
    own = [line.replace("pca,", "PatchCore,") for line in lines if line.startswith("pca,image,")]
    other.write_text("\n".join([head, *own]))
    after = compare(replace(contest(folder), also=(other,), out=tmp_path / "detection.csv"), machine)
    assert {row.detector for row in after.rows} == {"pca", "PatchCore"}
    assert len(after.rows) == 2 * len(before.rows)
    other.write_text("a,b\n1,2\n")
    with pytest.raises(UsageError, match=r"no table with the columns of detection\.csv"):
        compare(replace(contest(folder), also=(other,)), machine)
    with pytest.raises(UsageError, match="No such file"):
        compare(replace(contest(folder), also=(tmp_path / "none.csv",)), machine)


def test_other_seeds_are_other_jobs() -> None:
    """Seeds from the first one on, of which the first few carry plan errors and pollution."""
    later = replace(TINY, seeds=3, first_seed=3, conditioned=1)
    assert later.all_seeds == range(3, 6)
    assert later.conditioned_seeds == range(3, 4)
    with pytest.raises(UsageError, match="seeds from -1"):
        replace(TINY, first_seed=-1).checked()
