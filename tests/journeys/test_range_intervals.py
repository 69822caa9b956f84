"""Warmer parts stay warmer, one value is said to be one, and the file says which span its layers need."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from layerwatch.images.properties import LayerProperties, RunProperties
from layerwatch.job.machine import default_machine
from layerwatch.job.ranges import Interval, paper, physical
from layerwatch.job.rangesfile import read_ranges
from layerwatch.journeys.layer_runs import Given
from layerwatch.journeys.range_intervals import ONE_VALUE, learn
from layerwatch.journeys.range_levels import needed_span
from layerwatch.journeys.range_series import Series, interval
from layerwatch.journeys.ranges import Lesson, Study, study
from tests.journeys.test_ranges import MACHINE, pictures, printed


@pytest.fixture(scope="module")
def hot(tmp_path_factory: pytest.TempPathFactory) -> tuple[Study, Path]:
    """Half of the jobs have a warmer part, by about 8 K."""
    folder = tmp_path_factory.mktemp("hot")
    ranges = replace(paper(), binder=Interval(7.8, 8.2), hot_part=0.5, lamp=Interval(36.0, 40.0, 0.06))
    archive = printed(folder / "archive", ranges, jobs=8, layers=2, burn_in=4)
    return study(Given(archive, machine=MACHINE), folder / "out", Lesson(sample=16)), folder / "out"


def test_a_warmer_part_is_learnt_as_a_share_of_the_jobs(hot: tuple[Study, Path]) -> None:
    found, out = hot
    signs = {run.job: run.together.contrast < 0 for run in found.real.runs}
    assert 0 < sum(signs.values()) < 8
    assert found.learnt.hot_part == pytest.approx(sum(signs.values()) / 8)
    assert found.learnt.intervals["binder"].low > 6
    ranges = read_ranges((out / "ranges.toml").read_text(), "ranges.toml", "paper")
    assert ranges.hot_part == pytest.approx(found.learnt.hot_part, rel=1e-3)
    assert "without its sign" in (out / "ranges.toml").read_text()
    assert "hot_part" in (out / "report.html").read_text()


def test_the_file_says_which_span_its_layers_need(hot: tuple[Study, Path]) -> None:
    found, out = hot
    low, high = needed_span(found.ranges, MACHINE)
    assert f"# printed layers need a camera from {low} to {high} degC" in (out / "ranges.toml").read_text()
    assert low < 36 - 8
    assert high > 40 + 7


@pytest.mark.parametrize("ranges", [paper(), physical()])
def test_the_default_camera_holds_both_presets(ranges: object) -> None:
    low, high = needed_span(ranges, default_machine())  # type: ignore[arg-type] # of the two
    assert default_machine().span[0] <= low < high <= default_machine().span[1]


def test_a_camera_that_is_too_narrow_is_said_with_what_it_needs(tmp_path: Path) -> None:
    given = Given(pictures(tmp_path / "frames", 3), span=(100.0, 400.0))
    found = study(given, tmp_path / "out")
    low, high = needed_span(found.ranges, found.machine)
    assert not found.is_held
    assert any(f"camera.low = {low} and camera.high = {high}" in line for line in found.lines)


def run_of(job: str, lamp: float, lags: float = np.nan) -> RunProperties:
    layer = LayerProperties(job, 0, "plan", 38.0, 34.0, uneven=lamp, blur=0.7, blur_error=0.05)
    found = RunProperties(job, (layer,), layer, np.zeros((1, 24)))
    return replace(found, lags=np.full(5, lags), lag_errors=np.full(5, 0.05))


def test_differences_within_the_error_leave_one_value_and_say_so() -> None:
    alike = learn([run_of("a", 0.4), run_of("b", 0.41), run_of("c", 0.42)], paper(), MACHINE, "minmax", None)
    assert {"uneven", "blur"} <= set(alike.narrow)
    assert ONE_VALUE in alike.comments["uneven"]
    apart = learn([run_of("a", 0.1), run_of("b", 0.5), run_of("c", 0.9)], paper(), MACHINE, "minmax", None)
    assert "uneven" not in apart.narrow
    assert ONE_VALUE not in apart.comments["uneven"]


def test_a_texture_s_memory_needs_three_runs() -> None:
    two = learn([run_of(job, 0.4, 0.5) for job in "ab"], paper(), MACHINE, "minmax", None)
    assert two.omitted["texture_memory"] == "runs of layers that show it: 2; 3 at least are needed"
    three = learn([run_of(job, 0.4, 0.5) for job in "abc"], paper(), MACHINE, "minmax", None)
    assert "texture_memory" in three.intervals


def test_layers_that_all_lie_beside_their_run_give_an_interval_that_reaches_to_both() -> None:
    series = Series(np.array([0.273, 0.274]), np.zeros(2), [np.array([0.25, 0.263])] * 2, 0.1)
    found = interval(series, "minmax")
    assert found.low == pytest.approx(0.263)
    assert found.high == pytest.approx(0.273)
